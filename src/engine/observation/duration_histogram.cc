// SPDX-License-Identifier: Apache-2.0
#include "engine/observation/duration_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace mikura::engine {

// Classes 0 to 3 are 0 to 3 microseconds; then four for each power of two.
size_t DurationHistogram::ClassOf(uint64_t micros) {
  if (micros < 4) return static_cast<size_t>(micros);
  const auto power = static_cast<size_t>(std::bit_width(micros)) - 1;
  const size_t quarter = micros >> (power - 2) & 3;
  return std::min(4 * (power - 1) + quarter, kClasses - 1);
}

uint64_t DurationHistogram::LongestOf(size_t size_class) {
  if (size_class < 4) return size_class;
  const size_t power = size_class / 4 + 1;
  return (uint64_t{5 + size_class % 4} << (power - 2)) - 1;
}

void DurationCounts::Add(const DurationHistogram& histogram) {
  for (size_t i = 0; i < counts.size(); ++i) counts[i] += histogram.count(i);
}

void DurationCounts::Subtract(const DurationCounts& other) {
  for (size_t i = 0; i < counts.size(); ++i) counts[i] -= other.counts[i];
}

uint64_t DurationCounts::total() const {
  uint64_t sum = 0;
  for (const uint64_t count : counts) sum += count;
  return sum;
}

uint64_t DurationCounts::Quantile(double share) const {
  const uint64_t all = total();
  if (all == 0) return 0;
  const auto wanted = static_cast<uint64_t>(std::ceil(static_cast<double>(all) * share));
  uint64_t seen = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    seen += counts[i];
    if (seen >= std::max<uint64_t>(wanted, 1)) return DurationHistogram::LongestOf(i);
  }
  return DurationHistogram::LongestOf(counts.size() - 1);
}

}  // namespace mikura::engine
