// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "control/reconciler/reconciler_fixture.h"
#include "control/reconciler/shard_controller.h"

namespace mikura::control {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

class PlannedFailovers : public ReconcilerFixture {
 protected:
  void CreateDemo(int64_t nodes) {
    CreateGroup("demo", nodes);
    Settle();
    host_.Write(Node("demo-001"), "x");
  }
  void HandTo(const std::string& cluster) {
    ChangeGroup("demo", [&](ReplicationGroup& group) {
      group.pending.primary_cluster = cluster;
      group.applying = true;
      group.status = kStatusModifying;
    });
  }
};

TEST_F(PlannedFailovers, TheNamedReplicaLeadsAndTheOneBeforeFollowsIt) {
  CreateDemo(3);
  const Endpoint endpoint = Group("demo").primary_endpoint;
  HandTo("demo-003");
  Settle();
  const FakeNode& primary = host_.node(Node("demo-003"));
  EXPECT_TRUE(primary.is_primary);
  EXPECT_EQ(primary.data.count("x"), 1u);
  EXPECT_EQ(host_.node(Node("demo-001")).follows, primary.launch.endpoint);
  EXPECT_EQ(host_.node(Node("demo-002")).follows, primary.launch.endpoint);
  EXPECT_THAT(host_.ServersOf("primary"), ElementsAre(Node("demo-003")));
  EXPECT_EQ(Group("demo").primary_endpoint, endpoint);
  EXPECT_EQ(host_.starts(), 3);
  EXPECT_FALSE(host_.node(Node("demo-001")).holds_writes);
}

TEST_F(PlannedFailovers, ItIsToldAndOver) {
  CreateDemo(2);
  HandTo("demo-002");
  Settle();
  EXPECT_TRUE(Group("demo").pending.empty());
  EXPECT_FALSE(Group("demo").applying);
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_THAT(Events(), Contains("demo: Failover from primary node demo-001 to replica node "
                                 "demo-002 completed"));
  EXPECT_THAT(Events(), Not(Contains("demo-001: Recovering cache nodes 0001")));
}

TEST_F(PlannedFailovers, ATargetThatDoesNotCatchUpIsGivenUpAndThePrimaryGoesOn) {
  CreateDemo(2);
  host_.HoldCopies(true);
  ++host_.node(Node("demo-001")).offset;
  HandTo("demo-002");
  // The link is seen up, and lags all the same.
  host_.LinkWithoutCopies(true);
  for (int i = 0; i < 80; ++i) {
    Step();
    clock_.Advance(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(Shard("demo").primary, Node("demo-001"));
  EXPECT_EQ(Shard("demo").hand_to, "");
  EXPECT_EQ(Shard("demo").epoch, 1);
  EXPECT_FALSE(host_.node(Node("demo-001")).holds_writes);
  EXPECT_EQ(Group("demo").status, "modifying");

  host_.HoldCopies(false);
  host_.LinkWithoutCopies(false);
  clock_.Advance(std::chrono::seconds(10));
  Settle();
  EXPECT_EQ(Shard("demo").primary, Node("demo-002"));
}

TEST_F(PlannedFailovers, APrimaryThatDiesMeanwhileIsReplacedByAnyReplica) {
  CreateDemo(3);
  HandTo("demo-003");
  host_.KillNode(Node("demo-001"));
  Settle();
  EXPECT_EQ(host_.node(Shard("demo").primary).data.count("x"), 1u);
  EXPECT_EQ(Shard("demo").primary, Node("demo-003"));
}

TEST_F(PlannedFailovers, ADeathOfEitherAtAnyMomentLosesNothing) {
  for (const char* victim : {"demo-001", "demo-003"}) {
    ExpectNoLossByADeath(
        Node(victim), [this] { CreateDemo(3); }, [this] { HandTo("demo-003"); });
  }
}

TEST_F(PlannedFailovers, WhatWasWrittenAfterTheDecisionIsNotLost) {
  CreateDemo(2);
  HandTo("demo-002");
  // Decided, and the process dies before anybody is told; the hold ends, and a client writes.
  for (int i = 0; i < 20 && Shard("demo").epoch == 1; ++i) {
    crash_.CrashBefore(i);
    Step();
    crash_.Never();
    Restart();
  }
  ASSERT_EQ(Shard("demo").epoch, 2);
  ASSERT_TRUE(host_.node(Node("demo-001")).is_primary);
  host_.HoldCopies(true);
  host_.Write(Node("demo-001"), "y");
  for (int i = 0; i < 5; ++i) Step();
  EXPECT_FALSE(host_.node(Node("demo-002")).is_primary);
  host_.HoldCopies(false);
  Settle();
  EXPECT_TRUE(host_.node(Node("demo-002")).is_primary);
  EXPECT_EQ(host_.node(Node("demo-002")).data.count("y"), 1u);
}

TEST_F(PlannedFailovers, ATestEndsThePrimaryAndTellsItInOrder) {
  CreateDemo(2);
  ChangeGroup("demo", [](ReplicationGroup& group) {
    group.test_failover = true;
    group.status = kStatusModifying;
  });
  Settle();
  EXPECT_EQ(Shard("demo").primary, Node("demo-002"));
  EXPECT_EQ(host_.node(Node("demo-001")).run, 2);
  const std::vector<std::string> events = Events();
  ASSERT_GE(events.size(), 4u);
  EXPECT_THAT(std::vector<std::string>(events.end() - 4, events.end()),
              ElementsAre("demo-002: Failover from primary node demo-001 to replica node demo-002 "
                          "completed",
                          "demo: Failover from primary node demo-001 to replica node demo-002 "
                          "completed",
                          "demo-001: Recovering cache nodes 0001",
                          "demo-001: Finished recovery for cache nodes 0001"));
}

TEST_F(PlannedFailovers, ATestIsNoFailureOfTheNodeSoItStartsAtOnce) {
  CreateDemo(2);
  const auto begin = clock_.NowMillis();
  for (int test = 0; test < 6; ++test) {
    ChangeGroup("demo", [](ReplicationGroup& group) {
      group.test_failover = true;
      group.status = kStatusModifying;
    });
    Settle();
  }
  EXPECT_EQ(Shard("demo").epoch, 7);
  EXPECT_LT(clock_.NowMillis() - begin, 1000);
}

TEST_F(PlannedFailovers, ATestWithoutAnHeirEndsNothing) {
  CreateDemo(2);
  ChangeGroup("demo", [](ReplicationGroup& group) {
    group.test_failover = true;
    group.status = kStatusModifying;
  });
  host_.HoldCopies(true);
  host_.KillNode(Node("demo-002"));
  for (int i = 0; i < 5; ++i) Step();
  EXPECT_TRUE(host_.node(Node("demo-001")).running);
  EXPECT_EQ(host_.node(Node("demo-001")).run, 1);
}

}  // namespace
}  // namespace mikura::control
