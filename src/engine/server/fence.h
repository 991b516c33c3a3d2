// SPDX-License-Identifier: Apache-2.0
// Until when this node may act as the primary (the agent's lease, less a margin): the deadline is
// compared with a fresh clock before a request is executed, under its locks, and before its reply
// is sent. Without one the node acts for ever.
//
// The clock is CLOCK_BOOTTIME, which counts while the machine sleeps, so the agent of the same
// machine can name the moment.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace mikura::engine {

// Milliseconds of CLOCK_BOOTTIME.
using BootMillis = int64_t;

class FenceClock {
 public:
  virtual ~FenceClock() = default;
  virtual BootMillis Now() const = 0;
};

class SystemFenceClock final : public FenceClock {
 public:
  BootMillis Now() const override;
};

class Fence {
 public:
  explicit Fence(const FenceClock& clock) : clock_(clock) {}

  // From the admin thread. Within an epoch the deadline only goes forward: a message that is late
  // takes nothing back. kNever ends the fence.
  void Set(int64_t epoch, BootMillis deadline) {
    if (epoch == epoch_ && is_set()) deadline = std::max(deadline, deadline_.load());
    epoch_ = epoch;
    deadline_.store(deadline, std::memory_order_seq_cst);
  }

  bool is_set() const { return deadline_.load(std::memory_order_relaxed) != kNever; }
  // Asks the clock, when there is a deadline.
  bool IsPast() const {
    const BootMillis deadline = deadline_.load(std::memory_order_relaxed);
    if (deadline == kNever) [[likely]]
      return false;
    return clock_.Now() >= deadline;
  }
  BootMillis deadline() const { return deadline_.load(std::memory_order_relaxed); }

  static constexpr BootMillis kNever = INT64_MAX;

 private:
  const FenceClock& clock_;
  int64_t epoch_ = 0;  // the admin thread's
  // Publishes nothing but itself, to whoever is about to act.
  std::atomic<BootMillis> deadline_{kNever};
};

}  // namespace mikura::engine
