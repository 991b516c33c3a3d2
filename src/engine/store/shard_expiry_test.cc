// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/store/store_test_helpers.h"

namespace mikura::engine::store {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

// One step; true when nothing that is due was left.
bool Expire(TestShard& keys, size_t budget) {
  const UnixMillis now = keys.clock().NowMillis();
  EXPECT_LE(keys.shard().ExpireStep(now, budget), budget);
  return keys.shard().next_expiry() > now;
}

TEST(ShardExpiry, AKeyDisappearsAtItsDeadlineAndNotBefore) {
  TestShard keys;
  keys.Set("k", "v", 100ms);
  keys.clock().Advance(99ms);
  EXPECT_EQ(keys.Get("k"), "v");
  keys.clock().Advance(1ms);
  EXPECT_EQ(keys.Get("k"), std::nullopt);
  EXPECT_EQ(keys.expired(), Names{"0:k"});
  EXPECT_EQ(keys.shard().key_count(0), 0u);
  EXPECT_EQ(keys.shard().volatile_key_count(0), 0u);
  EXPECT_EQ(keys.shard().expired_total(), 1u);
}

TEST(ShardExpiry, AnUntouchedKeyIsRemovedWithin100MillisWhenStepsAreTakenOften) {
  for (const auto ttl : {1ms, 70ms, 900ms, 65000ms, 4000000ms}) {
    TestShard keys;
    keys.Set("k", "v", ttl);
    keys.clock().Advance(ttl - 1ms);
    EXPECT_TRUE(Expire(keys, 100));
    EXPECT_TRUE(keys.expired().empty());
    for (int i = 0; i < 4; ++i) {
      keys.clock().Advance(25ms);
      EXPECT_TRUE(Expire(keys, 100));
    }
    EXPECT_EQ(keys.expired(), Names{"0:k"});
  }
}

TEST(ShardExpiry, AReplicaHidesAnExpiredKeyButKeepsIt) {
  TestShard keys;
  keys.may_expire = false;
  keys.Set("k", "v", 10ms);
  keys.clock().Advance(10ms);
  EXPECT_EQ(keys.Get("k"), std::nullopt);
  EXPECT_FALSE(keys.Erase("k"));
  EXPECT_EQ(keys.shard().key_count(0), 1u);
  EXPECT_TRUE(keys.expired().empty());
}

TEST(ShardExpiry, ALaterDeadlineIsKept) {
  TestShard keys;
  keys.Set("k", "v", 100ms);
  Found found = keys.Find("k");
  ASSERT_TRUE(keys.shard().SetDeadline(found, keys.key("k"), keys.clock().NowMillis() + 1000).ok());
  keys.clock().Advance(500ms);
  EXPECT_TRUE(Expire(keys, 10));
  EXPECT_EQ(keys.Get("k"), "v");
  keys.clock().Advance(532ms);
  EXPECT_TRUE(Expire(keys, 10));
  EXPECT_EQ(keys.expired(), Names{"0:k"});
}

TEST(ShardExpiry, ADeadlineCanBeTakenAway) {
  TestShard keys;
  keys.Set("k", "v", 100ms);
  Found found = keys.Find("k");
  ASSERT_TRUE(keys.shard().SetDeadline(found, keys.key("k"), kNoDeadline).ok());
  EXPECT_EQ(keys.shard().volatile_key_count(0), 0u);
  keys.clock().Advance(1h);
  EXPECT_TRUE(Expire(keys, 10));
  EXPECT_EQ(keys.Get("k"), "v");
}

TEST(ShardExpiry, AStepRemovesNoMoreThanItsBudget) {
  TestShard keys;
  for (int i = 0; i < 500; ++i) keys.Set(std::to_string(i), "v", 50ms);
  keys.clock().Advance(10s);
  // A wheel that has never been stepped first finds out what time it is.
  size_t removed = 0;
  for (bool done = false; !done; removed = keys.expired().size()) {
    done = Expire(keys, 10);
    EXPECT_LE(keys.expired().size(), removed + 10);
  }
  EXPECT_EQ(removed, 500u);
}

TEST(ShardExpiry, DeadlinesThatAreOftenSetAgainDoNotFillTheWheel) {
  TestShard keys;
  for (int i = 0; i < 20000; ++i) {
    keys.Set("k" + std::to_string(i % 100), "v", 1h);
    keys.Erase("k" + std::to_string(i % 100));
    keys.clock().Advance(1ms);
  }
  keys.shard().CheckInvariants();
  // 20,000 items would be 80,000 bytes.
  EXPECT_LT(keys.shard().used_bytes(), 8000u);
}

TEST(ShardExpiry, StaysExactAcrossDatabases) {
  TestShard keys;
  keys.Set("a", "v", 100ms, 0);
  keys.Set("b", "v", 100ms, 3);
  keys.shard().SwapDatabases(0, 3);
  keys.clock().Advance(200ms);
  EXPECT_TRUE(Expire(keys, 10));
  EXPECT_EQ(keys.expired(), (Names{"0:b", "3:a"}));
}

}  // namespace
}  // namespace mikura::engine::store
