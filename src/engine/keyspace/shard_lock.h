// SPDX-License-Identifier: Apache-2.0
// The lock of one shard: 4 bytes, one compare-and-set when free, no starvation when not.
//
// The word holds the state, a starving mark and the number of threads that wait:
//   bits 0-1  kFree, kHeld, or kHanded (released to those who wait: newcomers must not take it)
//   bit 2     some waiter has waited for longer than kPatience: the next unlock hands over
//   bits 3-31 waiting threads
// A thread spins for about a microsecond, then joins the waiters and sleeps on the word (futex). An
// unlock with waiters wakes one; until somebody starves, a running thread may overtake it, which
// keeps the lock busy; after that the lock is handed to the waiters, so each wait is bounded.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/thread_annotations.h"

namespace mikura::engine {

class CAPABILITY("shard lock") ShardLock {
 public:
  ShardLock() = default;
  ShardLock(const ShardLock&) = delete;
  ShardLock& operator=(const ShardLock&) = delete;

  void Lock() ACQUIRE() {
    uint32_t expected = kFree;
    if (__builtin_expect(!word_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire),
                         0)) {
      LockSlow();
    }
  }
  // Waits no longer than `patience`; false when it was not to be had. Spins first, then sleeps.
  bool LockFor(std::chrono::microseconds patience) TRY_ACQUIRE(true) {
    return TryLock() || LockSlowFor(patience);
  }
  bool TryLock() TRY_ACQUIRE(true) {
    uint32_t expected = kFree;
    return word_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire);
  }
  void Unlock() RELEASE() {
    uint32_t expected = kHeld;
    if (__builtin_expect(!word_.compare_exchange_strong(expected, kFree, std::memory_order_release),
                         0)) {
      UnlockSlow();
    }
  }
  // Whether anybody holds it: for DCHECKs.
  bool IsHeld() const { return (word_.load(std::memory_order_relaxed) & kStateMask) != kFree; }

 private:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kHanded = 2;
  static constexpr uint32_t kStateMask = 3;
  static constexpr uint32_t kStarving = 4;
  static constexpr uint32_t kOneWaiter = 8;

  void LockSlow() NO_THREAD_SAFETY_ANALYSIS;
  bool LockSlowFor(std::chrono::microseconds patience) NO_THREAD_SAFETY_ANALYSIS;
  bool LeaveWaiters();
  void UnlockSlow() NO_THREAD_SAFETY_ANALYSIS;
  bool Spin();
  bool TakeAsWaiter(uint32_t word);

  // Acquire on lock and release on unlock publish the shard's data from one holder to the next.
  std::atomic<uint32_t> word_{kFree};
};

}  // namespace mikura::engine
