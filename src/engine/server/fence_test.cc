// SPDX-License-Identifier: Apache-2.0
#include "engine/server/fence.h"

#include <gtest/gtest.h>

#include "engine/server/node_state.h"

namespace mikura::engine {
namespace {

class ManualFenceClock final : public FenceClock {
 public:
  BootMillis Now() const override { return now; }
  BootMillis now = 1000;
};

class FenceTest : public testing::Test {
 protected:
  ManualFenceClock clock_;
  NodeState node_{clock_};
};

TEST_F(FenceTest, WithoutADeadlineANodeActsForEver) {
  clock_.now = INT64_MAX;
  EXPECT_FALSE(node_.fence.is_set());
  EXPECT_FALSE(node_.IsFenced());
}

TEST_F(FenceTest, ClosesAtItsDeadlineAndNotBefore) {
  node_.fence.Set(1, 1500);
  clock_.now = 1499;
  EXPECT_FALSE(node_.IsFenced());
  clock_.now = 1500;
  EXPECT_TRUE(node_.IsFenced());
}

TEST_F(FenceTest, IsOpenedAgainByALaterDeadline) {
  node_.fence.Set(1, 1500);
  clock_.now = 2000;
  ASSERT_TRUE(node_.IsFenced());
  node_.fence.Set(1, 2500);
  EXPECT_FALSE(node_.IsFenced());
}

TEST_F(FenceTest, AMessageThatIsLateTakesNothingBack) {
  node_.fence.Set(1, 2500);
  node_.fence.Set(1, 1500);
  EXPECT_EQ(node_.fence.deadline(), 2500);
}

TEST_F(FenceTest, ANewEpochBeginsWithItsOwnDeadline) {
  node_.fence.Set(1, 2500);
  node_.fence.Set(2, 1500);
  EXPECT_EQ(node_.fence.deadline(), 1500);
}

TEST_F(FenceTest, CanBeTakenAwayAndSetAgain) {
  node_.fence.Set(1, 1500);
  node_.fence.Set(1, Fence::kNever);
  clock_.now = 2000;
  EXPECT_FALSE(node_.IsFenced());
  node_.fence.Set(1, 1800);
  EXPECT_TRUE(node_.IsFenced());
}

TEST_F(FenceTest, AReplicaActsForNobody) {
  node_.fence.Set(1, 1500);
  clock_.now = 2000;
  node_.SetReplica(true);
  EXPECT_FALSE(node_.IsFenced());
}

}  // namespace
}  // namespace mikura::engine
