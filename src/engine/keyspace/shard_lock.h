// SPDX-License-Identifier: Apache-2.0
// The lock of one shard: one compare-and-set when free, no starvation when not.
//
// K1. A thread spins for about a microsecond, then lines up, oldest request first, and sleeps.
// K2. An unlock wakes the head of the line, which takes the lock if nobody was faster; a head that
//     is older than kHandOverAfter gets it handed over, so each wait is bounded.
// K3. The lock is handed only to a thread that waits for it at that moment: whoever is in line is,
//     and leaving the line tells whether it was handed over just then.
// K4. The holder of the script token stands before the line, and its wish is a bit in the word
//     (kReserved): nobody else takes the lock, and an owner that waits elsewhere sees it.
//
// The word is changed by compare-and-set from kFree and kHeld, and else under kLine, which guards
// the line; only the owner may set kSlow beside that.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/thread_annotations.h"

namespace mikura::engine {

// Nanoseconds of the monotonic clock, of which ages and limits of waiting are.
MonotonicNanos LockNow();

// Asked while a thread waits, on that thread.
class WaitWatch {
 public:
  virtual ~WaitWatch() = default;
  virtual bool MustLetGo() const = 0;
};

struct LockWait {
  static constexpr MonotonicNanos kForEver = INT64_MAX;

  MonotonicNanos since;             // when the request first wanted it: its place in line
  MonotonicNanos until = kForEver;  // gives up then
  bool is_holder = false;           // of the script token
  const WaitWatch* watch = nullptr;
};

class CAPABILITY("shard lock") ShardLock {
 public:
  ShardLock() = default;
  ShardLock(const ShardLock&) = delete;
  ShardLock& operator=(const ShardLock&) = delete;

  // Waits for as long as it takes: for threads of their own that hold nothing.
  void Lock() ACQUIRE() {
    if (__builtin_expect(!TryLock(), 0)) LockFor({.since = LockNow()});
  }
  bool TryLock() TRY_ACQUIRE(true) {
    uint32_t expected = kFree;
    return word_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire);
  }
  // The same for the holder of the token, or for somebody else.
  bool TryLockAs(bool is_holder) TRY_ACQUIRE(true) {
    uint32_t expected = kFree;
    return word_.compare_exchange_strong(expected, StateOf(is_holder), std::memory_order_acquire);
  }
  // False: it is not locked, since the time was up or the watch said so.
  bool LockFor(const LockWait& wait) TRY_ACQUIRE(true) NO_THREAD_SAFETY_ANALYSIS;
  void Unlock() RELEASE() {
    uint32_t expected = kHeld;
    if (__builtin_expect(!word_.compare_exchange_strong(expected, kFree, std::memory_order_release),
                         0)) {
      UnlockSlow();
    }
  }

  // ---- Relaxed looks, which publish nothing.
  bool IsHeld() const { return Has(kHeld); }
  // The holder of the token waits for it.
  bool is_reserved() const { return Has(kReserved); }
  // The holder of the token has it.
  bool is_with_holder() const { return Has(kWithHolder); }
  // Its owner has run for longer than busy-reply-threshold: whoever wants it is told so.
  bool is_slow() const { return Has(kSlow); }
  // By its owner; until it unlocks.
  void MarkSlow() { word_.fetch_or(kSlow, std::memory_order_relaxed); }

 private:
  struct Waiter;

  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kWaiters = 2;  // the line is not empty
  static constexpr uint32_t kReserved = 4;
  static constexpr uint32_t kWithHolder = 8;
  static constexpr uint32_t kSlow = 16;
  static constexpr uint32_t kLine = 32;  // somebody changes the line: some dozen instructions

  static constexpr uint32_t StateOf(bool is_holder) {
    return kHeld | (is_holder ? kWithHolder : 0);
  }
  bool Has(uint32_t bit) const { return (word_.load(std::memory_order_relaxed) & bit) != 0; }
  bool Spin(const LockWait& wait);
  // ---- The line.
  void LockLine();
  void UnlockLine();
  void Insert(Waiter& waiter);
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

}  // namespace mikura::engine
