// SPDX-License-Identifier: Apache-2.0
// The lock of one shard: one compare-and-set when free, no starvation when not.
//
// K1. A thread spins for about a microsecond, then lines up, first come first served, and sleeps.
// K2. An unlock wakes the head of the line, which takes the lock if nobody was faster; a head that
//     has waited for longer than kHandOverAfter gets it handed over, so each wait is bounded.
// K3. The lock is handed only to a thread that waits for it at that moment: whoever is in line is,
//     and leaving the line tells whether it was handed over just then.
//
// The word is changed by compare-and-set from kFree and kHeld, and else under kLine, which guards
// the line.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "base/thread_annotations.h"

namespace mikura::engine {

class CAPABILITY("shard lock") ShardLock {
 public:
  ShardLock() = default;
  ShardLock(const ShardLock&) = delete;
  ShardLock& operator=(const ShardLock&) = delete;

  void Lock() ACQUIRE() NO_THREAD_SAFETY_ANALYSIS {
    if (__builtin_expect(!TryLock(), 0)) LockUntil(kForEver);
  }
  bool TryLock() TRY_ACQUIRE(true) {
    uint32_t expected = kFree;
    return word_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire);
  }
  // Waits no longer than `patience`; false: it is not locked.
  bool LockFor(std::chrono::nanoseconds patience) TRY_ACQUIRE(true);
  void Unlock() RELEASE() {
    uint32_t expected = kHeld;
    if (__builtin_expect(!word_.compare_exchange_strong(expected, kFree, std::memory_order_release),
                         0)) {
      UnlockSlow();
    }
  }

  // A relaxed look, which publishes nothing.
  bool IsHeld() const { return (word_.load(std::memory_order_relaxed) & kHeld) != 0; }

 private:
  struct Waiter;

  static constexpr MonotonicNanos kForEver = INT64_MAX;
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kWaiters = 2;  // the line is not empty
  static constexpr uint32_t kLine = 4;     // somebody changes the line: some dozen instructions

  bool LockUntil(MonotonicNanos until) TRY_ACQUIRE(true) NO_THREAD_SAFETY_ANALYSIS;
  bool Spin();
  // ---- The line.
  void LockLine();
  void UnlockLine();
  void Append(Waiter& waiter);
  void Erase(const Waiter& waiter);
  void SetState(uint32_t state);
  bool TakeOrLineUp(Waiter& waiter);
  bool TakeFromLine(Waiter& waiter);
  bool Leave(Waiter& waiter);
  void UnlockSlow() NO_THREAD_SAFETY_ANALYSIS;

  // Acquire on lock and release on unlock publish the shard's data from one owner to the next, and
  // the line under kLine.
  std::atomic<uint32_t> word_{kFree};
  Waiter* head_ = nullptr;  // guarded by kLine; lives on the stack of the thread that waits
};

// Holds the lock of one shard.
class SCOPED_CAPABILITY ShardGuard {
 public:
  explicit ShardGuard(ShardLock& lock) ACQUIRE(lock) : lock_(lock) { lock_.Lock(); }
  ~ShardGuard() RELEASE() { lock_.Unlock(); }
  ShardGuard(const ShardGuard&) = delete;
  ShardGuard& operator=(const ShardGuard&) = delete;

 private:
  ShardLock& lock_;
};

}  // namespace mikura::engine
