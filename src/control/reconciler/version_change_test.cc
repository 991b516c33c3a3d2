// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/version_change.h"

#include <chrono>

#include "control/model/cluster_modification.h"
#include "control/reconciler/reconciler_fixture.h"

namespace mikura::control {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using std::chrono_literals::operator""ms;

class VersionChanges : public ReconcilerFixture {
 protected:
  void CreateOne() {
    CreateCluster("one", "redis", 1);
    ChangeCluster("one", [](CacheCluster& cluster) {
      cluster.engine_version = "6.2.6";
      cluster.parameter_group = "default.redis6.x";
    });
    Settle();
    host_.Write(Node("one"), "x");
  }
  void Upgrade(bool now = true) {
    ChangeCluster("one", [&](CacheCluster& cluster) {
      ASSERT_TRUE(
          ModifyCluster({.engine_version = "7.1", .immediately = now}, {"1a"}, 0, cluster).ok());
    });
  }
  void Modify(const ClusterModification& asked) {
    ChangeCluster("one", [&](CacheCluster& cluster) {
      ASSERT_TRUE(ModifyCluster(asked, {"1a"}, 0, cluster).ok());
    });
    Settle();
    Settle();
  }
  void StepSome(int steps = 10) {
    for (int i = 0; i < steps; ++i) {
      Step();
      clock_.Advance(20ms);
    }
  }
  void ExpectDone() {
    const CacheCluster cluster = Cluster("one");
    EXPECT_EQ(cluster.status, "available");
    EXPECT_EQ(cluster.engine_version, "7.1.0");
    EXPECT_EQ(cluster.parameter_group, "default.redis7");
    EXPECT_EQ(cluster.pending_engine_version, "");
    EXPECT_EQ(cluster.nodes.front().version_change, "");
    EXPECT_EQ(host_.node(Node("one")).launch.engine_version, "7.1.0");
    EXPECT_THAT(host_.snapshots(), IsEmpty());
    EXPECT_FALSE(host_.node(Node("one")).holds_writes);
  }
};

TEST_F(VersionChanges, KeepDataAndAddress) {
  CreateOne();
  const Endpoint endpoint = Cluster("one").nodes.front().endpoint;
  Upgrade();
  EXPECT_EQ(Cluster("one").status, "modifying");
  EXPECT_EQ(Cluster("one").engine_version, "6.2.6");
  Settle();
  Settle();
  ExpectDone();
  EXPECT_EQ(host_.node(Node("one")).run, 2);
  EXPECT_EQ(host_.node(Node("one")).data.count("x"), 1u);
  EXPECT_EQ(Cluster("one").nodes.front().endpoint, endpoint);
  host_.KillNode(Node("one"));
  Settle();
  EXPECT_TRUE(host_.node(Node("one")).data.empty()) << "what was loaded once is not loaded again";
}

TEST_F(VersionChanges, HoldWritesWhileTheDataAreSaved) {
  CreateOne();
  host_.HoldSnapshots(true);
  Upgrade();
  StepSome();
  EXPECT_TRUE(host_.node(Node("one")).holds_writes);
  EXPECT_EQ(host_.node(Node("one")).run, 1);
  host_.HoldSnapshots(false);
  Settle();
  Settle();
  ExpectDone();
}

TEST_F(VersionChanges, BeginAnewWhenTheHoldMayHaveLapsed) {
  CreateOne();
  host_.HoldSnapshots(true);
  Upgrade();
  StepSome();
  const std::string before = Cluster("one").nodes.front().version_change;
  EXPECT_THAT(before, HasSubstr("saving version-"));
  host_.HoldSnapshots(false);
  host_.Write(Node("one"), "y");
  clock_.Advance(3'000ms);
  Step();
  EXPECT_EQ(Cluster("one").nodes.front().version_change, "asked");
  Settle();
  Settle();
  ExpectDone();
  EXPECT_EQ(host_.node(Node("one")).data.count("y"), 1u);
}

TEST_F(VersionChanges, ThatCannotSaveTheDataAreGivenUp) {
  CreateOne();
  host_.FailSnapshots("the disk is full");
  Upgrade();
  Settle();
  Settle();
  EXPECT_EQ(Cluster("one").engine_version, "6.2.6");
  EXPECT_EQ(Cluster("one").pending_engine_version, "");
  EXPECT_EQ(Cluster("one").status, "available");
  EXPECT_EQ(Cluster("one").nodes.front().version_change, "");
  EXPECT_EQ(host_.node(Node("one")).run, 1);
  EXPECT_FALSE(host_.node(Node("one")).holds_writes);
  EXPECT_THAT(Events(), Contains("one: The engine version was not modified to 7.1.0: the data "
                                 "cannot be saved: the disk is full"));
}

TEST_F(VersionChanges, OfANodeThatDiesMeanwhileGoOnWithoutData) {
  CreateOne();
  host_.HoldSnapshots(true);
  Upgrade();
  StepSome();
  host_.KillNode(Node("one"));
  host_.HoldSnapshots(false);
  Settle();
  Settle();
  EXPECT_EQ(Cluster("one").engine_version, "7.1.0");
  EXPECT_EQ(Cluster("one").status, "available");
  EXPECT_TRUE(host_.node(Node("one")).data.empty());
}

TEST_F(VersionChanges, WaitForTheMaintenanceWindow) {
  CreateOne();
  // The clock begins on a Tuesday at 22:13.
  ChangeCluster("one",
                [](CacheCluster& cluster) { cluster.maintenance_window = "wed:01:00-wed:02:00"; });
  Upgrade(false);
  Settle();
  EXPECT_EQ(Cluster("one").engine_version, "6.2.6");
  EXPECT_EQ(Cluster("one").pending_engine_version, "7.1.0");
  clock_.Advance(std::chrono::hours(3));
  Settle();
  Settle();
  ExpectDone();
}

TEST_F(VersionChanges, GiveAClusterAnotherEngineWithItsData) {
  CreateOne();
  Modify({.engine = "valkey", .immediately = true});
  EXPECT_EQ(Cluster("one").engine, "valkey");
  EXPECT_EQ(Cluster("one").engine_version, "8.0.1");
  EXPECT_EQ(Cluster("one").parameter_group, "default.valkey8");
  EXPECT_EQ(Cluster("one").status, "available");
  const FakeNode& node = host_.node(Node("one"));
  EXPECT_EQ(node.launch.kind, EngineKind::kValkey);
  EXPECT_EQ(node.launch.engine_version, "8.0.1");
  EXPECT_EQ(node.data.count("x"), 1u);
}

TEST_F(VersionChanges, GiveAClusterAnotherNodeTypeWithItsData) {
  CreateOne();
  const int64_t before = host_.node(Node("one")).launch.memory_bytes;
  Modify({.node_type = "cache.m6g.large", .immediately = true});
  EXPECT_EQ(Cluster("one").node_type, "cache.m6g.large");
  EXPECT_EQ(Cluster("one").pending_node_type, "");
  EXPECT_EQ(Cluster("one").engine_version, "6.2.6");
  EXPECT_EQ(Cluster("one").status, "available");
  EXPECT_GT(host_.node(Node("one")).launch.memory_bytes, before);
  EXPECT_EQ(host_.node(Node("one")).run, 2);
  EXPECT_EQ(host_.node(Node("one")).data.count("x"), 1u);
  host_.KillNode(Node("one"));
  Settle();
  EXPECT_GT(host_.node(Node("one")).launch.memory_bytes, before) << "the type stays";
}

TEST_F(VersionChanges, TakeBackANodeTypeThatTheDataDoNotFit) {
  CreateOne();
  Modify({.node_type = "cache.m6g.large", .immediately = true});
  host_.node(Node("one")).used_bytes = int64_t{1} << 30;
  Modify({.node_type = "cache.t3.micro", .immediately = true});
  EXPECT_EQ(Cluster("one").node_type, "cache.m6g.large");
  EXPECT_EQ(Cluster("one").pending_node_type, "");
  EXPECT_EQ(Cluster("one").nodes.front().version_change, "");
  EXPECT_EQ(Cluster("one").status, "available");
  EXPECT_EQ(host_.node(Node("one")).run, 2);
  EXPECT_THAT(Events(), Contains(HasSubstr("The cache node type was not modified to "
                                           "cache.t3.micro: the data take 1073741824 bytes")));
  // Another version goes on without it.
  Modify({.engine_version = "7.1", .node_type = "cache.t3.micro", .immediately = true});
  EXPECT_EQ(Cluster("one").engine_version, "7.1.0");
  EXPECT_EQ(Cluster("one").node_type, "cache.m6g.large");
}

}  // namespace
}  // namespace mikura::control
