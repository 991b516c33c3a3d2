// SPDX-License-Identifier: Apache-2.0
#include "engine/store/small_queue_share.h"

#include <gtest/gtest.h>

namespace mikura::engine::store {
namespace {

constexpr uint64_t kKeys = 1000;

// Evicts `rounds` times the keys, half from each queue; of 100 keys of a queue so many come back.
void RunRounds(SmallQueueShare& share, int small_returns, int main_returns, int rounds) {
  for (uint64_t i = 0; i < kKeys * static_cast<uint64_t>(rounds); ++i) {
    const bool from_small = i % 2 == 0;
    const GhostOrigin origin = from_small ? GhostOrigin::kSmallQueue : GhostOrigin::kMainQueue;
    share.CountEviction(origin, kKeys);
    const auto hundredth = static_cast<int>(i / 2 % 100);
    if (hundredth < (from_small ? small_returns : main_returns)) share.CountReturn(origin);
  }
}

TEST(SmallQueueShare, BeginsWithAFifth) { EXPECT_EQ(SmallQueueShare().permille(), 200u); }

TEST(SmallQueueShare, GrowsToItsBoundWhenKeysOfTheSmallQueueComeBackMoreOften) {
  SmallQueueShare share;
  RunRounds(share, 30, 10, 1);
  EXPECT_GT(share.permille(), 200u);
  RunRounds(share, 30, 10, 3);
  EXPECT_EQ(share.permille(), 600u);
}

TEST(SmallQueueShare, ShrinksToItsBoundWhenKeysOfTheMainQueueComeBackMoreOften) {
  SmallQueueShare share;
  RunRounds(share, 10, 30, 1);
  EXPECT_LT(share.permille(), 200u);
  RunRounds(share, 10, 30, 3);
  EXPECT_EQ(share.permille(), 50u);
}

TEST(SmallQueueShare, StaysWhenBothComeBackAlike) {
  SmallQueueShare share;
  RunRounds(share, 20, 20, 4);
  EXPECT_EQ(share.permille(), 200u);
  RunRounds(share, 0, 0, 4);
  EXPECT_EQ(share.permille(), 200u);
}

TEST(SmallQueueShare, FollowsAChangeOfWhatComesBack) {
  SmallQueueShare share;
  RunRounds(share, 30, 10, 4);
  RunRounds(share, 10, 30, 5);
  EXPECT_EQ(share.permille(), 50u);
}

TEST(SmallQueueShare, LearnsNothingFromAHandfulOfEvictions) {
  SmallQueueShare share;
  for (int i = 0; i < 100; ++i) {
    share.CountEviction(GhostOrigin::kSmallQueue, kKeys);
    share.CountReturn(GhostOrigin::kSmallQueue);
  }
  EXPECT_EQ(share.permille(), 200u);
}

}  // namespace
}  // namespace mikura::engine::store
