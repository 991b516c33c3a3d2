// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/waiter_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace mikura::engine {
namespace {

constexpr UnixMillis kNow = 1;

// Waits for a string, takes it away, and, with a target, stores it there.
class Taker final : public Waiter {
 public:
  Taker(std::span<const Key> keys, const Key* target = nullptr) : Waiter(0, keys, target) {}

  bool IsReady(KeyAccess& keys, const Key& key) override {
    return static_cast<bool>(keys.Find(key));
  }
  void Serve(KeyAccess& keys, const Key& key) override {
    taken = std::string(keys.Find(key).entry.value());
    EXPECT_TRUE(keys.Erase(key));
    keys.effects().Add(0, {"DEL", key.name});
    if (!target()) return;
    EXPECT_TRUE(keys.SetString(*target(), taken, {}).ok());
    keys.effects().Add(0, {"SET", target()->name, taken});
  }
  void Deliver() override { delivered.fetch_add(1); }

  std::string taken;
  std::atomic<int> delivered{0};
};

class Waiters : public testing::Test {
 protected:
  Waiters() : keyspace_(std::move(Keyspace::Create({})).value()) {}

  Key KeyOf(std::string_view name) const { return keyspace_->hasher()(name); }

  std::shared_ptr<Taker> Wait(std::vector<Key> keys, const Key* target = nullptr) {
    auto taker = std::make_shared<Taker>(keys, target);
    if (target != nullptr) keys.push_back(*target);
    Run(keys, [&](KeyAccess&) { keyspace_->waiters().Add(taker); });
    return taker;
  }
  template <typename Work>
  void Run(const std::vector<Key>& keys, const Work& work) {
    ShardSet shards;
    for (const Key& key : keys) shards.set(key.shard());
    Effects effects;
    KeyAccess access(*keyspace_, effects, 0, {kNow, true});
    keyspace_->RunLocked(shards, keys, kNow, effects, [&] {
      work(access);
      return true;
    });
  }
  void Set(std::string_view name, std::string_view value) {
    const Key key = KeyOf(name);
    Run({key}, [&](KeyAccess& access) { EXPECT_TRUE(access.SetString(key, value, {}).ok()); });
  }
  bool Exists(std::string_view name) {
    const Key key = KeyOf(name);
    bool exists = false;
    Run({key}, [&](KeyAccess& access) { exists = static_cast<bool>(access.Peek(key)); });
    return exists;
  }
  bool IsObserved(std::string_view name) {
    return keyspace_->IsObserved(KeyOf(name).shard(), KeyObserverKind::kWaiters);
  }

  std::unique_ptr<Keyspace> keyspace_;
};

TEST_F(Waiters, TheFirstInLineGetsWhatComes) {
  const auto first = Wait({KeyOf("k")});
  const auto second = Wait({KeyOf("k")});
  Set("k", "1");
  EXPECT_EQ(first->taken, "1");
  EXPECT_EQ(first->delivered, 1);
  EXPECT_EQ(second->state(), Waiter::State::kWaiting);
  EXPECT_FALSE(Exists("k"));
  Set("k", "2");
  EXPECT_EQ(second->taken, "2");
  Set("k", "3");
  EXPECT_TRUE(Exists("k"));
}

TEST_F(Waiters, OneThatHasEndedIsPassedOver) {
  const auto first = Wait({KeyOf("k")});
  const auto second = Wait({KeyOf("k")});
  EXPECT_TRUE(first->End(Waiter::State::kTimedOut));
  EXPECT_FALSE(first->End(Waiter::State::kUnblocked));
  Set("k", "1");
  EXPECT_EQ(first->taken, "");
  EXPECT_EQ(first->delivered, 0);
  EXPECT_EQ(second->taken, "1");
}

TEST_F(Waiters, OneOfManyKeysIsEnoughAndNothingIsLeftBehind) {
  const auto taker = Wait({KeyOf("a"), KeyOf("b"), KeyOf("c")});
  Set("b", "1");
  EXPECT_EQ(taker->taken, "1");
  EXPECT_FALSE(IsObserved("b"));
  EXPECT_TRUE(IsObserved("a"));
  keyspace_->waiters().Retire(taker);
  EXPECT_FALSE(IsObserved("a"));
  EXPECT_FALSE(IsObserved("c"));
}

TEST_F(Waiters, WhatABusyShardKeepsIsRemovedLater) NO_THREAD_SAFETY_ANALYSIS {
  const auto taker = Wait({KeyOf("a"), KeyOf("b")});
  EXPECT_TRUE(taker->End(Waiter::State::kGone));
  keyspace_->lock(KeyOf("b").shard()).Lock();
  keyspace_->waiters().Retire(taker);
  keyspace_->lock(KeyOf("b").shard()).Unlock();
  EXPECT_FALSE(IsObserved("a"));
  EXPECT_TRUE(IsObserved("b"));
  keyspace_->waiters().Tend();
  EXPECT_FALSE(IsObserved("b"));
}

TEST_F(Waiters, ATargetInAnotherShardIsPartOfTheSameStep) {
  const Key target = KeyOf("target");
  const auto mover = Wait({KeyOf("source")}, &target);
  const Key source = KeyOf("source");
  ASSERT_NE(source.shard(), target.shard());
  Run({source}, [&](KeyAccess& access) {
    // Nobody else can be there: it is locked before anything is changed.
    EXPECT_FALSE(keyspace_->lock(target.shard()).TryLock());
    EXPECT_TRUE(access.SetString(source, "x", {}).ok());
  });
  EXPECT_EQ(mover->taken, "x");
  EXPECT_FALSE(Exists("source"));
  EXPECT_TRUE(Exists("target"));
}

TEST_F(Waiters, TargetsFormChains) {
  const Key b = KeyOf("b");
  const Key c = KeyOf("c");
  const Key d = KeyOf("d");
  const auto first = Wait({KeyOf("a")}, &b);
  const auto second = Wait({b}, &c);
  const auto third = Wait({c}, &d);
  Set("a", "x");
  EXPECT_EQ(third->taken, "x");
  EXPECT_EQ(third->delivered, 1);
  EXPECT_TRUE(Exists("d"));
  EXPECT_FALSE(Exists("a") || Exists("b") || Exists("c"));
}

TEST_F(Waiters, TargetsMayFormACircle) {
  const Key a = KeyOf("a");
  const Key b = KeyOf("b");
  const auto forth = Wait({a}, &b);
  const auto back = Wait({b}, &a);
  Set("a", "x");
  EXPECT_EQ(forth->taken, "x");
  EXPECT_EQ(back->taken, "x");
  EXPECT_TRUE(Exists("a"));
}

TEST_F(Waiters, DatabasesThatAreExchangedBringWhatIsWaitedFor) {
  const auto taker = Wait({KeyOf("k")});
  Effects effects;
  const Key key = KeyOf("k");
  KeyAccess other(*keyspace_, effects, 1, {kNow, true});
  keyspace_->RunLocked(key, kNow, effects, [&] {
    EXPECT_TRUE(other.SetString(key, "far", {}).ok());
    return true;
  });
  EXPECT_EQ(taker->taken, "");
  keyspace_->SwapDatabases(0, 1, effects, kNow);
  EXPECT_EQ(taker->taken, "far");
  EXPECT_EQ(taker->delivered, 1);
}

TEST_F(Waiters, NothingIsLostOrDoubledAmongThreads) {
  constexpr int kRounds = 3000;
  constexpr int kKeys = 4;
  std::vector<Key> keys;
  const std::string names[kKeys] = {"a", "b", "c", "d"};
  for (const std::string& name : names) keys.push_back(KeyOf(name));
  std::atomic<int> stored{0};
  std::atomic<int> taken{0};
  std::atomic<bool> stop{false};
  const auto take = [&](int seed) {
    for (int i = 0; i < kRounds; ++i) {
      const Key& key = keys[static_cast<size_t>((seed + i) % kKeys)];
      const auto taker = std::make_shared<Taker>(std::span<const Key>(&key, 1));
      bool waits = false;
      Run({key}, [&](KeyAccess& access) {
        if (access.Erase(key)) {
          taken.fetch_add(1);
          return;
        }
        keyspace_->waiters().Add(taker);
        waits = true;
      });
      if (!waits) continue;
      if (i % 3 == 0) std::this_thread::yield();
      if (!taker->End(Waiter::State::kTimedOut)) {
        while (taker->delivered == 0) std::this_thread::yield();
        EXPECT_EQ(taker->taken, "x");
        taken.fetch_add(1);
      }
      keyspace_->waiters().Retire(taker);
    }
  };
  const auto store = [&] {
    while (!stop) {
      for (const Key& key : keys) {
        Run({key}, [&](KeyAccess& access) {
          if (access.Peek(key)) return;
          EXPECT_TRUE(access.SetString(key, "x", {}).ok());
          stored.fetch_add(1);
        });
      }
    }
  };
  std::thread takers[] = {std::thread(take, 0), std::thread(take, 1), std::thread(take, 2)};
  std::thread storer(store);
  for (std::thread& thread : takers) thread.join();
  stop = true;
  storer.join();
  keyspace_->waiters().Tend();
  int left = 0;
  for (const std::string& name : names) left += Exists(name) ? 1 : 0;
  EXPECT_EQ(stored, taken + left);
  for (const std::string& name : names) EXPECT_FALSE(IsObserved(name));
}

}  // namespace
}  // namespace mikura::engine
