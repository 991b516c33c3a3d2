// SPDX-License-Identifier: Apache-2.0
// Changes of a replication group as a client sees them. Nothing runs behind the actions here: the
// test makes the group available, and what is stored for the reconciler is looked at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "control/api/api_test_client.h"
#include "control/api/elasticache/elasticache_service.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/cache_cluster.h"
#include "control/model/event.h"
#include "control/model/host_capacity.h"
#include "control/model/node.h"
#include "control/model/replication_group.h"

namespace mikura::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kAccount[] = "000000000000";
constexpr char kRegion[] = "ap-northeast-1";

class GroupActions : public ::testing::Test {
 protected:
  GroupActions() {
    EXPECT_EQ(Outcome("CreateReplicationGroup",
                      "ReplicationGroupId=demo&ReplicationGroupDescription=x"
                      "&CacheNodeType=cache.t3.micro&NumCacheClusters=3"
                      "&AutomaticFailoverEnabled=true"),
              "200 ");
    MakeAvailable();
  }

  std::string Outcome(const std::string& action, const std::string& parameters) {
    return client_.Outcome(action, parameters);
  }
  std::string Demo(const std::string& action, const std::string& parameters) {
    return Outcome(action, "ReplicationGroupId=demo&" + parameters);
  }
  std::string Text(const std::string& action, const std::string& parameters,
                   const std::string& element) {
    return client_.Text(action, "ReplicationGroupId=demo&" + parameters, element);
  }
  std::string Key() { return ReplicationGroupKey(kAccount, kRegion, "demo"); }
  ReplicationGroup Group() {
    return *ReplicationGroupFromJson((*client_.store().Get(Key()))->value);
  }
  CacheCluster Cluster(const std::string& id) {
    const std::string key = CacheClusterKey(kAccount, kRegion, id);
    return *CacheClusterFromJson((*client_.store().Get(key))->value);
  }
  void Change(const std::function<void(ReplicationGroup&)>& change) {
    ReplicationGroup group = Group();
    change(group);
    CHECK(client_.store().Transact({}, {Write::Put(Key(), ToJson(group))}).ok());
  }
  // As if the reconciler had done all that was asked for.
  void MakeAvailable() {
    ShardState state{.epoch = 1};
    const ReplicationGroup group = Group();
    for (const std::string& id : group.member_clusters) {
      const CacheCluster cluster = Cluster(id);
      state.members.push_back(cluster.NodeId(cluster.nodes.front()));
    }
    state.primary = state.members.front();
    CHECK(client_.store()
              .Transact({}, {Write::Put(ShardStateKey(group.ShardKey()), ToJson(state))})
              .ok());
    Change([](ReplicationGroup& each) {
      each.status = kStatusAvailable;
      each.test_failover = each.applying = false;
      each.pending = {};
    });
  }

  ApiTestClient client_{"elasticache", "2015-02-02", {ElastiCacheService()}};
};

TEST_F(GroupActions, MoreReplicasAreStoredAsMembersThatAreBeingCreated) {
  EXPECT_EQ(Text("IncreaseReplicaCount", "NewReplicaCount=4&ApplyImmediately=true", "Status"),
            "modifying modifying");
  EXPECT_THAT(Group().member_clusters,
              ElementsAre("demo-001", "demo-002", "demo-003", "demo-004", "demo-005"));
  EXPECT_EQ(Cluster("demo-005").status, "creating");
  EXPECT_EQ(Cluster("demo-005").replication_group, "demo");
  EXPECT_EQ(Demo("IncreaseReplicaCount", "NewReplicaCount=5&ApplyImmediately=true"),
            "400 InvalidReplicationGroupState");
}

TEST_F(GroupActions, FewerReplicasAreStoredAsMembersThatAreBeingDeleted) {
  EXPECT_EQ(Demo("DecreaseReplicaCount", "NewReplicaCount=1&ApplyImmediately=true"), "200 ");
  EXPECT_EQ(Cluster("demo-003").status, "deleting");
  EXPECT_EQ(Cluster("demo-002").status, "creating");  // as it was
  EXPECT_EQ(Group().status, "modifying");
}

TEST_F(GroupActions, ReplicasAreNamedOnTheWireAsTheModelSays) {
  EXPECT_EQ(
      Demo("DecreaseReplicaCount", "ReplicasToRemove.member.1=demo-002&ApplyImmediately=true"),
      "200 ");
  EXPECT_EQ(Cluster("demo-002").status, "deleting");
  MakeAvailable();
}

TEST_F(GroupActions, ReplicaCountsThatCannotBeAreRefused) {
  EXPECT_EQ(Demo("IncreaseReplicaCount", "NewReplicaCount=2&ApplyImmediately=true"),
            "400 NoOperationFault");
  EXPECT_EQ(Demo("IncreaseReplicaCount", "NewReplicaCount=3&ApplyImmediately=false"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Demo("IncreaseReplicaCount", "NewReplicaCount=3"), "400 MissingParameter");
  EXPECT_EQ(Demo("IncreaseReplicaCount",
                 "ReplicaConfiguration.ConfigureShard.1.NodeGroupId=0009"
                 "&ReplicaConfiguration.ConfigureShard.1.NewReplicaCount=3&ApplyImmediately=true"),
            "404 NodeGroupNotFoundFault");
  EXPECT_EQ(
      Demo("DecreaseReplicaCount", "ReplicasToRemove.member.1=demo-001&ApplyImmediately=true"),
      "400 InvalidParameterValue");
  EXPECT_EQ(Demo("DecreaseReplicaCount", "NewReplicaCount=0&ApplyImmediately=true"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("IncreaseReplicaCount",
                    "ReplicationGroupId=none&NewReplicaCount=3&ApplyImmediately=true"),
            "404 ReplicationGroupNotFoundFault");
}

TEST_F(GroupActions, AClusterIsCreatedAsAReplicaOfTheGroup) {
  const std::string create = "CacheClusterId=more&ReplicationGroupId=demo";
  EXPECT_EQ(Outcome("CreateCacheCluster", create + "&CacheNodeType=cache.t3.small"),
            "400 InvalidParameterCombination");
  EXPECT_EQ(Outcome("CreateCacheCluster", create + "&PreferredAvailabilityZone=ap-northeast-1c"),
            "200 ");
  EXPECT_EQ(Group().member_clusters.back(), "more");
  EXPECT_EQ(Group().status, "modifying");
  EXPECT_EQ(Cluster("more").node_type, "cache.t3.micro");
  EXPECT_EQ(Cluster("more").PreferredZone(), "ap-northeast-1c");
  MakeAvailable();
  EXPECT_EQ(Outcome("CreateCacheCluster", create), "400 CacheClusterAlreadyExists");
  EXPECT_EQ(Outcome("CreateCacheCluster", "CacheClusterId=x&ReplicationGroupId=none"),
            "404 ReplicationGroupNotFoundFault");
}

TEST_F(GroupActions, AReplicaIsDeletedAsAClusterAndThePrimaryIsNot) {
  EXPECT_EQ(Outcome("DeleteCacheCluster", "CacheClusterId=demo-001"),
            "400 InvalidCacheClusterState");
  EXPECT_EQ(Outcome("DeleteCacheCluster", "CacheClusterId=demo-002"), "200 ");
  EXPECT_EQ(Cluster("demo-002").status, "deleting");
  EXPECT_EQ(Group().status, "modifying");
}

TEST_F(GroupActions, ATestOfFailoverIsStoredAndTold) {
  EXPECT_EQ(Demo("TestFailover", "NodeGroupId=0001"), "200 ");
  EXPECT_TRUE(Group().test_failover);
  EXPECT_EQ(Group().status, "modifying");
  const auto events = client_.store().List(kEventsPrefix);
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ(EventFromJson(events->front().value)->message,
            "Test Failover API called for node group 0001");
  EXPECT_EQ(Demo("TestFailover", "NodeGroupId=0001"), "400 InvalidReplicationGroupState");
}

TEST_F(GroupActions, ATestOfFailoverNeedsTheNodeGroupAndAutomaticFailover) {
  EXPECT_EQ(Demo("TestFailover", "NodeGroupId=0002"), "404 NodeGroupNotFoundFault");
  EXPECT_EQ(Demo("TestFailover", ""), "400 MissingParameter");
  Change([](ReplicationGroup& group) { group.automatic_failover = false; });
  EXPECT_EQ(Demo("TestFailover", "NodeGroupId=0001"), "400 TestFailoverNotAvailableFault");
}

TEST_F(GroupActions, FifteenTestsOfFailoverADayAreAdmitted) {
  for (int i = 0; i < 15; ++i) {
    ASSERT_EQ(Demo("TestFailover", "NodeGroupId=0001"), "200 ") << i;
    MakeAvailable();
  }
  EXPECT_EQ(Demo("TestFailover", "NodeGroupId=0001"), "400 APICallRateForCustomerExceeded");
  client_.clock().Advance(std::chrono::hours(24));
  EXPECT_EQ(Demo("TestFailover", "NodeGroupId=0001"), "200 ");
}

TEST_F(GroupActions, AttributesOfTheRecordTakeEffectAtOnce) {
  EXPECT_EQ(Demo("ModifyReplicationGroup",
                 "ReplicationGroupDescription=new&PreferredMaintenanceWindow=Sun:05:00-sun:07:00"
                 "&SnapshotWindow=03:00-05:00&AutoMinorVersionUpgrade=false"),
            "200 ");
  EXPECT_EQ(Group().description, "new");
  EXPECT_EQ(Group().status, "available");
  EXPECT_EQ(Cluster("demo-002").maintenance_window, "sun:05:00-sun:07:00");
  EXPECT_EQ(Cluster("demo-002").snapshot_window, "03:00-05:00");
  EXPECT_FALSE(Cluster("demo-003").auto_minor_version_upgrade);
}

TEST_F(GroupActions, SnapshotsAreKeptForAsManyDaysAsSaid) {
  EXPECT_EQ(
      Demo("ModifyReplicationGroup", "SnapshotRetentionLimit=3&SnapshottingClusterId=demo-002"),
      "200 ");
  EXPECT_EQ(Group().snapshot_retention_limit, 3);
  EXPECT_EQ(Group().snapshotting_cluster, "demo-002");
  EXPECT_NE(Group().snapshot_window, "");
  EXPECT_EQ(Cluster("demo-003").snapshot_retention_limit, 3);
  EXPECT_EQ(Demo("ModifyReplicationGroup", "SnapshotRetentionLimit=36"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "SnapshottingClusterId=other"),
            "400 InvalidParameterValue");
}

TEST_F(GroupActions, NodesThatJoinOrReplaceMustFitIntoTheMachine) {
  const HostCapacity machine{.memory_bytes = int64_t{2} << 30, .scale_millionths = 1'000'000};
  CHECK(client_.store()
            .Transact({}, {Write::Put(std::string(kHostCapacityKey), ToJson(machine))})
            .ok());
  EXPECT_EQ(Demo("IncreaseReplicaCount", "NewReplicaCount=4&ApplyImmediately=true"),
            "400 InsufficientCacheClusterCapacity");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "CacheNodeType=cache.t3.small&ApplyImmediately=true"),
            "400 InsufficientCacheClusterCapacity");
  EXPECT_EQ(Group().pending.node_type, "");
  EXPECT_EQ(Demo("IncreaseReplicaCount", "NewReplicaCount=3&ApplyImmediately=true"), "200 ");
}

TEST_F(GroupActions, AParameterGroupOfAUserIsTaken) {
  EXPECT_EQ(Outcome("CreateCacheParameterGroup",
                    "CacheParameterGroupName=mine&CacheParameterGroupFamily=redis7&Description=d"),
            "200 ");
  EXPECT_EQ(
      Outcome("CreateCacheParameterGroup",
              "CacheParameterGroupName=other&CacheParameterGroupFamily=valkey8&Description=d"),
      "200 ");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "CacheParameterGroupName=other"),
            "400 InvalidParameterCombination");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "CacheParameterGroupName=mine"), "200 ");
  EXPECT_EQ(Cluster("demo-002").parameter_group, "mine");
  EXPECT_EQ(Outcome("DeleteCacheParameterGroup", "CacheParameterGroupName=mine"),
            "400 InvalidCacheParameterGroupState");
}

TEST_F(GroupActions, AnotherNodeTypeWaitsForTheWindowOrIsAppliedAtOnce) {
  EXPECT_EQ(Demo("ModifyReplicationGroup", "CacheNodeType=cache.t3.small"), "200 ");
  EXPECT_EQ(Group().pending.node_type, "cache.t3.small");
  EXPECT_FALSE(Group().applying);
  EXPECT_EQ(Group().status, "available");
  EXPECT_THAT(client_.Call("DescribeCacheClusters", "CacheClusterId=demo-001").body,
              HasSubstr("<CacheNodeType>cache.t3.small</CacheNodeType>"));
  EXPECT_EQ(Demo("ModifyReplicationGroup", "ReplicationGroupDescription=y&ApplyImmediately=true"),
            "200 ");
  EXPECT_TRUE(Group().applying);
  EXPECT_EQ(Group().status, "modifying");
}

TEST_F(GroupActions, APendingNodeTypeIsTakenBackByTheOneThatIs) {
  Demo("ModifyReplicationGroup", "CacheNodeType=cache.t3.small");
  Demo("ModifyReplicationGroup", "CacheNodeType=cache.t3.micro");
  EXPECT_TRUE(Group().pending.empty());
  EXPECT_EQ(Cluster("demo-001").pending_node_type, "");
}

TEST_F(GroupActions, AnotherPrimaryIsAPendingChange) {
  EXPECT_THAT(client_
                  .Call("ModifyReplicationGroup",
                        "ReplicationGroupId=demo&PrimaryClusterId=demo-003&ApplyImmediately=true")
                  .body,
              HasSubstr("<PrimaryClusterId>demo-003</PrimaryClusterId>"));
  EXPECT_EQ(Group().pending.primary_cluster, "demo-003");
  EXPECT_EQ(Group().status, "modifying");
}

TEST_F(GroupActions, ThePrimaryThatIsNeedsNoChange) {
  EXPECT_EQ(Demo("ModifyReplicationGroup", "PrimaryClusterId=demo-001&ApplyImmediately=true"),
            "200 ");
  EXPECT_EQ(Group().status, "available");
}

TEST_F(GroupActions, ValkeyTakesTheDefaultParameterGroupOfItsFamily) {
  EXPECT_EQ(Demo("ModifyReplicationGroup", "Engine=valkey&EngineVersion=7.2&ApplyImmediately=true"),
            "200 ");
  EXPECT_EQ(Group().pending.engine, "valkey");
  EXPECT_EQ(Group().pending.engine_version, "7.2.6");
  EXPECT_EQ(Group().pending.parameter_group, "default.valkey7");
  EXPECT_EQ(Cluster("demo-001").pending_engine_version, "7.2.6");
}

TEST_F(GroupActions, AnUpgradeGoesForwardOnly) {
  EXPECT_EQ(Demo("ModifyReplicationGroup", "EngineVersion=7.0&ApplyImmediately=true"),
            "400 InvalidParameterCombination");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "Engine=memcached&ApplyImmediately=true"),
            "400 InvalidParameterCombination");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "EngineVersion=9.9&ApplyImmediately=true"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "EngineVersion=7.1&ApplyImmediately=true"), "200 ");
  EXPECT_EQ(Group().status, "available");
}

TEST_F(GroupActions, AModificationThatCannotBeIsRefused) {
  EXPECT_EQ(Demo("ModifyReplicationGroup", ""), "400 InvalidParameterCombination");
  EXPECT_EQ(Text("ModifyReplicationGroup", "ApplyImmediately=true", "Message"),
            "No modifications were requested");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "CacheNodeType=cache.none"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "PrimaryClusterId=other"), "400 InvalidParameterValue");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "PreferredMaintenanceWindow=sun"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "NotificationTopicArn=arn:aws:sns:x"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "SecurityGroupIds.SecurityGroupId.1=sg-99999999"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "NodeGroupId=0007&CacheNodeType=cache.t3.small"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Demo("ModifyReplicationGroup", "CacheParameterGroupName=none"),
            "404 CacheParameterGroupNotFound");
}

TEST_F(GroupActions, MultiAzAndAutomaticFailoverGoTogether) {
  EXPECT_EQ(Demo("ModifyReplicationGroup", "MultiAZEnabled=true"), "200 ");
  EXPECT_TRUE(Group().multi_az);
  EXPECT_EQ(Demo("ModifyReplicationGroup", "AutomaticFailoverEnabled=false"),
            "400 InvalidParameterCombination");
  EXPECT_EQ(Text("ModifyReplicationGroup", "AutomaticFailoverEnabled=false&MultiAZEnabled=false",
                 "AutomaticFailoverStatus"),
            "disabled");
  EXPECT_FALSE(Group().multi_az);
  EXPECT_TRUE(Group().automatic_failover);
}

TEST_F(GroupActions, WhatIsNotEncryptedSaysSo) {
  EXPECT_EQ(Text("DescribeReplicationGroups", "", "StorageEncryptionType"), "none");
}

}  // namespace
}  // namespace mikura::control
