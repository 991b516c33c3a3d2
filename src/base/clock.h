// SPDX-License-Identifier: Apache-2.0
// The two clocks: wall time in Unix milliseconds (deadlines, metadata) and monotonic time.
#pragma once

#include <chrono>
#include <cstdint>

namespace mikura {

// Milliseconds since the Unix epoch.
using UnixMillis = int64_t;
// Nanoseconds of CLOCK_MONOTONIC.
using MonotonicNanos = int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixMillis NowMillis() const = 0;
  virtual MonotonicNanos NowNanos() const = 0;
};

// The machine's own clocks.
class SystemClock final : public Clock {
 public:
  UnixMillis NowMillis() const override;
  MonotonicNanos NowNanos() const override;
};

// Moves only when told: for tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixMillis start = 1'700'000'000'000) : ticks_(start) {}
  UnixMillis NowMillis() const override { return ticks_ + offset_; }
  MonotonicNanos NowNanos() const override { return ticks_ * 1'000'000; }
  void Advance(std::chrono::milliseconds by) { ticks_ += by.count(); }
  // Somebody sets the wall clock: the monotonic one goes on.
  void Jump(std::chrono::milliseconds by) { offset_ += by.count(); }

 private:
  UnixMillis ticks_;
  UnixMillis offset_ = 0;
};

}  // namespace mikura
