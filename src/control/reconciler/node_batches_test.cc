// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/node_batches.h"

#include <chrono>

#include "control/model/cluster_modification.h"
#include "control/reconciler/reconciler_fixture.h"

namespace mikura::control {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using std::chrono_literals::operator""min;

class NodeBatchesOfMemcached : public ReconcilerFixture {
 protected:
  void Create(int64_t nodes) {
    CreateCluster("mc", "memcached", nodes);
    ChangeCluster("mc", [](CacheCluster& cluster) { cluster.engine_version = "1.6.6"; });
    Settle();
  }
  void Modify(const ClusterModification& asked) {
    ChangeCluster("mc", [&](CacheCluster& cluster) {
      const auto modified = ModifyCluster(asked, {"1a", "1c"}, 0, cluster);
      ASSERT_TRUE(modified.ok()) << modified.error().message;
    });
  }
  void Scale(int64_t percentage) {
    Modify({.node_type = "cache.t3.small",
            .scale_percentage = percentage,
            .scale_interval_minutes = 2,
            .immediately = true});
  }
  FakeNode& NodeOf(int ordinal) {
    return host_.node("mc-000" + std::to_string(ordinal) + "-1f2e3d4c");
  }
  // How often each node was started.
  std::vector<int> Runs() {
    std::vector<int> runs;
    for (const CacheNode& node : Cluster("mc").nodes) {
      runs.push_back(host_.node(Cluster("mc").NodeId(node)).run);
    }
    return runs;
  }
  void ExpectEnd() {
    const CacheCluster cluster = Cluster("mc");
    EXPECT_EQ(cluster.status, "available");
    EXPECT_FALSE(cluster.HasPendingChange());
    for (const CacheNode& node : cluster.nodes) {
      EXPECT_EQ(node.status, "available");
      EXPECT_EQ(node.version_change, "");
    }
  }
};

TEST_F(NodeBatchesOfMemcached, ChangeTheVersionOfOneNodeAfterTheOther) {
  Create(3);
  NodeOf(1).data = {"x"};
  const Endpoint endpoint = Cluster("mc").nodes[0].endpoint;
  Modify({.engine_version = "1.6.22", .immediately = true});
  for (int i = 0; i < 200 && Cluster("mc").status != "available"; ++i) {
    Step();
    int down = 0;
    for (int node = 1; node <= 3; ++node) down += NodeOf(node).running ? 0 : 1;
    EXPECT_LE(down, 1) << "B1, B3";
  }
  ExpectEnd();
  EXPECT_EQ(Cluster("mc").engine_version, "1.6.22");
  EXPECT_THAT(Runs(), ElementsAre(2, 2, 2));
  EXPECT_TRUE(NodeOf(1).data.empty());
  EXPECT_EQ(Cluster("mc").nodes[0].endpoint, endpoint);
  EXPECT_EQ(NodeOf(1).launch.engine_version, "1.6.22");
  EXPECT_EQ(Cluster("mc").membership_version, 4);
  Settle();
  EXPECT_EQ(NodeOf(1).config_version, 4);
  EXPECT_THAT(Events(), Contains("mc: Cache node 0002 shutdown"));
  EXPECT_THAT(Events(), Contains("mc: Cache node 0002 restarted"));
}

TEST_F(NodeBatchesOfMemcached, ChangeTheTypeBatchByBatchWithAPause) {
  Create(3);
  const int64_t before = NodeOf(1).launch.memory_bytes;
  Scale(50);
  Settle();
  EXPECT_THAT(Runs(), ElementsAre(2, 2, 1));
  EXPECT_EQ(Cluster("mc").status, "modifying");
  EXPECT_EQ(Cluster("mc").node_type, "cache.t3.micro");
  EXPECT_EQ(Cluster("mc").membership_version, 3);
  EXPECT_GT(NodeOf(1).launch.memory_bytes, before);
  clock_.Advance(1min);
  Settle();
  EXPECT_THAT(Runs(), ElementsAre(2, 2, 1)) << "B2";
  clock_.Advance(1min);
  Settle();
  Settle();
  EXPECT_THAT(Runs(), ElementsAre(2, 2, 2));
  EXPECT_GT(NodeOf(3).launch.memory_bytes, before);
  ExpectEnd();
  EXPECT_EQ(Cluster("mc").node_type, "cache.t3.small");
}

TEST_F(NodeBatchesOfMemcached, AreOfOneNodeAtLeastAndOfAllAtOnce) {
  Create(3);
  Scale(10);
  Settle();
  EXPECT_THAT(Runs(), ElementsAre(2, 1, 1));
  CreateCluster("all", "memcached", 3);
  Settle();
  ChangeCluster("all", [](CacheCluster& cluster) {
    ASSERT_TRUE(
        ModifyCluster({.node_type = "cache.t3.small", .scale_percentage = 100, .immediately = true},
                      {"1a"}, 0, cluster)
            .ok());
  });
  Settle();
  Settle();
  EXPECT_EQ(Cluster("all").status, "available");
  EXPECT_EQ(Cluster("all").node_type, "cache.t3.small");
}

TEST_F(NodeBatchesOfMemcached, GoOnAfterARestartOfTheService) {
  Create(2);
  Scale(50);
  for (int i = 0; i < 4; ++i) Step();
  Restart();
  Settle();
  EXPECT_THAT(Runs(), ElementsAre(2, 1));
  Restart();
  Settle();
  clock_.Advance(2min);
  Settle();
  Settle();
  EXPECT_THAT(Runs(), ElementsAre(2, 2));
  ExpectEnd();
}

TEST_F(NodeBatchesOfMemcached, LeaveANodeThatDiesMeanwhileAsItIs) {
  Create(2);
  Scale(50);
  Settle();
  host_.KillNode("mc-0002-1f2e3d4c");
  host_.KillNode("mc-0001-1f2e3d4c");
  Settle();
  EXPECT_GT(NodeOf(1).launch.memory_bytes, NodeOf(2).launch.memory_bytes);
  clock_.Advance(2min);
  Settle();
  Settle();
  EXPECT_EQ(NodeOf(1).launch.memory_bytes, NodeOf(2).launch.memory_bytes);
  ExpectEnd();
}

TEST_F(NodeBatchesOfMemcached, WaitForNodesThatAreAdded) {
  Create(2);
  Modify({.engine_version = "1.6.22"});
  Modify({.node_count = 3, .immediately = true});
  Settle();
  Settle();
  ExpectEnd();
  EXPECT_EQ(Cluster("mc").engine_version, "1.6.22");
  EXPECT_THAT(Events(), Contains("mc: Added cache node 0003 in availability zone 1a"));
  EXPECT_EQ(NodeOf(3).launch.engine_version, "1.6.22");
}

}  // namespace
}  // namespace mikura::control
