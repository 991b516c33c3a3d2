// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "control/metadata/metadata_keys.h"
#include "control/reconciler/reconciler_fixture.h"
#include "control/reconciler/shard_controller.h"

namespace mikura::control {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

class Failover : public ReconcilerFixture {
 protected:
  void CreateDemo(int64_t nodes, bool automatic_failover = true) {
    CreateGroup("demo", nodes, automatic_failover);
    Settle();
    host_.Write(Node("demo-001"), "x");
  }
};

TEST_F(Failover, AReplicaTakesOverWithTheDataAndTheEndpoint) {
  CreateDemo(3);
  const Endpoint endpoint = Group("demo").primary_endpoint;
  host_.KillNode(Node("demo-001"));
  Step();
  const std::string primary = Shard("demo").primary;
  EXPECT_NE(primary, Node("demo-001"));
  EXPECT_TRUE(host_.node(primary).is_primary);
  EXPECT_EQ(host_.node(primary).data.count("x"), 1u);
  EXPECT_THAT(host_.ServersOf("primary"), ElementsAre(primary));
  EXPECT_EQ(Group("demo").primary_endpoint, endpoint);
  EXPECT_EQ(Shard("demo").epoch, 2);
}

TEST_F(Failover, TheLostPrimaryComesBackAsAReplicaOfTheNewOne) {
  CreateDemo(3);
  host_.KillNode(Node("demo-001"));
  Settle();
  const FakeNode& returned = host_.node(Node("demo-001"));
  EXPECT_FALSE(returned.is_primary);
  EXPECT_EQ(returned.launch.primary, host_.node(Shard("demo").primary).launch.endpoint);
  EXPECT_EQ(returned.data.count("x"), 1u);
  EXPECT_EQ(Group("demo").status, "available");
}

TEST_F(Failover, TheOtherReplicasFollowTheNewPrimary) {
  CreateDemo(3);
  host_.KillNode(Node("demo-001"));
  Settle();
  const ShardState state = Shard("demo");
  for (const std::string& id : state.members) {
    if (id != state.primary) {
      EXPECT_EQ(host_.node(id).follows, host_.node(state.primary).launch.endpoint);
    }
  }
}

TEST_F(Failover, TheReplicaThatHasComeFurthestIsChosen) {
  CreateDemo(3);
  host_.HoldCopies(true);
  host_.node(Node("demo-003")).offset = 100;
  host_.KillNode(Node("demo-001"));
  Step();
  EXPECT_EQ(Shard("demo").primary, Node("demo-003"));
}

TEST_F(Failover, AtEqualOffsetsAReplicaInAnotherZoneIsChosen) {
  creation_.zones = {"1a"};
  CreateGroup("demo", 3);
  Settle();
  const std::string key = NodeSpecKey(Node("demo-003"));
  NodeSpec spec = *NodeSpecFromJson((*store_.Get(key))->value);
  spec.zone = "1c";
  ASSERT_TRUE(store_.Transact({}, {Write::Put(key, ToJson(spec))}).ok());
  host_.KillNode(Node("demo-001"));
  Step();
  EXPECT_EQ(Shard("demo").primary, Node("demo-003"));
}

TEST_F(Failover, AReplicaWithoutAWholeCopyIsNotChosen) {
  CreateDemo(2);
  host_.HoldCopies(true);
  host_.KillNode(Node("demo-002"));
  for (int i = 0; i < 5; ++i) Step();
  ASSERT_TRUE(host_.node(Node("demo-002")).running);
  host_.KillNode(Node("demo-001"));
  for (int i = 0; i < 5; ++i) Step();
  EXPECT_EQ(Shard("demo").primary, Node("demo-001"));
  EXPECT_EQ(Shard("demo").epoch, 1);
  EXPECT_THAT(Events(), Contains("demo-001: Finished recovery for cache nodes 0001, empty: no "
                                 "replica held its data, which is kept in memory only"));
}

TEST_F(Failover, WaitsForAReplicaThatHoldsTheDataButDoesNotAnswer) {
  CreateDemo(2);
  host_.node(Node("demo-002")).answering = false;
  host_.KillNode(Node("demo-001"));
  for (int i = 0; i < 5; ++i) Step();
  EXPECT_EQ(Shard("demo").epoch, 1);
  EXPECT_FALSE(host_.node(Node("demo-001")).running);
  host_.node(Node("demo-002")).answering = true;
  Step();
  EXPECT_EQ(Shard("demo").primary, Node("demo-002"));
}

TEST_F(Failover, APrimaryThatOnlyFailsToAnswerIsNotReplaced) {
  CreateDemo(2);
  host_.node(Node("demo-001")).answering = false;
  for (int i = 0; i < 5; ++i) Step();
  EXPECT_EQ(Shard("demo").epoch, 1);
  EXPECT_FALSE(host_.node(Node("demo-002")).is_primary);
  EXPECT_EQ(Cluster("demo-001").status, "rebooting cluster nodes");
}

TEST_F(Failover, TellsWhatHappenedOnce) {
  CreateDemo(2);
  host_.KillNode(Node("demo-001"));
  Settle();
  Restart();
  Settle();
  EXPECT_THAT(Events(),
              ElementsAre("demo-001: Cache cluster created", "demo-002: Cache cluster created",
                          "demo: Replication group created",
                          "demo-002: Failover from primary node demo-001 to replica node demo-002 "
                          "completed",
                          "demo: Failover from primary node demo-001 to replica node demo-002 "
                          "completed",
                          "demo-001: Recovering cache nodes 0001",
                          "demo-001: Finished recovery for cache nodes 0001"));
}

TEST_F(Failover, HappensAgainWhenTheNewPrimaryDies) {
  CreateDemo(2);
  for (int round = 0; round < 4; ++round) {
    host_.KillNode(Shard("demo").primary);
    Settle();
    clock_.Advance(std::chrono::seconds(20));
    Settle();
  }
  EXPECT_EQ(Shard("demo").epoch, 5);
  EXPECT_EQ(host_.node(Shard("demo").primary).data.count("x"), 1u);
}

TEST_F(Failover, WithAutomaticFailoverOffTheDataIsStillKept) {
  CreateDemo(2, false);
  host_.KillNode(Node("demo-001"));
  Settle();
  EXPECT_EQ(host_.node(Shard("demo").primary).data.count("x"), 1u);
  EXPECT_THAT(Events(), Contains("demo: Failover from primary node demo-001 to replica node "
                                 "demo-002 started: automatic failover is off, but only a "
                                 "replica still holds the data"));
}

TEST_F(Failover, APrimaryAloneIsStartedAgainEmpty) {
  CreateDemo(1, false);
  host_.KillNode(Node("demo-001"));
  Settle();
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_TRUE(host_.node(Node("demo-001")).data.empty());
  EXPECT_THAT(host_.ServersOf("primary"), ElementsAre(Node("demo-001")));
}

TEST_F(Failover, WhenAllDieTheGroupComesBackEmpty) {
  CreateDemo(3);
  for (const char* id : {"demo-001", "demo-002", "demo-003"}) host_.KillNode(Node(id));
  Settle();
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_TRUE(host_.node(Shard("demo").primary).data.empty());
}

TEST_F(Failover, ADeathWhileTheControlProcessWasAwayIsHandledWhenItReturns) {
  CreateDemo(2);
  host_.KillNode(Node("demo-001"));
  Restart();
  Settle();
  EXPECT_EQ(Shard("demo").primary, Node("demo-002"));
  EXPECT_EQ(host_.node(Node("demo-002")).data.count("x"), 1u);
}

}  // namespace
}  // namespace mikura::control
