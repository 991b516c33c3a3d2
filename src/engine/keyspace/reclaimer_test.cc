// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/reclaimer.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "engine/keyspace/keyspace.h"

namespace mikura::engine {
namespace {

constexpr int kManyKeys = 30'000;

class FlushOfManyKeys : public testing::Test {
 protected:
  void Fill() {
    for (int i = 0; i < kManyKeys; ++i) {
      const std::string name = std::to_string(i);
      const Key key = keyspace_->hasher()(name);
      ShardGuard guard(keyspace_->lock(key.shard()));
      ASSERT_TRUE(keyspace_->LockedShard(key.shard())
                      .SetString(0, key, std::string(100, 'v'), {}, keyspace_->AccessAt(0))
                      .ok());
    }
  }
  // Returns when the reclaimer has nothing left.
  void AwaitReclaimer() const {
    while (keyspace_->reclaimer().waiting_keys() != 0) std::this_thread::yield();
  }

  std::unique_ptr<Keyspace> keyspace_ = Keyspace::Create({}).value();
  Effects effects_;
};

TEST_F(FlushOfManyKeys, LeavesAnEmptyKeyspaceAtOnceAndFreesItAfterwards) {
  Fill();
  const int64_t full = keyspace_->gauge().ExactBytes();
  keyspace_->FlushAll(effects_);
  EXPECT_EQ(keyspace_->KeyCount(0), 0u);
  AwaitReclaimer();
  EXPECT_EQ(keyspace_->reclaimer().freed_keys(), static_cast<uint64_t>(kManyKeys));
  EXPECT_EQ(keyspace_->reclaimer().waiting_bytes(), 0);
  EXPECT_LT(keyspace_->gauge().ExactBytes(), full / 100);
}

TEST_F(FlushOfManyKeys, MayFollowAnother) {
  for (int round = 1; round <= 3; ++round) {
    Fill();
    keyspace_->FlushDatabase(0, effects_);
  }
  AwaitReclaimer();
  EXPECT_EQ(keyspace_->reclaimer().freed_keys(), 3u * kManyKeys);
}

TEST_F(FlushOfManyKeys, EndsWithTheKeyspace) {
  Fill();
  keyspace_->FlushAll(effects_);
  keyspace_.reset();  // the sanitizer would see what was left
}

TEST_F(FlushOfManyKeys, MakesNobodyEvictWhileItsMemoryIsNotFree) {
  Fill();
  const auto limit = static_cast<uint64_t>(keyspace_->gauge().ExactBytes() / 2);
  keyspace_->FlushAll(effects_);
  // Whether or not the reclaimer has come to an end.
  EXPECT_TRUE(keyspace_->MakeRoom(limit, {}, 0));
  AwaitReclaimer();
  EXPECT_TRUE(keyspace_->MakeRoom(limit, {}, 0));
}

}  // namespace
}  // namespace mikura::engine
