// SPDX-License-Identifier: Apache-2.0
// How often a duration occurred, in classes a quarter of a power of two wide.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace mikura::engine {

// One thread counts; any thread reads.
class DurationHistogram {
 public:
  // Durations up to 2^32 microseconds, over an hour; longer ones count as that.
  static constexpr size_t kClasses = 128;

  void Count(uint64_t micros) {
    auto& count = counts_[ClassOf(micros)];
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  uint64_t count(size_t size_class) const {
    return counts_[size_class].load(std::memory_order_relaxed);
  }

  static size_t ClassOf(uint64_t micros);
  // The longest duration of the class.
  static uint64_t LongestOf(size_t size_class);

 private:
  std::array<std::atomic<uint32_t>, kClasses> counts_{};
};

// Sums of several histograms, for statistics.
struct DurationCounts {
  std::array<uint64_t, DurationHistogram::kClasses> counts{};

  void Add(const DurationHistogram& histogram);
  void Subtract(const DurationCounts& other);
  uint64_t total() const;
  // The duration in microseconds that `share` (0 to 1) of all do not exceed; 0 when there is none.
  uint64_t Quantile(double share) const;
};

}  // namespace mikura::engine
