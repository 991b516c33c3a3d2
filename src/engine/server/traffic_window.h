// SPDX-License-Identifier: Apache-2.0
// What one event loop did per second of late, for INFO.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace mikura::engine {

struct LoopStatistics;

// Belongs to the loop's thread.
class TrafficWindow {
 public:
  // Takes the loop's counters, unless it was called just before, and writes the rates since the
  // oldest sample that is kept, about two seconds ago, to the same statistics.
  void Sample(UnixMillis now, LoopStatistics& statistics);

 private:
  static constexpr size_t kSamples = 20;
  static constexpr UnixMillis kPeriod = 100;

  struct Totals {
    UnixMillis at = 0;
    uint64_t commands = 0;
    uint64_t input_bytes = 0;
    uint64_t output_bytes = 0;
  };

  std::array<Totals, kSamples> samples_{};
  size_t count_ = 0;
  size_t next_ = 0;
};

}  // namespace mikura::engine
