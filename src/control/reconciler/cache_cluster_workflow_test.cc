// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/cache_cluster_workflow.h"

#include "control/reconciler/reconciler_fixture.h"

namespace mikura::control {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using CacheClusters = ReconcilerFixture;

TEST_F(CacheClusters, OfRedisBecomeAvailableWithOneNode) {
  CreateCluster("one", "redis", 1);
  Settle();
  EXPECT_EQ(Cluster("one").status, "available");
  const FakeNode& node = host_.node(Node("one"));
  EXPECT_EQ(node.launch.endpoint, Cluster("one").nodes[0].endpoint);
  EXPECT_EQ(node.launch.memory_bytes, 402653184);
  EXPECT_THAT(node.listeners, IsEmpty());
}

TEST_F(CacheClusters, OfMemcachedServeOneConfigurationEndpointFromAllNodes) {
  CreateCluster("mc", "memcached", 3);
  Settle();
  EXPECT_EQ(Cluster("mc").status, "available");
  EXPECT_THAT(host_.ServersOf("configuration"), SizeIs(3));
  EXPECT_EQ(Cluster("mc").configuration_endpoint.port, 11211);
}

TEST_F(CacheClusters, OfMemcachedTellEachNodeTheListOfAll) {
  CreateCluster("mc", "memcached", 2);
  Settle();
  const FakeNode& node = host_.node("mc-0002-1f2e3d4c");
  EXPECT_EQ(node.config_version, 1);
  EXPECT_EQ(node.config_nodes, "127.42.0.1|127.42.0.1|11211 127.42.0.2|127.42.0.2|11211");
}

TEST_F(CacheClusters, OfMemcachedTellANodeThatCameBack) {
  CreateCluster("mc", "memcached", 2);
  Settle();
  host_.KillNode("mc-0001-1f2e3d4c");
  Settle();
  EXPECT_EQ(Cluster("mc").status, "available");
  EXPECT_EQ(host_.node("mc-0001-1f2e3d4c").config_version, 1);
  EXPECT_THAT(host_.ServersOf("configuration"), SizeIs(2));
}

TEST_F(CacheClusters, ASingleNodeThatDiesStartsEmptyAndTheEventSaysSo) {
  CreateCluster("one", "redis", 1);
  Settle();
  host_.KillNode(Node("one"));
  Step();
  EXPECT_EQ(Cluster("one").status, "rebooting cluster nodes");
  Settle();
  EXPECT_EQ(Cluster("one").status, "available");
  EXPECT_THAT(Events(), Contains("one: Finished recovery for cache nodes 0001, empty: its data "
                                 "was kept in memory only"));
}

TEST_F(CacheClusters, VanishWithAllTheyHad) {
  CreateCluster("mc", "memcached", 2);
  Settle();
  DeleteCluster("mc");
  Settle();
  EXPECT_FALSE(ClusterExists("mc"));
  EXPECT_EQ(host_.size(), 0u);
  EXPECT_THAT(Keys("/ec/v1/node/"), IsEmpty());
  EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), IsEmpty());
}

}  // namespace
}  // namespace mikura::control
