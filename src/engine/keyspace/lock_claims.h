// SPDX-License-Identifier: Apache-2.0
// What requests want that were put aside: no thread waits for it, so nothing is handed to them. A
// request that would hold a lock for long asks here first whether an older one should have it now,
// and goes behind that.
//
// Only a claim older than kYieldAge counts: to hold a lock back for a thread that is elsewhere
// costs far more than it gives as long as chance is fair enough.
//
// And a claim is only as good as its last refreshing: a thread that does not come back for it (it
// runs a long command, or the client went) keeps nobody waiting for longer than kClaimLife.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/mutex.h"
#include "engine/keyspace/shard_lock.h"
#include "engine/store/key.h"

namespace mikura::engine {

// Thread-safe; its mutex is a leaf.
class LockClaims {
 public:
  static constexpr MonotonicNanos kYieldAge = 20'000'000;
  static constexpr MonotonicNanos kClaimLife = 20'000'000;

  static constexpr uint32_t kToken = kShardCount;
  static constexpr uint32_t kEveryLock = kShardCount + 1;  // of a gate

  // The request of age `since` wants `lock` (a shard, or one of the above) and does not wait for it
  // now.
  void Note(uint32_t lock, MonotonicNanos since, MonotonicNanos now);
  // It got what it wanted, or was answered otherwise.
  void Drop(MonotonicNanos since);
  // Whether an older request is expected to come for `lock`. One load when nobody was put aside.
  bool HasOlder(uint32_t lock, MonotonicNanos since) { return !empty() && FindOlder(lock, since); }
  bool empty() const { return count_.load(std::memory_order_relaxed) == 0; }

  // Makes the threads that put requests aside try them again. Set once, before any thread locks.
  void SetWaker(std::function<void()> waker) { waker_ = std::move(waker); }
  // After something was released that was held for long. Nothing is held.
  void Wake() const {
    if (!empty() && waker_) waker_();
  }

 private:
  struct Claim {
    uint32_t lock;
    MonotonicNanos since;  // tells requests apart, nearly always
    MonotonicNanos refreshed;
  };

  bool FindOlder(uint32_t lock, MonotonicNanos since);

  Mutex mutex_;
  std::vector<Claim> claims_ GUARDED_BY(mutex_);
  std::atomic<uint32_t> count_{0};  // publishes nothing but itself
  std::function<void()> waker_;
};

}  // namespace mikura::engine
