// SPDX-License-Identifier: Apache-2.0
// What becomes of clusters that stand alone when the control process is killed (crash_story.h).
#include "control/model/cluster_modification.h"
#include "control/reconciler/crash_story.h"

namespace mikura::control {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class ClusterStory : public CrashStory {
 public:
  bool ChangesOfNodes(int effect) {
    CreateCluster("mc", "memcached", 3);
    Settle();
    ChangeCluster("mc",
                  [](CacheCluster& cluster) { ASSERT_TRUE(RebootNodes({"0003"}, cluster).ok()); });
    bool struck = RunKilledBefore(effect);
    Settle();
    EXPECT_EQ(host_.node("mc-0003-1f2e3d4c").run, 2) << effect;
    ChangeCluster("mc", [](CacheCluster& cluster) {
      ASSERT_TRUE(ModifyCluster({.node_count = 2, .removed_nodes = {"0001"}, .immediately = true},
                                {"1a", "1c"}, 0, cluster)
                      .ok());
    });
    struck = RunKilledBefore(effect) || struck;
    Settle();
    EXPECT_EQ(Cluster("mc").nodes.size(), 2u) << effect;
    EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), SizeIs(3)) << effect;
    ChangeCluster("mc", [](CacheCluster& cluster) {
      ASSERT_TRUE(
          ModifyCluster({.node_count = 4, .immediately = true}, {"1a", "1c"}, 0, cluster).ok());
    });
    struck = RunKilledBefore(effect) || struck;
    Settle();
    EXPECT_EQ(Cluster("mc").status, "available") << effect;
    EXPECT_EQ(Cluster("mc").nodes.size(), 4u) << effect;
    EXPECT_EQ(host_.size(), 4u) << effect;
    EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), SizeIs(5)) << effect;
    EXPECT_EQ(Cluster("mc").membership_version, host_.node("mc-0004-1f2e3d4c").config_version);
    return struck;
  }

  bool ChangeOfTheVersion(int effect) {
    CreateCluster("one", "redis", 1);
    ChangeCluster("one", [](CacheCluster& cluster) { cluster.engine_version = "7.0.7"; });
    Settle();
    host_.Write(Node("one"), "x");
    ChangeCluster("one", [](CacheCluster& cluster) {
      ASSERT_TRUE(
          ModifyCluster({.engine_version = "7.1", .immediately = true}, {"1a"}, 0, cluster).ok());
    });
    const bool struck = RunKilledBefore(effect);
    // It may be waited for a node that was told to stop by the process before.
    for (int i = 0; i < 300; ++i) {
      Step();
      clock_.Advance(std::chrono::milliseconds(20));
    }
    Settle();
    EXPECT_EQ(Cluster("one").engine_version, "7.1.0") << effect;
    EXPECT_EQ(Cluster("one").status, "available") << effect;
    EXPECT_EQ(Cluster("one").nodes.front().version_change, "") << effect;
    EXPECT_EQ(host_.node(Node("one")).run, 2) << effect;
    EXPECT_EQ(host_.node(Node("one")).data.count("x"), 1u) << effect;
    EXPECT_THAT(host_.snapshots(), IsEmpty()) << effect;
    return struck;
  }

  bool AnotherTypeInTwoBatches(int effect) {
    CreateCluster("mc", "memcached", 2);
    Settle();
    ChangeCluster("mc", [](CacheCluster& cluster) {
      ASSERT_TRUE(ModifyCluster({.node_type = "cache.t3.small",
                                 .scale_percentage = 50,
                                 .scale_interval_minutes = 2,
                                 .immediately = true},
                                {"1a"}, 0, cluster)
                      .ok());
    });
    bool struck = RunKilledBefore(effect);
    Settle();
    clock_.Advance(std::chrono::minutes(2));
    struck = RunKilledBefore(effect) || struck;
    Settle();
    clock_.Advance(std::chrono::minutes(2));
    Settle();
    const CacheCluster cluster = Cluster("mc");
    EXPECT_EQ(cluster.status, "available") << effect;
    EXPECT_EQ(cluster.node_type, "cache.t3.small") << effect;
    EXPECT_FALSE(cluster.HasPendingChange()) << effect;
    EXPECT_EQ(cluster.membership_version, 3) << effect;
    for (const CacheNode& node : cluster.nodes) {
      const FakeNode& seen = host_.node(cluster.NodeId(node));
      EXPECT_EQ(seen.run, 2) << effect;
      EXPECT_EQ(seen.config_version, 3) << effect;
      EXPECT_EQ(node.version_change, "") << effect;
    }
    return struck;
  }
};

TEST(ClustersKilledAtEachEffect, ChangesOfNodesAreFinishedByTheNextProcess) {
  EXPECT_GT(TellWithAKillAtEachEffect(&ClusterStory::ChangesOfNodes), 5);
}

TEST(ClustersKilledAtEachEffect, ANodeOfAnotherVersionHasTheDataOfTheOneBefore) {
  EXPECT_GT(TellWithAKillAtEachEffect(&ClusterStory::ChangeOfTheVersion), 8);
}

TEST(ClustersKilledAtEachEffect, BatchesOfNodesAreFinishedByTheNextProcess) {
  EXPECT_GT(TellWithAKillAtEachEffect(&ClusterStory::AnotherTypeInTwoBatches), 8);
}

}  // namespace
}  // namespace mikura::control
