// SPDX-License-Identifier: Apache-2.0
// The lock of one shard: 4 bytes, free when uncontended, first come first served otherwise.
//
// A thread that does not get it within about a microsecond joins the line of this lock (kept
// outside the lock word, in a hashed parking table) and sleeps; whoever unlocks hands the lock over
// to the head of the line, so nobody starves (docs/adr, concurrency rules 1.2).
#pragma once

#include <atomic>
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
  bool IsHeld() const { return word_.load(std::memory_order_relaxed) != kFree; }

 private:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kHeldWithLine = 2;

  void LockSlow() NO_THREAD_SAFETY_ANALYSIS;
  void UnlockSlow() NO_THREAD_SAFETY_ANALYSIS;

  // Acquire on lock and release on unlock publish the shard's data from one holder to the next.
  std::atomic<uint32_t> word_{kFree};
};

}  // namespace mikura::engine
