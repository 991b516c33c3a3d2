// SPDX-License-Identifier: Apache-2.0
#include "engine/server/computation_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>

namespace mikura::engine {
namespace {

// Counts what is done, and lets the test wait for it.
class Told {
 public:
  void Note(uint64_t client) {
    MutexLock lock(mutex_);
    ++times_[client];
    ++total_;
    changed_.NotifyAll();
  }
  void WaitFor(size_t total) {
    MutexLock lock(mutex_);
    while (total_ < total) changed_.Wait(mutex_);
  }
  int times(uint64_t client) {
    MutexLock lock(mutex_);
    return times_[client];
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  size_t total_ GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, int> times_ GUARDED_BY(mutex_);
};

struct Counted final : Computation {
  void Compute() override { ++runs; }
  int runs = 0;
};

// Ends when it is let go.
struct Held final : Computation {
  void Compute() override {
    begun.store(true);
    begun.notify_all();
    let_go.wait(false);
  }
  std::atomic<bool> begun{false};
  std::atomic<bool> let_go{false};
};

TEST(ComputationThreads, RunEachOnceAndTellItsClient) {
  constexpr uint64_t kMany = 500;
  Told told;
  ComputationThreads threads([&](uint64_t client) { told.Note(client); });
  std::vector<std::shared_ptr<Counted>> all;
  for (uint64_t i = 0; i < kMany; ++i) {
    all.push_back(std::make_shared<Counted>());
    threads.Start(all.back(), i);
  }
  told.WaitFor(kMany);
  for (uint64_t i = 0; i < kMany; ++i) {
    EXPECT_TRUE(all[i]->is_done());
    EXPECT_EQ(all[i]->runs, 1);
    EXPECT_EQ(told.times(i), 1);
  }
}

TEST(ComputationThreads, OneThatTakesLongDoesNotHoldUpOthers) {
  Told told;
  ComputationThreads threads([&](uint64_t client) { told.Note(client); });
  const auto held = std::make_shared<Held>();
  threads.Start(held, 1);
  held->begun.wait(false);
  threads.Start(std::make_shared<Counted>(), 2);
  told.WaitFor(1);
  EXPECT_EQ(told.times(2), 1);
  EXPECT_FALSE(held->is_done());
  held->let_go.store(true);
  held->let_go.notify_all();
  told.WaitFor(2);
  EXPECT_TRUE(held->is_done());
}

TEST(ComputationThreads, WhatIsAbandonedIsNotComputed) {
  Told told;
  ComputationThreads threads([&](uint64_t client) { told.Note(client); });
  const auto abandoned = std::make_shared<Counted>();
  abandoned->Abandon();
  threads.Start(abandoned, 1);
  told.WaitFor(1);
  EXPECT_EQ(abandoned->runs, 0);
}

TEST(ComputationThreads, AfterTheirEndNothingIsBegun) {
  Told told;
  ComputationThreads threads([&](uint64_t client) { told.Note(client); });
  threads.Stop();
  const auto late = std::make_shared<Counted>();
  threads.Start(late, 1);
  EXPECT_FALSE(late->is_done());
  EXPECT_EQ(late.use_count(), 1);
}

}  // namespace
}  // namespace mikura::engine
