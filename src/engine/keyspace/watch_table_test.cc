// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/watch_table.h"

#include <gtest/gtest.h>

#include "engine/keyspace/key_access.h"

namespace mikura::engine {
namespace {

class Watching : public testing::Test {
 protected:
  Watching() : keyspace_(std::move(Keyspace::Create({})).value()) {}
  ~Watching() override { Forget(); }

  Key KeyOf(std::string_view name) const { return keyspace_->hasher()(name); }

  template <typename Work>
  void With(std::string_view name, const Work& work) {
    const Key key = KeyOf(name);
    KeyAccess access(*keyspace_, effects_, 0, {now_, true});
    keyspace_->RunLocked(key, now_, effects_, [&] {
      work(access, key);
      return true;
    });
  }
  void Set(std::string_view name, UnixMillis deadline = store::kNoDeadline) {
    With(name, [&](KeyAccess& access, const Key& key) {
      store::Attributes attributes;
      attributes.deadline = deadline;
      EXPECT_TRUE(access.SetString(key, "v", attributes).ok());
    });
  }
  void Watch(std::string_view name) {
    if (watcher_ == nullptr) watcher_ = std::make_unique<Watcher>();
    With(name, [&](KeyAccess& access, const Key& key) {
      keyspace_->watches().Add(*watcher_, 0, key, static_cast<bool>(access.Peek(key)));
    });
  }
  bool HasChanged() NO_THREAD_SAFETY_ANALYSIS {
    ShardSet shards;
    watcher_->AddShards(shards);
    keyspace_->LockShards(shards);
    const bool changed = keyspace_->watches().HasChanged(*watcher_, {now_, true});
    keyspace_->UnlockShards(shards);
    return changed;
  }
  void Forget() {
    if (watcher_ != nullptr) keyspace_->watches().Retire(std::move(watcher_));
  }
  bool IsObserved(std::string_view name) {
    return keyspace_->IsObserved(KeyOf(name).shard(), KeyObserverKind::kWatch);
  }

  std::unique_ptr<Keyspace> keyspace_;
  Effects effects_;
  std::unique_ptr<Watcher> watcher_;
  UnixMillis now_ = 1000;
};

TEST_F(Watching, OnlyChangesOfWatchedKeysCount) {
  Watch("a");
  Watch("b");
  Set("c");
  EXPECT_FALSE(HasChanged());
  Set("b");
  EXPECT_TRUE(HasChanged());
}

TEST_F(Watching, AnExpiryIsAChangeOfAKeyThatWasThere) {
  Set("k", 2000);
  Watch("k");
  now_ = 1999;
  EXPECT_FALSE(HasChanged());
  now_ = 2000;
  EXPECT_TRUE(HasChanged());
}

TEST_F(Watching, AKeyThatHadExpiredIsAbsentAndStaysSo) {
  Set("k", 2000);
  now_ = 3000;
  Watch("k");
  EXPECT_FALSE(HasChanged());
  keyspace_->FlushAll(effects_, now_);
  EXPECT_FALSE(HasChanged());
}

TEST_F(Watching, AFlushChangesTheKeysThatWereThere) {
  Watch("absent");
  keyspace_->FlushDatabase(0, effects_, now_);
  EXPECT_FALSE(HasChanged());
  Set("present");
  Watch("present");
  keyspace_->FlushDatabase(1, effects_, now_);
  EXPECT_FALSE(HasChanged());
  keyspace_->FlushDatabase(0, effects_, now_);
  EXPECT_TRUE(HasChanged());
}

TEST_F(Watching, AKeyIsWatchedOnceHoweverOftenItIsNamed) {
  Watch("k");
  Watch("k");
  EXPECT_EQ(watcher_->key_count(), 1u);
  EXPECT_TRUE(IsObserved("k"));
  Forget();
  EXPECT_FALSE(IsObserved("k"));
}

TEST_F(Watching, WhatABusyShardKeepsIsRemovedLater) NO_THREAD_SAFETY_ANALYSIS {
  Watch("a");
  Watch("b");
  keyspace_->lock(KeyOf("b").shard()).Lock();
  Forget();
  EXPECT_TRUE(IsObserved("b"));
  keyspace_->lock(KeyOf("b").shard()).Unlock();
  keyspace_->watches().Tend();
  EXPECT_FALSE(IsObserved("a"));
  EXPECT_FALSE(IsObserved("b"));
}

}  // namespace
}  // namespace mikura::engine
