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

}  // namespace

MonotonicNanos LockNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

struct ShardLock::Waiter {
  explicit Waiter(const LockWait& wait) : since(wait.since), is_holder(wait.is_holder) {}

  Waiter* next = nullptr;
  const MonotonicNanos since;
  const bool is_holder;
  // Of Signal. Set under kLine, slept on; the release with kGranted publishes the shard's data.
  std::atomic<uint32_t> signal{kSleep};
};

bool ShardLock::Spin(const LockWait& wait) {
  const uint32_t taken = StateOf(wait.is_holder);
  for (int i = 0; i < kSpins; ++i) {
    uint32_t word = word_.load(std::memory_order_relaxed);
    const bool may_take = (word & (kHeld | kLine)) == 0;
    if (may_take && word_.compare_exchange_weak(word, word | taken, std::memory_order_acquire)) {
      return true;
    }
    // A long wait is none to spin for.
    if ((word & (kWithHolder | kSlow)) != 0) return false;
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

// Behind those that are as old; the holder in front of all.
void ShardLock::Insert(Waiter& waiter) {
  Waiter** place = &head_;
  while (!waiter.is_holder && *place != nullptr &&
         ((*place)->is_holder || (*place)->since <= waiter.since)) {
    place = &(*place)->next;
  }
  waiter.next = *place;
  *place = &waiter;
}

void ShardLock::Erase(const Waiter& waiter) {
  Waiter** place = &head_;
  while (*place != &waiter) place = &(*place)->next;
  *place = waiter.next;
}

// Sets the whole word under kLine, of a lock that is free or owned by the caller; kLine stays.
void ShardLock::SetState(uint32_t state) {
  if (head_ != nullptr) state |= kWaiters | (head_->is_holder ? kReserved : 0);
  word_.store(state | kLine, std::memory_order_relaxed);
}

// True when it was free, and is the waiter's now.
bool ShardLock::TakeOrLineUp(Waiter& waiter) {
  LockLine();
  const bool is_free = !IsHeld();
  if (is_free) {
    SetState(StateOf(waiter.is_holder));
  } else {
    Insert(waiter);
    word_.fetch_or(kWaiters | (waiter.is_holder ? kReserved : 0), std::memory_order_relaxed);
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
    SetState(StateOf(waiter.is_holder));
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
  uint32_t gone = waiter.is_holder ? kReserved : 0;
  if (head_ == nullptr) gone |= kWaiters;
  word_.fetch_and(~gone, std::memory_order_relaxed);
  // A wake-up that it got is the next one's.
  Waiter* const next = IsHeld() ? nullptr : head_;
  if (next != nullptr) next->signal.store(kTry, std::memory_order_relaxed);
  UnlockLine();
  if (next != nullptr) FutexWakeOne(&next->signal);
  return true;
}

bool ShardLock::LockFor(const LockWait& wait) {
  if (Spin(wait)) return true;
  Waiter waiter(wait);
  if (TakeOrLineUp(waiter)) return true;
  while (true) {
    const uint32_t signal = waiter.signal.load(std::memory_order_acquire);
    if (signal == kGranted) return true;
    if (signal == kTry && TakeFromLine(waiter)) return true;
    // After lining up: whoever is told something from now on does not wait in vain.
    const MonotonicNanos now = LockNow();
    if (now >= wait.until || (wait.watch != nullptr && wait.watch->MustLetGo())) {
      return !Leave(waiter);
    }
    FutexWait(&waiter.signal, kSleep, std::min(wait.until - now, kSecond));
  }
}

void ShardLock::UnlockSlow() {
  LockLine();
  DCHECK(IsHeld());
  Waiter* const head = head_;
  bool must_wake = false;
  if (head == nullptr) {
    SetState(kFree);
  } else if (head->is_holder || LockNow() - head->since >= kHandOverAfter) {
    head_ = head->next;
    SetState(StateOf(head->is_holder));
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
