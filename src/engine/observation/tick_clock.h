// SPDX-License-Identifier: Apache-2.0
// Time in the processor's own ticks: a few nanoseconds to read, and no barrier that would keep
// loads from overlapping (with clock_gettime per command a pipelined request costs 15 % more).
#pragma once

#include <atomic>
#include <cstdint>

#ifdef __x86_64__
#include <x86intrin.h>
#else
#include <time.h>
#endif

namespace mikura::engine {

inline uint64_t TicksNow() {
#ifdef __x86_64__
  return __rdtsc();
#else
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
#endif
}

// How long a tick is: compared with the system's clock over the time since it was made.
class TickScale {
 public:
  // Takes two milliseconds, for a first comparison.
  TickScale();

  // Compares anew; for now and then. The longer ago it was made, the more exact.
  void Refine();
  uint64_t ToMicros(uint64_t ticks) const {
    if (ticks < ticks_per_micro()) return 0;  // most commands
    return static_cast<uint64_t>(static_cast<double>(ticks) * micros_per_tick());
  }
  // Not less than so many ticks make a microsecond.
  uint64_t ticks_per_micro() const { return ticks_per_micro_.load(std::memory_order_relaxed); }
  // For thresholds. Negative: never.
  uint64_t FromMicros(int64_t micros) const;

 private:
  double micros_per_tick() const { return micros_per_tick_.load(std::memory_order_relaxed); }

  const uint64_t ticks_at_start_;
  const int64_t nanos_at_start_;
  // Each publishes nothing but itself.
  std::atomic<double> micros_per_tick_{0.001};
  std::atomic<uint64_t> ticks_per_micro_{1000};
};

}  // namespace mikura::engine
