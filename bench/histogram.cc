// SPDX-License-Identifier: Apache-2.0
#include "bench/histogram.h"

#include <bit>
#include <cmath>

namespace mikura::bench {

void Histogram::Add(uint64_t value, uint64_t times) {
  buckets_[BucketOf(value)] += times;
  count_ += times;
}

void Histogram::Merge(const Histogram& other) {
  for (uint32_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
}

void Histogram::Clear() {
  buckets_.fill(0);
  count_ = 0;
}

uint64_t Histogram::Quantile(double share) const {
  if (count_ == 0) return 0;
  auto rank = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  if (rank == 0) rank = 1;
  if (rank > count_) rank = count_;
  uint64_t seen = 0;
  uint32_t bucket = 0;
  for (; bucket + 1 < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank) break;
  }
  return LowerBound(bucket);
}

uint32_t Histogram::BucketOf(uint64_t value) {
  if (value < kPerPower) return static_cast<uint32_t>(value);
  const uint32_t shift = static_cast<uint32_t>(std::bit_width(value)) - 7;
  return (shift + 1) * kPerPower + static_cast<uint32_t>((value >> shift) & (kPerPower - 1));
}

uint64_t Histogram::LowerBound(uint32_t bucket) {
  if (bucket < kPerPower) return bucket;
  const uint32_t shift = bucket / kPerPower - 1;
  return static_cast<uint64_t>(kPerPower + bucket % kPerPower) << shift;
}

}  // namespace mikura::bench
