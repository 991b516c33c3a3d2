// SPDX-License-Identifier: Apache-2.0
// What is done for shards between requests.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/check.h"
#include "engine/keyspace/keyspace.h"

namespace mikura::engine {
namespace {

constexpr UnixMillis kNow = 1'750'000'000'000;

class Maintenance : public testing::Test {
 protected:
  void Fill(int keys) {
    for (int i = 0; i < keys; ++i) {
      const std::string name = "key:" + std::to_string(i);
      const Key key = keyspace_->hasher()(name);
      ShardGuard guard(keyspace_->lock(key.shard()));
      CHECK(keyspace_->LockedShard(key.shard())
                .SetString(0, key, "v", {}, keyspace_->AccessAt(kNow))
                .ok());
    }
  }
  // How many turns it takes until none of the shards has more to do.
  int TurnsUntilDone(uint32_t first, uint32_t count) {
    for (int turns = 1; turns < 1000; ++turns) {
      if (!keyspace_->MaintainShards(first, count)) return turns;
    }
    return 1000;
  }

  std::unique_ptr<Keyspace> keyspace_ = Keyspace::Create({}).value();
};

TEST_F(Maintenance, ASmallTurnTellsThatTablesHaveMoreToGrow) {
  Fill(500'000);
  const int turns = TurnsUntilDone(0, kShardCount);
  EXPECT_GT(turns, 1);
  EXPECT_LT(turns, 1000);
  EXPECT_FALSE(keyspace_->MaintainShards(0, kShardCount));
}

TEST_F(Maintenance, ShardsOutsideThePieceAreNotTouched) {
  Fill(500'000);
  ASSERT_LT(TurnsUntilDone(0, kShardCount - 1), 1000);
  EXPECT_FALSE(keyspace_->MaintainShards(0, kShardCount - 1));
  // Wraps: the last shard, then the first one, which is done.
  EXPECT_LT(TurnsUntilDone(kShardCount - 1, 2), 1000);
}

TEST_F(Maintenance, AShardInUseIsLeftToALaterTurn) {
  Fill(500'000);
  {
    ShardGuard guard(keyspace_->lock(7));
    EXPECT_FALSE(keyspace_->MaintainShards(7, 1));
  }
  EXPECT_LT(TurnsUntilDone(7, 1), 1000);
}

}  // namespace
}  // namespace mikura::engine
