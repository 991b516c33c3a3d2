// SPDX-License-Identifier: Apache-2.0
// All who lock shards at once: single commands, collectors, scripts that take shards in any order,
// gates, and those who give up and come again. Meant for the thread sanitizer too.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "engine/keyspace/keyspace.h"

namespace mikura::engine {
namespace {

using Seconds = std::chrono::duration<double>;

// Few, so that everybody meets everybody.
constexpr uint32_t kShards = 4;
constexpr int64_t kStart = 1000;
constexpr double kWaitMax = 5.0;

class Locking : public testing::Test {
 protected:
  using Random = std::minstd_rand;
  // One request, which may be put aside: false then.
  using Request = std::function<bool(Random& random)>;

  Locking() : keyspace_(std::move(Keyspace::Create({})).value()) { balances_.fill(kStart); }

  static uint32_t Some(Random& random) { return static_cast<uint32_t>(random() % kShards); }
  // What a command does: takes from one shard, gives to another; both are locked.
  void Move(uint32_t from, uint32_t to) {
    balances_[from] -= 1;
    std::this_thread::yield();
    balances_[to] += 1;
  }

  bool Single(Random& random) NO_THREAD_SAFETY_ANALYSIS {
    const uint32_t shard = Some(random);
    if (!keyspace_->lock(shard).LockFor(Keyspace::kPatience)) return false;
    Move(shard, shard);
    keyspace_->lock(shard).Unlock();
    return true;
  }
  bool Collector(Random& random) {
    const uint32_t from = Some(random);
    const uint32_t to = Some(random);
    const ShardSet shards = ShardSet().set(from).set(to);
    if (!keyspace_->LockShardsFor(shards, Keyspace::kPatience)) return false;
    Move(from, to);
    keyspace_->UnlockShards(shards);
    return true;
  }
  // Changes a shard that it declared, and goes on to others in any order.
  bool Script(Random& random) NO_THREAD_SAFETY_ANALYSIS {
    if (!keyspace_->script_token().EnterFor(Keyspace::kPatience)) return false;
    uint32_t at = Some(random);
    ShardSet held = ShardSet().set(at);
    keyspace_->LockShards(held);
    for (int i = 0; i < 6; ++i) {
      const uint32_t next = Some(random);
      if (!held.test(next)) keyspace_->lock(next).Lock();
      held.set(next);
      Move(at, next);
      at = next;
    }
    keyspace_->UnlockShards(held);
    keyspace_->script_token().Leave();
    return true;
  }
  bool Gate(Random&) {
    keyspace_->WithGate({}, [&] {
      int64_t sum = 0;
      for (const int64_t balance : balances_) sum += balance;
      EXPECT_EQ(sum, kStart * kShards);
    });
    return true;
  }

  // Each thread runs requests of its kind until the time is over, again when put aside; returns
  // what the one that waited longest waited for, in seconds.
  double RunAll(const std::vector<Request>& kinds, Seconds duration) {
    const auto end = std::chrono::steady_clock::now() + duration;
    std::vector<double> longest(kinds.size());
    std::vector<int64_t> done(kinds.size());
    std::vector<std::thread> threads;
    for (size_t t = 0; t < kinds.size(); ++t) {
      threads.emplace_back([&, t] {
        Random random(static_cast<uint32_t>(t) + 1);
        for (auto start = std::chrono::steady_clock::now(); start < end;) {
          while (!kinds[t](random)) {
          }
          const auto now = std::chrono::steady_clock::now();
          longest[t] = std::max(longest[t], Seconds(now - start).count());
          ++done[t];
          start = now;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const int64_t count : done) EXPECT_GT(count, 0);
    return *std::max_element(longest.begin(), longest.end());
  }

  std::unique_ptr<Keyspace> keyspace_;
  std::array<int64_t, kShards> balances_;  // each guarded by its shard's lock
};

TEST_F(Locking, EverybodyGetsThroughAndNobodySeesHalfOfAnything) {
  const auto single = [this](Random& random) { return Single(random); };
  const auto collector = [this](Random& random) { return Collector(random); };
  const auto script = [this](Random& random) { return Script(random); };
  const auto gate = [this](Random& random) { return Gate(random); };
  EXPECT_LT(RunAll({single, single, collector, collector, script, script, gate}, Seconds(1.5)),
            kWaitMax);
  int64_t sum = 0;
  for (const int64_t balance : balances_) sum += balance;
  EXPECT_EQ(sum, kStart * kShards);
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    EXPECT_FALSE(keyspace_->lock(shard).IsHeld());
  }
}

// A script that runs for long in one shard: who wants that shard is put aside, who wants others is
// served, and a collector of both keeps nobody else waiting.
TEST_F(Locking, WhoDoesNotNeedTheShardsOfAScriptGoesOn) NO_THREAD_SAFETY_ANALYSIS {
  keyspace_->script_token().Enter();
  keyspace_->LockShards(ShardSet().set(1));
  std::thread others([this]() NO_THREAD_SAFETY_ANALYSIS {
    EXPECT_FALSE(keyspace_->lock(1).LockFor(Keyspace::kPatience));
    EXPECT_FALSE(keyspace_->LockShardsFor(ShardSet().set(0).set(1), Keyspace::kPatience));
    EXPECT_FALSE(keyspace_->lock(0).IsHeld());
    EXPECT_FALSE(keyspace_->script_token().EnterFor(Keyspace::kPatience));
    EXPECT_TRUE(keyspace_->LockShardsFor(ShardSet().set(0).set(2), Keyspace::kPatience));
    keyspace_->UnlockShards(ShardSet().set(0).set(2));
  });
  others.join();
  keyspace_->UnlockShards(ShardSet().set(1));
  keyspace_->script_token().Leave();
}

}  // namespace
}  // namespace mikura::engine
