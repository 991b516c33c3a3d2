// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/durable_horizon.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace mikura::engine {
namespace {

using Source = DurableHorizon::Source;
using std::chrono::milliseconds;

constexpr Lsn kEverything = DurableHorizon::kEverything;

// Threads that sleep until they are woken.
class Sleepers {
 public:
  explicit Sleepers(uint32_t count) : woken_(count, false) {}

  void Wake(uint32_t sleeper) {
    {
      const std::lock_guard lock(mutex_);
      woken_[sleeper] = true;
      ++wakes_;
    }
    changed_.notify_all();
  }
  // False: nobody woke it in time.
  bool Sleep(uint32_t sleeper, milliseconds patience) {
    std::unique_lock lock(mutex_);
    const bool woken = changed_.wait_for(lock, patience, [&] { return woken_[sleeper]; });
    woken_[sleeper] = false;
    return woken;
  }
  int wakes() {
    const std::lock_guard lock(mutex_);
    return wakes_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> woken_;
  int wakes_ = 0;
};

// The mutant: looks before it says what it needs, and not again.
class OneLook : public DurableHorizon {
 public:
  using DurableHorizon::DurableHorizon;
  bool Await(uint32_t waiter, Lsn need) {
    if (durable() >= need) return false;
    if (between_) between_();
    Register(waiter, need);
    return true;
  }
  std::function<void()> between_;
};

TEST(DurableHorizon, IsTheMinimumOverTheSourcesThatAreOn) {
  DurableHorizon horizon(1, [](uint32_t) {});
  EXPECT_EQ(horizon.durable(), kEverything);
  horizon.Publish(Source::kLocalLog, 100);
  EXPECT_EQ(horizon.durable(), 100);
  horizon.Publish(Source::kReplicas, 40);
  EXPECT_EQ(horizon.durable(), 40);
  horizon.Publish(Source::kReplicas, 120);
  EXPECT_EQ(horizon.durable(), 100);
  horizon.Publish(Source::kLocalLog, kEverything);
  EXPECT_EQ(horizon.durable(), 120);
  horizon.Publish(Source::kReplicas, kEverything);
  EXPECT_EQ(horizon.durable(), kEverything);
}

TEST(DurableHorizon, WakesAWaiterOnceWhenItsNeedIsReached) {
  std::vector<uint32_t> woken;
  DurableHorizon horizon(2, [&](uint32_t waiter) { woken.push_back(waiter); });
  horizon.Publish(Source::kReplicas, 10);
  EXPECT_TRUE(horizon.Await(1, 20));
  horizon.Publish(Source::kReplicas, 19);
  EXPECT_TRUE(woken.empty());
  horizon.Publish(Source::kReplicas, 20);
  EXPECT_EQ(woken, std::vector<uint32_t>{1});
  horizon.Publish(Source::kReplicas, 30);
  EXPECT_EQ(woken.size(), 1u);
}

TEST(DurableHorizon, ASourceThatGoesOffReleasesWaiters) {
  std::vector<uint32_t> woken;
  DurableHorizon horizon(1, [&](uint32_t waiter) { woken.push_back(waiter); });
  horizon.Publish(Source::kReplicas, 10);
  ASSERT_TRUE(horizon.Await(0, 20));
  horizon.Publish(Source::kReplicas, kEverything);
  EXPECT_EQ(woken.size(), 1u);
}

TEST(DurableHorizon, WhatIsReachedIsNotAwaited) {
  DurableHorizon horizon(1, [](uint32_t) {});
  horizon.Publish(Source::kReplicas, 10);
  EXPECT_FALSE(horizon.Await(0, 10));
  EXPECT_TRUE(horizon.Await(0, 11));
}

TEST(DurableHorizon, NobodyIsWokenForWhatIsForgotten) {
  int wakes = 0;
  DurableHorizon horizon(1, [&](uint32_t) { ++wakes; });
  horizon.Publish(Source::kReplicas, 1);
  ASSERT_TRUE(horizon.Await(0, 2));
  horizon.Forget(0);
  horizon.Publish(Source::kReplicas, 3);
  EXPECT_EQ(wakes, 0);
}

// What the second look is for (H3), and that the tests would see it missing.
TEST(DurableHorizon, OneLookOnlySleepsForEver) {
  Sleepers sleepers(1);
  OneLook horizon(1, [&](uint32_t waiter) { sleepers.Wake(waiter); });
  horizon.Publish(Source::kReplicas, 1);
  horizon.between_ = [&] { horizon.Publish(Source::kReplicas, 5); };
  ASSERT_TRUE(horizon.Await(0, 5));
  EXPECT_FALSE(sleepers.Sleep(0, milliseconds(50)));
}

// Waiters that need one position after the other, and two sources that go on when all have passed
// the one before: each position is a race between its look and its publication. Returns how many
// waits nobody ended.
template <typename Horizon>
int LostWakes(Lsn rounds, milliseconds patience) {
  constexpr uint32_t kWaiters = 3;
  Sleepers sleepers(kWaiters);
  std::atomic<int> lost{0};
  std::atomic<Lsn> passed[kWaiters] = {};
  Horizon horizon(kWaiters, [&](uint32_t waiter) { sleepers.Wake(waiter); });
  horizon.Publish(Source::kReplicas, 0);
  horizon.Publish(Source::kLocalLog, 0);
  std::vector<std::thread> threads;
  for (uint32_t waiter = 0; waiter < kWaiters; ++waiter) {
    threads.emplace_back([&, waiter] {
      for (Lsn need = 1; need <= rounds && lost == 0; ++need) {
        while (horizon.Await(waiter, need)) {
          if (sleepers.Sleep(waiter, patience)) continue;
          ++lost;
          break;
        }
        passed[waiter] = need;
      }
    });
  }
  for (const Source source : {Source::kReplicas, Source::kLocalLog}) {
    threads.emplace_back([&, source] {
      for (Lsn lsn = 1; lsn <= rounds && lost == 0; ++lsn) {
        for (const auto& one : passed) {
          while (one < lsn - 1 && lost == 0) std::this_thread::yield();
        }
        horizon.Publish(source, lsn);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return lost;
}

TEST(DurableHorizon, LosesNoWakeUpAmongThreads) {
  EXPECT_EQ(LostWakes<DurableHorizon>(20'000, milliseconds(5000)), 0);
}

}  // namespace
}  // namespace mikura::engine
