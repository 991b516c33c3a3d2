// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/replication_group_workflow.h"

#include <chrono>

#include "control/model/cluster_modification.h"
#include "control/reconciler/reconciler_fixture.h"

namespace mikura::control {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using std::chrono_literals::operator""ms;

using ReplicationGroups = ReconcilerFixture;

TEST_F(ReplicationGroups, BecomeAvailableWithOnePrimaryAndItsReplicas) {
  CreateGroup("demo", 3);
  Settle();
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_TRUE(host_.node(Node("demo-001")).is_primary);
  for (const char* replica : {"demo-002", "demo-003"}) {
    EXPECT_EQ(host_.node(Node(replica)).follows, Cluster("demo-001").nodes[0].endpoint);
    EXPECT_EQ(Cluster(replica).status, "available");
    EXPECT_EQ(Cluster(replica).nodes[0].status, "available");
  }
  EXPECT_THAT(Shard("demo").in_sync, SizeIs(3));
}

TEST_F(ReplicationGroups, GiveEachNodeAndEndpointItsOwnAddressOnThePort) {
  CreateGroup("demo", 2);
  Settle();
  std::set<std::string> addresses;
  for (const Endpoint& endpoint :
       {Group("demo").primary_endpoint, Group("demo").reader_endpoint,
        Cluster("demo-001").nodes[0].endpoint, Cluster("demo-002").nodes[0].endpoint}) {
    EXPECT_EQ(endpoint.port, 6379);
    addresses.insert(endpoint.address);
  }
  EXPECT_THAT(addresses, ElementsAre("127.42.0.1", "127.42.0.2", "127.42.0.3", "127.42.0.4"));
}

TEST_F(ReplicationGroups, ServeThePrimaryEndpointFromThePrimaryAndTheReaderFromReplicas) {
  CreateGroup("demo", 3);
  Settle();
  EXPECT_THAT(host_.ServersOf("primary"), ElementsAre(Node("demo-001")));
  EXPECT_THAT(host_.ServersOf("reader"), ElementsAre(Node("demo-002"), Node("demo-003")));
}

TEST_F(ReplicationGroups, ServeTheReaderFromThePrimaryWithoutReplicas) {
  CreateGroup("solo", 1, false);
  Settle();
  EXPECT_EQ(Group("solo").status, "available");
  EXPECT_THAT(host_.ServersOf("reader"), ElementsAre(Node("solo-001")));
}

TEST_F(ReplicationGroups, AreNotAvailableBeforeTheReplicasHoldTheData) {
  host_.HoldCopies(true);
  CreateGroup("demo", 2);
  for (int i = 0; i < 20; ++i) Step();
  EXPECT_EQ(Group("demo").status, "creating");
  EXPECT_EQ(Cluster("demo-002").status, "creating");
  host_.HoldCopies(false);
  Settle();
  EXPECT_EQ(Group("demo").status, "available");
}

TEST_F(ReplicationGroups, AtRestChangeNothing) {
  CreateGroup("demo", 3);
  Settle();
  const int before = store_.transactions();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Step());
  EXPECT_EQ(store_.transactions(), before);
}

TEST_F(ReplicationGroups, ARestartOfTheControlProcessChangesNothing) {
  CreateGroup("demo", 3);
  Settle();
  const int transactions = store_.transactions();
  const int starts = host_.starts();
  Restart();
  Settle();
  EXPECT_EQ(store_.transactions(), transactions);
  EXPECT_EQ(host_.starts(), starts);
}

TEST_F(ReplicationGroups, VanishWithAllTheyHad) {
  CreateGroup("demo", 3);
  CreateGroup("other", 1, false);
  Settle();
  DeleteGroup("demo");
  Settle();
  EXPECT_FALSE(GroupExists("demo"));
  EXPECT_FALSE(ClusterExists("demo-001"));
  EXPECT_FALSE(host_.Has(Node("demo-001")));
  EXPECT_THAT(Keys("/ec/v1/node/"), SizeIs(3));
  EXPECT_THAT(Keys("/ec/v1/shard/"), SizeIs(1));
  EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), SizeIs(3));
  EXPECT_EQ(Group("other").status, "available");
}

TEST_F(ReplicationGroups, CanBeDeletedBeforeTheyHaveAnything) {
  CreateGroup("demo", 2);
  DeleteGroup("demo");
  Settle();
  EXPECT_FALSE(GroupExists("demo"));
  EXPECT_THAT(Keys("/ec/v1/acct/"), IsEmpty());
}

TEST_F(ReplicationGroups, AnAddressIsNotUsedAgainSoon) {
  CreateGroup("demo", 1, false);
  Settle();
  const Endpoint before = Group("demo").primary_endpoint;
  DeleteGroup("demo");
  Settle();
  creation_.incarnation = "2a2a2a2a";
  CreateGroup("demo", 1, false);
  Settle();
  EXPECT_NE(Group("demo").primary_endpoint, before);
}

TEST_F(ReplicationGroups, WaitWhileThePortIsTakenEverywhere) {
  host_.TakePortEverywhere(true);
  CreateGroup("demo", 2);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Step());
  EXPECT_EQ(Group("demo").status, "creating");
  host_.TakePortEverywhere(false);
  Settle();
  EXPECT_EQ(Group("demo").status, "available");
}

TEST_F(ReplicationGroups, AReplicaThatDiesIsStartedAgainAndCopiesAnew) {
  CreateGroup("demo", 2);
  Settle();
  host_.Write(Node("demo-001"), "x");
  host_.KillNode(Node("demo-002"));
  Step();
  EXPECT_EQ(Group("demo").status, "modifying");
  Settle();
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_EQ(host_.node(Node("demo-002")).data.count("x"), 1u);
  EXPECT_EQ(Shard("demo").primary, Node("demo-001"));
  EXPECT_THAT(Events(), Contains("demo-002: Finished recovery for cache nodes 0001"));
}

TEST_F(ReplicationGroups, ANodeThatDiesAgainAndAgainIsStartedEverMoreSlowly) {
  CreateGroup("demo", 2);
  Settle();
  const int before = host_.starts();
  for (int i = 0; i < 1000; ++i) {  // 20 seconds
    if (host_.node(Node("demo-002")).running) host_.KillNode(Node("demo-002"));
    Step();
    clock_.Advance(20ms);
  }
  // 0, 0.5, 1, 2, 4, 8 seconds apart.
  EXPECT_GE(host_.starts() - before, 5);
  EXPECT_LE(host_.starts() - before, 8);
  EXPECT_EQ(Cluster("demo-002").status, "rebooting cluster nodes");
  EXPECT_EQ(NodeStatusFromJson((*store_.Get("/ec/v1/node/" + Node("demo-002") + "/status"))->value)
                ->state,
            "failing");
  clock_.Advance(30'000ms);
  Settle();
  EXPECT_EQ(Group("demo").status, "available");
}

TEST_F(ReplicationGroups, AProcessThatCannotBeStartedIsTriedAgain) {
  host_.RefuseStarts("no such file");
  CreateGroup("demo", 1, false);
  for (int i = 0; i < 5; ++i) Step();
  EXPECT_EQ(Group("demo").status, "creating");
  const auto status = (*store_.Get("/ec/v1/node/" + Node("demo-001") + "/status"))->value;
  EXPECT_EQ(NodeStatusFromJson(status)->detail, "no such file");
  host_.RefuseStarts("");
  clock_.Advance(60'000ms);
  Settle();
  EXPECT_EQ(Group("demo").status, "available");
}

TEST_F(ReplicationGroups, LeaveTheirPrimaryBehindWhenThatIsAsked) {
  CreateGroup("demo", 3);
  Settle();
  host_.Write(Node("demo-001"), "x");
  ChangeGroup("demo", [](ReplicationGroup& group) {
    group.status = kStatusDeleting;
    group.retained_cluster = "demo-001";
    group.snapshot_retention_limit = 3;
    group.held_keys = {"/use/subnet-1/replicationgroup/demo"};
  });
  const Endpoint endpoint = Cluster("demo-001").nodes.front().endpoint;
  Settle();
  EXPECT_FALSE(GroupExists("demo"));
  EXPECT_FALSE(ClusterExists("demo-002"));
  EXPECT_EQ(host_.size(), 1u);
  const CacheCluster alone = Cluster("demo-001");
  EXPECT_EQ(alone.replication_group, "");
  EXPECT_EQ(alone.status, "available");
  EXPECT_EQ(alone.snapshot_retention_limit, 3);
  EXPECT_EQ(alone.nodes.front().endpoint, endpoint);
  EXPECT_THAT(Keys("/use/"), ElementsAre("/use/subnet-1/cluster/demo-001"));
  EXPECT_THAT(host_.node(Node("demo-001")).listeners, IsEmpty());
  EXPECT_EQ(host_.node(Node("demo-001")).data.count("x"), 1u);
  EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), SizeIs(1));
  // From now on it is a cluster as any other.
  host_.KillNode(Node("demo-001"));
  Settle();
  EXPECT_EQ(host_.node(Node("demo-001")).run, 2);
  DeleteCluster("demo-001");
  Settle();
  EXPECT_THAT(Keys("/ec/v1/acct/"), IsEmpty());
  EXPECT_THAT(Keys("/ec/v1/node/"), IsEmpty());
  EXPECT_THAT(Keys("/use/"), IsEmpty());
  EXPECT_EQ(host_.size(), 0u);
}

TEST_F(ReplicationGroups, LeaveTheirPrimaryItsTlsAndToken) {
  CreateGroup("demo", 2);
  ChangeGroup("demo", [](ReplicationGroup& group) {
    group.access.wanted.auth_token_hashes = {"abc"};
    group.access.wanted.tls_mode = kTlsRequired;
  });
  Settle();
  ChangeGroup("demo", [](ReplicationGroup& group) {
    group.status = kStatusDeleting;
    group.retained_cluster = "demo-001";
  });
  Settle();
  const auto expect_closed = [&](int run) {
    const NodeAccess& access = host_.node(Node("demo-001")).access;
    EXPECT_EQ(access.users, "user default on ~* &* +@all #abc\n");
    EXPECT_EQ(access.tls_mode, kTlsRequired);
    EXPECT_THAT(access.addresses, ElementsAre(Cluster("demo-001").nodes.front().endpoint.address));
    EXPECT_EQ(host_.node(Node("demo-001")).run, run);
    EXPECT_EQ(Cluster("demo-001").status, "available");
  };
  Settle();
  expect_closed(1);
  host_.KillNode(Node("demo-001"));
  Settle();
  expect_closed(2);
  EXPECT_EQ(host_.starts_without_access(), 0);
}

class RebootedMember : public ReplicationGroups {
 protected:
  void Reboot(const std::string& id) {
    ChangeCluster(id,
                  [](CacheCluster& cluster) { ASSERT_TRUE(RebootNodes({"0001"}, cluster).ok()); });
    ChangeGroup("demo", [](ReplicationGroup& group) { group.status = kStatusModifying; });
  }
  void CreateDemo(int64_t nodes) {
    CreateGroup("demo", nodes, nodes > 1);
    Settle();
    host_.Write(Node("demo-001"), "x");
    begin_ = Events().size();
  }
  std::vector<std::string> NewEvents() {
    const std::vector<std::string> events = Events();
    return {events.begin() + static_cast<ptrdiff_t>(begin_), events.end()};
  }
  size_t begin_ = 0;
};

TEST_F(RebootedMember, AReplicaStartsAgainOnceAndCopiesTheData) {
  CreateDemo(3);
  Reboot("demo-002");
  EXPECT_EQ(Cluster("demo-002").status, "rebooting cluster nodes");
  Settle();
  EXPECT_EQ(host_.node(Node("demo-002")).run, 2);
  EXPECT_EQ(host_.node(Node("demo-002")).data.count("x"), 1u);
  EXPECT_EQ(Cluster("demo-002").status, "available");
  EXPECT_EQ(Cluster("demo-002").nodes.front().reboot, "");
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_EQ(Shard("demo").epoch, 1);
  EXPECT_THAT(NewEvents(), ElementsAre("demo-002: Cache node 0001 shutdown",
                                       "demo-002: Cache node 0001 restarted"));
}

// As in ElastiCache: no failover, and what it held is lost on the replicas too.
TEST_F(RebootedMember, APrimaryLeadsAgainWithoutItsData) {
  CreateDemo(3);
  Reboot("demo-001");
  Settle();
  EXPECT_EQ(Shard("demo").primary, Node("demo-001"));
  EXPECT_EQ(Shard("demo").epoch, 1);
  EXPECT_EQ(host_.node(Node("demo-001")).run, 2);
  for (const char* id : {"demo-001", "demo-002", "demo-003"}) {
    EXPECT_TRUE(host_.node(Node(id)).data.empty()) << id;
  }
  EXPECT_EQ(host_.node(Node("demo-002")).run, 1);
  EXPECT_THAT(Shard("demo").in_sync, SizeIs(3));
  EXPECT_THAT(host_.ServersOf("primary"), ElementsAre(Node("demo-001")));
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_THAT(NewEvents(), ElementsAre("demo-001: Cache node 0001 shutdown",
                                       "demo-001: Cache node 0001 restarted"));
}

TEST_F(RebootedMember, AllAtOnceStartAgain) {
  CreateDemo(3);
  for (const char* id : {"demo-001", "demo-002", "demo-003"}) Reboot(id);
  Settle();
  for (const char* id : {"demo-001", "demo-002", "demo-003"}) {
    EXPECT_EQ(host_.node(Node(id)).run, 2) << id;
    EXPECT_EQ(Cluster(id).status, "available");
  }
  EXPECT_EQ(Shard("demo").epoch, 1);
}

TEST_F(RebootedMember, IsNoneThatMayLeadWhenThePrimaryIsLostMeanwhile) {
  CreateDemo(3);
  Reboot("demo-002");
  host_.KillNode(Node("demo-001"));
  Settle();
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_EQ(host_.node(Shard("demo").primary).data.count("x"), 1u);
  EXPECT_EQ(Cluster("demo-002").nodes.front().reboot, "");
}

}  // namespace
}  // namespace mikura::control
