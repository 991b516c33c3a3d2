// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/shard_lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>

#include "base/check.h"

namespace mikura::engine {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(1);
constexpr int kSpins = 40;  // about a microsecond

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

// Sleeps while `*word` is `expected`.
void FutexWait(std::atomic<uint32_t>* word, uint32_t expected) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

// The same for at most `time`, which is positive.
void FutexWaitFor(std::atomic<uint32_t>* word, uint32_t expected, std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  const timespec relative{seconds.count(), (time - seconds).count()};
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &relative, nullptr, 0);
}

void FutexWakeOne(std::atomic<uint32_t>* word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace

bool ShardLock::Spin() {
  for (int i = 0; i < kSpins; ++i) {
    uint32_t word = word_.load(std::memory_order_relaxed);
    const bool may_take = (word & kStateMask) == kFree && (word & kStarving) == 0;
    if (may_take && word_.compare_exchange_weak(word, word | kHeld, std::memory_order_acquire)) {
      return true;
    }
    Pause();
  }
  return false;
}

// Takes the lock for a counted waiter when `word` allows it.
bool ShardLock::TakeAsWaiter(uint32_t word) {
  const uint32_t state = word & kStateMask;
  if (state == kHeld) return false;
  uint32_t taken = (word & ~kStateMask) - kOneWaiter + kHeld;
  if (state == kHanded) taken &= ~kStarving;
  return word_.compare_exchange_strong(word, taken, std::memory_order_acquire);
}

void ShardLock::LockSlow() {
  if (Spin()) return;
  const auto start = std::chrono::steady_clock::now();
  uint32_t word = word_.fetch_add(kOneWaiter, std::memory_order_relaxed) + kOneWaiter;
  for (;;) {
    if (TakeAsWaiter(word)) return;
    word = word_.load(std::memory_order_relaxed);
    if ((word & kStateMask) != kHeld) continue;
    if ((word & kStarving) == 0 && std::chrono::steady_clock::now() - start > kPatience) {
      // Fails when the word changed: look again.
      if (!word_.compare_exchange_strong(word, word | kStarving, std::memory_order_relaxed))
        continue;
      word |= kStarving;
    }
    FutexWait(&word_, word);
    word = word_.load(std::memory_order_relaxed);
  }
}

bool ShardLock::LockSlowFor(std::chrono::microseconds patience) {
  if (Spin()) return true;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  uint32_t word = word_.fetch_add(kOneWaiter, std::memory_order_relaxed) + kOneWaiter;
  for (;;) {
    if (TakeAsWaiter(word)) return true;
    word = word_.load(std::memory_order_relaxed);
    if ((word & kStateMask) != kHeld) continue;
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left.count() <= 0) return LeaveWaiters();
    FutexWaitFor(&word_, word, left);
    word = word_.load(std::memory_order_relaxed);
  }
}

// Ceases to wait; true when the lock was released, or handed over, just then: it is ours.
bool ShardLock::LeaveWaiters() {
  uint32_t word = word_.load(std::memory_order_relaxed);
  for (;;) {
    if ((word & kStateMask) != kHeld) {
      if (TakeAsWaiter(word)) return true;
      word = word_.load(std::memory_order_relaxed);
      continue;
    }
    uint32_t next = word - kOneWaiter;
    if (next < kOneWaiter) next &= ~kStarving;
    if (word_.compare_exchange_weak(word, next, std::memory_order_relaxed)) return false;
  }
}

void ShardLock::UnlockSlow() {
  uint32_t word = word_.load(std::memory_order_relaxed);
  for (;;) {
    DCHECK((word & kStateMask) == kHeld);
    const uint32_t next_state = (word & kStarving) != 0 && word >= kOneWaiter ? kHanded : kFree;
    uint32_t next = (word & ~kStateMask) | next_state;
    if (word < kOneWaiter) next = kFree;
    if (word_.compare_exchange_weak(word, next, std::memory_order_release,
                                    std::memory_order_relaxed)) {
      if (next >= kOneWaiter) FutexWakeOne(&word_);
      return;
    }
  }
}

}  // namespace mikura::engine
