// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/cache_cluster_workflow.h"

#include "control/model/cluster_modification.h"
#include "control/reconciler/reconciler_fixture.h"

namespace mikura::control {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
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

TEST_F(CacheClusters, OfMemcachedWithTlsHaveCertificatesBeforeTheyStart) {
  CreateCluster("mc", "memcached", 2);
  ChangeCluster("mc", [](CacheCluster& cluster) { cluster.serves_tls = true; });
  Settle();
  EXPECT_EQ(Cluster("mc").status, "available");
  EXPECT_EQ(host_.starts_without_access(), 0);
  const std::string configuration = Cluster("mc").configuration_endpoint.address;
  for (const CacheNode& node : Cluster("mc").nodes) {
    const FakeNode& seen = host_.node(Cluster("mc").NodeId(node));
    EXPECT_TRUE(seen.launch.serves_tls);
    EXPECT_EQ(seen.access.tls_mode, "required");
    EXPECT_THAT(seen.access.addresses, ElementsAre(node.endpoint.address, configuration));
  }
  host_.KillNode("mc-0002-1f2e3d4c");
  Settle();
  EXPECT_EQ(host_.node("mc-0002-1f2e3d4c").access.tls_mode, "required");
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

TEST_F(CacheClusters, OfMemcachedGrowAndTellTheNewNodesWhenTheyAnswer) {
  CreateCluster("mc", "memcached", 2);
  Settle();
  ChangeCluster("mc", [](CacheCluster& cluster) {
    ASSERT_TRUE(
        ModifyCluster({.node_count = 3, .immediately = true}, {"1a", "1c"}, 0, cluster).ok());
  });
  Step();
  EXPECT_EQ(Cluster("mc").status, "modifying");
  EXPECT_EQ(host_.node("mc-0001-1f2e3d4c").config_version, 1);
  Settle();
  EXPECT_EQ(Cluster("mc").status, "available");
  EXPECT_THAT(host_.ServersOf("configuration"), SizeIs(3));
  for (const char* id : {"mc-0001-1f2e3d4c", "mc-0002-1f2e3d4c", "mc-0003-1f2e3d4c"}) {
    EXPECT_EQ(host_.node(id).config_version, 2);
    EXPECT_THAT(host_.node(id).config_nodes, HasSubstr(Cluster("mc").nodes[2].endpoint.address));
  }
  EXPECT_EQ(host_.node("mc-0001-1f2e3d4c").run, 1);
  EXPECT_THAT(Events(), Contains("mc: Added cache node 0003 in availability zone 1a"));
}

TEST_F(CacheClusters, OfMemcachedShrinkAndTellTheOthersFirst) {
  CreateCluster("mc", "memcached", 3);
  Settle();
  ChangeCluster("mc", [](CacheCluster& cluster) {
    ASSERT_TRUE(ModifyCluster({.node_count = 2, .removed_nodes = {"0002"}, .immediately = true},
                              {"1a", "1c"}, 0, cluster)
                    .ok());
  });
  Settle();
  EXPECT_EQ(Cluster("mc").status, "available");
  EXPECT_THAT(Cluster("mc").nodes, SizeIs(2));
  EXPECT_FALSE(host_.Has("mc-0002-1f2e3d4c"));
  const FakeNode& node = host_.node("mc-0003-1f2e3d4c");
  EXPECT_EQ(node.config_version, 2);
  EXPECT_EQ(node.config_nodes, "127.42.0.1|127.42.0.1|11211 127.42.0.3|127.42.0.3|11211");
  EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), SizeIs(3));
  EXPECT_THAT(Events(), Contains("mc: Removed cache node 0002 from availability zone 1a"));
}

TEST_F(CacheClusters, OfMemcachedShrinkAlthoughANodeThatStaysDoesNotAnswer) {
  CreateCluster("mc", "memcached", 3);
  Settle();
  host_.RefuseStarts("no room");
  host_.Kill("mc-0001-1f2e3d4c");
  ChangeCluster("mc", [](CacheCluster& cluster) {
    ASSERT_TRUE(ModifyCluster({.node_count = 2, .removed_nodes = {"0002"}, .immediately = true},
                              {"1a", "1c"}, 0, cluster)
                    .ok());
  });
  for (int i = 0; i < 10; ++i) Step();
  EXPECT_THAT(Cluster("mc").nodes, SizeIs(2));
}

TEST_F(CacheClusters, WhatIsPendingIsDoneInTheMaintenanceWindow) {
  CreateCluster("mc", "memcached", 2);
  Settle();
  ChangeCluster("mc", [](CacheCluster& cluster) {
    ASSERT_TRUE(ModifyCluster({.node_count = 3, .maintenance_window = "wed:05:00-wed:06:00"},
                              {"1a", "1c"}, 0, cluster)
                    .ok());
  });
  // The clock begins on a Tuesday, at 22:13:20.
  Settle();
  EXPECT_THAT(Cluster("mc").nodes, SizeIs(2));
  clock_.Advance(std::chrono::hours(7));
  Settle();
  EXPECT_THAT(Cluster("mc").nodes, SizeIs(3));
  EXPECT_EQ(Cluster("mc").status, "available");
  EXPECT_EQ(Cluster("mc").pending_nodes.count, 0);
}

TEST_F(CacheClusters, ARebootEndsTheProcessOfTheNamedNodeOnce) {
  CreateCluster("mc", "memcached", 2);
  Settle();
  ChangeCluster("mc",
                [](CacheCluster& cluster) { ASSERT_TRUE(RebootNodes({"0002"}, cluster).ok()); });
  Settle();
  EXPECT_EQ(Cluster("mc").status, "available");
  EXPECT_EQ(host_.node("mc-0001-1f2e3d4c").run, 1);
  EXPECT_EQ(host_.node("mc-0002-1f2e3d4c").run, 2);
  EXPECT_EQ(host_.node("mc-0002-1f2e3d4c").config_version, 1);
  EXPECT_THAT(Events(), Contains("mc: Cache node 0002 shutdown"));
  EXPECT_THAT(Events(), Contains("mc: Cache node 0002 restarted"));
  EXPECT_THAT(Events(), Not(Contains(HasSubstr("ecover"))));
}

TEST_F(CacheClusters, ARebootOfANodeThatIsDownIsItsStart) {
  CreateCluster("one", "redis", 1);
  Settle();
  host_.Kill(Node("one"));
  ChangeCluster("one",
                [](CacheCluster& cluster) { ASSERT_TRUE(RebootNodes({"0001"}, cluster).ok()); });
  Settle();
  EXPECT_EQ(Cluster("one").status, "available");
  EXPECT_EQ(host_.node(Node("one")).run, 2);
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
