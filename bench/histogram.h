// SPDX-License-Identifier: Apache-2.0
// Latencies in log-linear buckets: 64 per power of two, so a quantile is right to 1.6 %.
#pragma once

#include <array>
#include <cstdint>

namespace mikura::bench {

class Histogram {
 public:
  // Counts `value` (any unit; the callers use nanoseconds) `times` times.
  void Add(uint64_t value, uint64_t times = 1);
  void Merge(const Histogram& other);
  void Clear();

  uint64_t count() const { return count_; }
  // The lower bound of the bucket that holds the `share` quantile (0..1); 0 when empty.
  uint64_t Quantile(double share) const;

 private:
  static constexpr uint32_t kPerPower = 64;

  static uint32_t BucketOf(uint64_t value);
  static uint64_t LowerBound(uint32_t bucket);

  std::array<uint64_t, 59 * kPerPower> buckets_ = {};
  uint64_t count_ = 0;
};

}  // namespace mikura::bench
