// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/shard_lock.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>
#include <vector>

namespace mikura::engine {
namespace {

TEST(ShardLock, LetsOneHolderInAtATime) NO_THREAD_SAFETY_ANALYSIS {
  constexpr int kThreads = 4;
  constexpr int kRounds = 20000;
  ShardLock lock;
  int64_t counter = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&]() NO_THREAD_SAFETY_ANALYSIS {
      for (int i = 0; i < kRounds; ++i) {
        lock.Lock();
        counter = counter + 1;
        lock.Unlock();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, int64_t{kThreads} * kRounds);
  EXPECT_FALSE(lock.IsHeld());
}

TEST(ShardLock, HandsOverToAWaiterEvenWhenTheHolderComesBackAtOnce) NO_THREAD_SAFETY_ANALYSIS {
  ShardLock lock;
  std::atomic<bool> done{false};  // tells the greedy thread that the waiter had its turn
  lock.Lock();
  std::thread waiter([&]() NO_THREAD_SAFETY_ANALYSIS {
    lock.Lock();
    done.store(true);
    lock.Unlock();
  });
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done.load() && std::chrono::steady_clock::now() < limit) {
    // Holds for long enough that a waiter loses its patience, and relocks with no gap.
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    while (std::chrono::steady_clock::now() < until) {
    }
    lock.Unlock();
    lock.Lock();
  }
  EXPECT_TRUE(done.load());
  lock.Unlock();
  waiter.join();
}

TEST(ShardLock, SeveralLocksTakenInOrderKeepATransferWhole) NO_THREAD_SAFETY_ANALYSIS {
  std::array<ShardLock, 3> locks;
  std::array<int64_t, 3> balance{1000, 1000, 1000};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t]() NO_THREAD_SAFETY_ANALYSIS {
      uint64_t seed = static_cast<uint64_t>(t) + 1;
      for (int i = 0; i < 20000; ++i) {
        seed = seed * 6364136223846793005u + 1;
        size_t a = (seed >> 33) % 3;
        size_t b = (a + 1 + (seed >> 40) % 2) % 3;
        const size_t low = std::min(a, b);
        const size_t high = std::max(a, b);
        locks[low].Lock();
        locks[high].Lock();
        balance[a] -= 1;
        balance[b] += 1;
        locks[high].Unlock();
        locks[low].Unlock();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(balance[0] + balance[1] + balance[2], 3000);
}

TEST(ShardLock, AWaiterWithPatienceGivesUpAndLeavesTheLockUsable) NO_THREAD_SAFETY_ANALYSIS {
  ShardLock lock;
  lock.Lock();
  std::thread waiter([&]() NO_THREAD_SAFETY_ANALYSIS {
    EXPECT_FALSE(lock.LockFor(std::chrono::microseconds(500)));
  });
  waiter.join();
  lock.Unlock();
  EXPECT_FALSE(lock.IsHeld());
  ASSERT_TRUE(lock.LockFor(std::chrono::microseconds(500)));
  lock.Unlock();
}

TEST(ShardLock, WaitersThatGiveUpLoseNoOneElsesTurn) NO_THREAD_SAFETY_ANALYSIS {
  constexpr int kThreads = 4;
  constexpr int kRounds = 5000;
  ShardLock lock;
  int64_t counter = 0;
  std::atomic<int64_t> entered{0};  // relaxed count, compared after the threads have ended
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t]() NO_THREAD_SAFETY_ANALYSIS {
      for (int i = 0; i < kRounds; ++i) {
        if (t % 2 == 0) {
          lock.Lock();
        } else if (!lock.LockFor(std::chrono::microseconds(i % 3))) {
          continue;
        }
        counter = counter + 1;
        entered.fetch_add(1, std::memory_order_relaxed);
        lock.Unlock();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, entered.load());
  EXPECT_GE(counter, int64_t{kThreads / 2} * kRounds);
  EXPECT_FALSE(lock.IsHeld());
}

}  // namespace
}  // namespace mikura::engine
