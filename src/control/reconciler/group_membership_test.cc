// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "control/reconciler/reconciler_fixture.h"

namespace mikura::control {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kSmall[] = "cache.t3.small";

class Membership : public ReconcilerFixture {
 protected:
  void CreateDemo(int64_t nodes) {
    CreateGroup("demo", nodes);
    Settle();
    host_.Write(Node("demo-001"), "x");
  }
  void ScaleTo(const std::string& type, bool now = true) {
    for (const std::string& id : Group("demo").member_clusters) {
      ChangeCluster(id, [&](CacheCluster& cluster) { cluster.pending_node_type = type; });
    }
    ChangeGroup("demo", [&](ReplicationGroup& group) {
      group.pending.node_type = type;
      group.applying = now;
      if (now) group.status = kStatusModifying;
    });
  }
};

TEST_F(Membership, ANewMemberIsAvailableWithTheDataAndServesReads) {
  CreateDemo(2);
  AddMember("demo", "demo-003");
  host_.HoldCopies(true);
  for (int i = 0; i < 5; ++i) Step();
  EXPECT_EQ(Cluster("demo-003").status, "creating");
  EXPECT_EQ(Group("demo").status, "modifying");
  host_.HoldCopies(false);
  Settle();
  EXPECT_EQ(Cluster("demo-003").status, "available");
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_EQ(host_.node(Node("demo-003")).data.count("x"), 1u);
  EXPECT_THAT(host_.ServersOf("reader"), ElementsAre(Node("demo-002"), Node("demo-003")));
}

TEST_F(Membership, AReplicaThatLeavesLeavesNothingBehind) {
  CreateDemo(3);
  ChangeCluster("demo-002", [](CacheCluster& cluster) { cluster.status = kStatusDeleting; });
  Settle();
  EXPECT_THAT(Group("demo").member_clusters, ElementsAre("demo-001", "demo-003"));
  EXPECT_FALSE(ClusterExists("demo-002"));
  EXPECT_FALSE(host_.Has(Node("demo-002")));
  EXPECT_THAT(Keys("/ec/v1/node/" + Node("demo-002")), IsEmpty());
  EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), SizeIs(4));
  EXPECT_EQ(Shard("demo").epoch, 1);
  EXPECT_THAT(Events(), Contains("demo-002: Cache cluster deleted"));
}

TEST_F(Membership, ADeathAtAnyMomentOfAnotherSizeLosesNothing) {
  for (const char* victim : {"demo-001", "demo-002"}) {
    for (const char* incarnation : {"", "-2"}) {
      ExpectNoLossByADeath(
          Node(victim) + incarnation, [this] { CreateDemo(2); }, [this] { ScaleTo(kSmall); });
    }
  }
}

TEST_F(Membership, AnotherSizeReplacesEachNodeAndKeepsNamesEndpointsAndData) {
  CreateDemo(3);
  const ReplicationGroup before = Group("demo");
  ScaleTo(kSmall);
  Settle();
  const ReplicationGroup group = Group("demo");
  EXPECT_EQ(group.node_type, kSmall);
  EXPECT_EQ(group.status, "available");
  EXPECT_TRUE(group.pending.empty());
  EXPECT_EQ(group.primary_endpoint, before.primary_endpoint);
  EXPECT_EQ(group.member_clusters, before.member_clusters);
  for (const std::string& id : group.member_clusters) {
    const CacheCluster cluster = Cluster(id);
    EXPECT_EQ(cluster.node_type, kSmall);
    EXPECT_EQ(cluster.pending_node_type, "");
    const FakeNode& node = host_.node(Node(id) + "-2");
    EXPECT_GT(node.launch.memory_bytes, int64_t{1} << 30);
    EXPECT_EQ(node.launch.endpoint, cluster.nodes.front().endpoint);
    EXPECT_EQ(node.data.count("x"), 1u);
  }
  EXPECT_EQ(host_.size(), 3u);
  EXPECT_EQ(Shard("demo").primary, Node("demo-001") + "-2");
  EXPECT_EQ(Shard("demo").epoch, 2);
}

TEST_F(Membership, ThereAndBackAgain) {
  CreateDemo(2);
  ScaleTo(kSmall);
  Settle();
  ScaleTo("cache.t3.micro");
  Settle();
  EXPECT_EQ(Group("demo").node_type, "cache.t3.micro");
  EXPECT_EQ(Shard("demo").primary, Node("demo-001") + "-3");
  EXPECT_EQ(host_.size(), 2u);
}

TEST_F(Membership, ASizeThatTheDataDoNotFitIsTakenBack) {
  CreateDemo(2);
  host_.node(Node("demo-001")).used_bytes = 500'000'000;
  ScaleTo("cache.t3.micro");
  Settle();
  ScaleTo(kSmall);
  Settle();
  host_.node(Node("demo-001") + "-2").used_bytes = 500'000'000;
  ScaleTo("cache.t3.micro");
  Settle();
  EXPECT_EQ(Group("demo").node_type, kSmall);
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_TRUE(Group("demo").pending.empty());
  EXPECT_EQ(Cluster("demo-002").pending_node_type, "");
  EXPECT_THAT(Events(), Contains("demo: The cache node type was not modified to cache.t3.micro: "
                                 "the data take 500000000 bytes, and a node of that type has "
                                 "402653184"));
}

TEST_F(Membership, ANodeAloneIsReplacedTooWithItsData) {
  CreateGroup("demo", 1, false);
  Settle();
  host_.Write(Node("demo-001"), "x");
  ScaleTo(kSmall);
  Settle();
  EXPECT_EQ(host_.size(), 1u);
  EXPECT_EQ(host_.node(Shard("demo").primary).data.count("x"), 1u);
}

TEST_F(Membership, WhatMayWaitWaitsForTheMaintenanceWindow) {
  CreateDemo(2);
  // The clock begins on a Tuesday at 22:13.
  ChangeGroup("demo",
              [](ReplicationGroup& group) { group.maintenance_window = "wed:01:00-wed:02:00"; });
  ScaleTo(kSmall, false);
  Settle();
  EXPECT_EQ(Group("demo").node_type, "cache.t3.micro");
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_EQ(Cluster("demo-001").pending_node_type, kSmall);
  clock_.Advance(std::chrono::hours(3));
  Settle();
  EXPECT_EQ(Group("demo").node_type, kSmall);
  EXPECT_TRUE(Group("demo").pending.empty());
}

// What the service does on its own, and what an action has stored just before, meet a snapshot.
class BesideASnapshot : public Membership {
 protected:
  void BeginSnapshot() {
    CreateDemo(3);
    host_.HoldSnapshots(true);
    CreateSnapshot("s", "demo");
    StepSome();
  }
  void StepSome() {
    for (int i = 0; i < 20; ++i) {
      Step();
      clock_.Advance(std::chrono::milliseconds(20));
    }
  }
  void EndSnapshot() {
    EXPECT_EQ(SnapshotNamed("s").status, "creating");
    host_.HoldSnapshots(false);
    Settle();
    EXPECT_EQ(SnapshotNamed("s").status, "available");
    EXPECT_THAT(host_.snapshot_requests(), ElementsAre(Node("demo-002")));
    EXPECT_EQ(Group("demo").status, "available");
  }
};

TEST_F(BesideASnapshot, AReplicaThatIsToLeaveLeavesAfterIt) {
  BeginSnapshot();
  ChangeCluster("demo-002", [](CacheCluster& cluster) { cluster.status = kStatusDeleting; });
  StepSome();
  EXPECT_TRUE(host_.node(Node("demo-002")).running);
  EXPECT_EQ(Group("demo").status, "modifying");
  EndSnapshot();
  EXPECT_FALSE(ClusterExists("demo-002"));
}

TEST_F(BesideASnapshot, NodesAreReplacedAfterIt) {
  BeginSnapshot();
  ScaleTo(kSmall);
  StepSome();
  EXPECT_EQ(host_.size(), 3u);
  EndSnapshot();
  EXPECT_EQ(Group("demo").node_type, kSmall);
}

TEST_F(BesideASnapshot, TheMaintenanceWindowOpensAfterIt) {
  BeginSnapshot();
  // The clock begins on a Tuesday at 22:13.
  ChangeGroup("demo",
              [](ReplicationGroup& group) { group.maintenance_window = "tue:22:00-tue:23:30"; });
  ScaleTo(kSmall, false);
  StepSome();
  EXPECT_FALSE(Group("demo").applying);
  EXPECT_EQ(Group("demo").status, "snapshotting");
  EndSnapshot();
  Settle();
  EXPECT_EQ(Group("demo").node_type, kSmall);
}

TEST_F(BesideASnapshot, TheRoleIsHandedOverAfterIt) {
  BeginSnapshot();
  ChangeGroup("demo", [](ReplicationGroup& group) {
    group.pending.primary_cluster = "demo-003";
    group.applying = true;
  });
  StepSome();
  EXPECT_EQ(Shard("demo").primary, Node("demo-001"));
  EXPECT_EQ(Shard("demo").hand_to, "");
  EndSnapshot();
  EXPECT_EQ(Shard("demo").primary, Node("demo-003"));
}

TEST_F(BesideASnapshot, AFailoverIsTestedAfterIt) {
  BeginSnapshot();
  ChangeGroup("demo", [](ReplicationGroup& group) { group.test_failover = true; });
  StepSome();
  EXPECT_EQ(host_.node(Node("demo-001")).run, 1);
  EndSnapshot();
  EXPECT_EQ(host_.node(Node("demo-001")).run, 2);
  EXPECT_EQ(Shard("demo").primary, Node("demo-002"));
}

TEST_F(BesideASnapshot, ANewMemberJoinsMeanwhile) {
  BeginSnapshot();
  AddMember("demo", "demo-004");
  StepSome();
  EXPECT_EQ(Cluster("demo-004").status, "available");
  EndSnapshot();
}

TEST_F(Membership, APrimaryLostDuringAReplacementIsReplacedByAReplica) {
  CreateDemo(2);
  ScaleTo(kSmall);
  for (int i = 0; i < 3; ++i) Step();
  host_.KillNode(Node("demo-001"));
  Settle();
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_EQ(Group("demo").node_type, kSmall);
  EXPECT_EQ(host_.node(Shard("demo").primary).data.count("x"), 1u);
  EXPECT_EQ(host_.size(), 2u);
}

TEST_F(Membership, AnEngineChangeShowsWhenAllNodesHaveIt) {
  CreateDemo(2);
  ChangeGroup("demo", [](ReplicationGroup& group) {
    group.pending.engine = "valkey";
    group.pending.engine_version = "8.0.1";
    group.pending.parameter_group = "default.valkey8";
    group.applying = true;
    group.status = kStatusModifying;
  });
  Settle();
  EXPECT_EQ(Group("demo").engine, "valkey");
  EXPECT_EQ(Cluster("demo-001").engine_version, "8.0.1");
  EXPECT_EQ(Cluster("demo-001").parameter_group, "default.valkey8");
  EXPECT_EQ(host_.node(Shard("demo").primary).launch.kind, EngineKind::kValkey);
}

}  // namespace
}  // namespace mikura::control
