// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/shard_lock.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"

namespace mikura::engine {
namespace {

constexpr MonotonicNanos kHandOverAfter = 500'000;
constexpr int kSpins = 40;      // about a microsecond
constexpr int kLineSpins = 64;  // for the line, before the processor is given to somebody else
constexpr MonotonicNanos kSecond = 1'000'000'000;

// What a waiter is told.
enum Signal : uint32_t { kSleep, kTry, kGranted };

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

// Sleeps while `*word` is `expected`, for `nanos` at most.
void FutexWait(std::atomic<uint32_t>* word, uint32_t expected, MonotonicNanos nanos) {
  const timespec limit{.tv_sec = nanos / kSecond, .tv_nsec = nanos % kSecond};
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &limit, nullptr, 0);
}

// The word may be gone by now: then this wakes nobody.
void FutexWakeOne(std::atomic<uint32_t>* word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

MonotonicNanos LockNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

}  // namespace

struct ShardLock::Waiter {
  Waiter* next = nullptr;
  const MonotonicNanos since = LockNow();
  // Of Signal. Set under kLine, slept on; the release with kGranted publishes the shard's data.
  std::atomic<uint32_t> signal{kSleep};
};

bool ShardLock::Spin() {
  for (int i = 0; i < kSpins; ++i) {
    uint32_t word = word_.load(std::memory_order_relaxed);
    const bool may_take = (word & (kHeld | kLine)) == 0;
    if (may_take && word_.compare_exchange_weak(word, word | kHeld, std::memory_order_acquire)) {
      return true;
    }
    Pause();
  }
  return false;
}

void ShardLock::LockLine() {
  for (int i = 1;; ++i) {
    uint32_t word = word_.load(std::memory_order_relaxed);
    if ((word & kLine) == 0 &&
        word_.compare_exchange_weak(word, word | kLine, std::memory_order_acquire)) {
      return;
    }
    if (i % kLineSpins == 0) {
      sched_yield();
    } else {
      Pause();
    }
  }
}

void ShardLock::UnlockLine() { word_.fetch_and(~kLine, std::memory_order_release); }

void ShardLock::Append(Waiter& waiter) {
  Waiter** place = &head_;
  while (*place != nullptr) place = &(*place)->next;
  *place = &waiter;
}

void ShardLock::Erase(const Waiter& waiter) {
  Waiter** place = &head_;
  while (*place != &waiter) place = &(*place)->next;
  *place = waiter.next;
}

// Sets the whole word under kLine, of a lock that is free or owned by the caller; kLine stays.
void ShardLock::SetState(uint32_t state) {
  if (head_ != nullptr) state |= kWaiters;
  word_.store(state | kLine, std::memory_order_relaxed);
}

// True when it was free, and is the waiter's now.
bool ShardLock::TakeOrLineUp(Waiter& waiter) {
  LockLine();
  const bool is_free = !IsHeld();
  if (is_free) {
    SetState(kHeld);
  } else {
    Append(waiter);
    word_.fetch_or(kWaiters, std::memory_order_relaxed);
  }
  UnlockLine();
  return is_free;
}

// The same for one that is in line, and was told that the lock is free.
bool ShardLock::TakeFromLine(Waiter& waiter) {
  LockLine();
  const bool is_granted = waiter.signal.load(std::memory_order_acquire) == kGranted;
  const bool is_free = !is_granted && !IsHeld();
  if (is_free) {
    Erase(waiter);
    SetState(kHeld);
  } else if (!is_granted) {
    waiter.signal.store(kSleep, std::memory_order_relaxed);
  }
  UnlockLine();
  return is_free || is_granted;
}

// False when the lock was handed over meanwhile: it is the waiter's.
bool ShardLock::Leave(Waiter& waiter) {
  LockLine();
  if (waiter.signal.load(std::memory_order_acquire) == kGranted) {
    UnlockLine();
    return false;
  }
  Erase(waiter);
  if (head_ == nullptr) word_.fetch_and(~kWaiters, std::memory_order_relaxed);
  // A wake-up that it got is the next one's.
  Waiter* const next = IsHeld() ? nullptr : head_;
  if (next != nullptr) next->signal.store(kTry, std::memory_order_relaxed);
  UnlockLine();
  if (next != nullptr) FutexWakeOne(&next->signal);
  return true;
}

bool ShardLock::LockFor(std::chrono::nanoseconds patience) {
  return TryLock() || LockUntil(LockNow() + patience.count());
}

bool ShardLock::LockUntil(MonotonicNanos until) {
  if (Spin()) return true;
  Waiter waiter;
  if (TakeOrLineUp(waiter)) return true;
  while (true) {
    const uint32_t signal = waiter.signal.load(std::memory_order_acquire);
    if (signal == kGranted) return true;
    if (signal == kTry && TakeFromLine(waiter)) return true;
    const MonotonicNanos now = LockNow();
    if (now >= until) return !Leave(waiter);
    FutexWait(&waiter.signal, kSleep, std::min(until - now, kSecond));
  }
}

void ShardLock::UnlockSlow() {
  LockLine();
  DCHECK(IsHeld());
  Waiter* const head = head_;
  bool must_wake = false;
  if (head == nullptr) {
    SetState(kFree);
  } else if (LockNow() - head->since >= kHandOverAfter) {
    head_ = head->next;
    SetState(kHeld);
    head->signal.store(kGranted, std::memory_order_release);
    must_wake = true;
  } else {
    SetState(kFree);
    must_wake = head->signal.exchange(kTry, std::memory_order_relaxed) != kTry;
  }
  UnlockLine();
  if (must_wake) FutexWakeOne(&head->signal);
}

}  // namespace mikura::engine
