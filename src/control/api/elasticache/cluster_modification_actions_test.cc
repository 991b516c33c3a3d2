// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/api/api_test_client.h"
#include "control/api/elasticache/elasticache_service.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/cache_cluster.h"
#include "control/model/host_capacity.h"
#include "control/model/replication_group.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;

class ModifyCluster : public ::testing::Test {
 protected:
  ModifyCluster() {
    CHECK(client_
              .Call("CreateCacheCluster",
                    "CacheClusterId=mc&Engine=memcached&CacheNodeType=cache.t3.micro"
                    "&NumCacheNodes=3")
              .status == 200);
  }
  std::string Key() { return CacheClusterKey("000000000000", "ap-northeast-1", "mc"); }
  CacheCluster Record() { return *CacheClusterFromJson((*client_.store().Get(Key()))->value); }
  void MakeAvailable() {
    CacheCluster cluster = Record();
    cluster.status = kStatusAvailable;
    for (CacheNode& node : cluster.nodes) node.status = kStatusAvailable;
    CHECK(client_.store().Transact({}, {Write::Put(Key(), ToJson(cluster))}).ok());
  }
  std::string Outcome(const std::string& action, const std::string& parameters) {
    return client_.Outcome(action, "CacheClusterId=mc" + parameters);
  }

  ApiTestClient client_{"elasticache", "2015-02-02", {ElastiCacheService()}};
};

TEST_F(ModifyCluster, NeedsAClusterThatIsAvailable) {
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&NumCacheNodes=4"), "400 InvalidCacheClusterState");
  EXPECT_EQ(client_.Call("ModifyCacheCluster", "CacheClusterId=none").status, 404);
  EXPECT_EQ(Outcome("RebootCacheCluster", "&CacheNodeIdsToReboot.CacheNodeId.1=0001"),
            "400 InvalidCacheClusterState");
}

TEST_F(ModifyCluster, ShowsWhatIsPending) {
  MakeAvailable();
  const HttpResponse response =
      client_.Call("ModifyCacheCluster",
                   "CacheClusterId=mc&NumCacheNodes=2&CacheNodeIdsToRemove.CacheNodeId.1=0003");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("<CacheClusterStatus>available</CacheClusterStatus>"));
  EXPECT_THAT(response.body, HasSubstr("<PendingModifiedValues><NumCacheNodes>2</NumCacheNodes>"
                                       "<CacheNodeIdsToRemove><CacheNodeId>0003</CacheNodeId>"
                                       "</CacheNodeIdsToRemove>"));
}

TEST_F(ModifyCluster, AppliesAtOnceWhenAsked) {
  MakeAvailable();
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&NumCacheNodes=5&ApplyImmediately=true"), "200 ");
  EXPECT_EQ(Record().status, kStatusModifying);
  EXPECT_EQ(Record().nodes.size(), 5u);
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&NumCacheNodes=5"), "400 InvalidCacheClusterState");
}

TEST_F(ModifyCluster, ChangesAttributesAtOnce) {
  MakeAvailable();
  EXPECT_EQ(Outcome("ModifyCacheCluster",
                    "&PreferredMaintenanceWindow=Mon:05:00-mon:06:30"
                    "&AutoMinorVersionUpgrade=false"),
            "200 ");
  EXPECT_EQ(Record().maintenance_window, "mon:05:00-mon:06:30");
  EXPECT_FALSE(Record().auto_minor_version_upgrade);
  EXPECT_EQ(Record().status, kStatusAvailable);
}

TEST_F(ModifyCluster, RefusesWhatIsWrong) {
  MakeAvailable();
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&NumCacheNodes=2"), "400 InvalidParameterCombination");
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&NumCacheNodes=61"), "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&SecurityGroupIds.SecurityGroupId.1=sg-12345678"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&CacheNodeType=cache.none"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&ScaleConfig.ScalePercentage=50"),
            "400 InvalidParameterCombination");
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&Engine=redis"), "400 InvalidParameterCombination");
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&SnapshotRetentionLimit=2"),
            "400 InvalidParameterCombination");
  EXPECT_EQ(Record().nodes.size(), 3u);
}

TEST_F(ModifyCluster, ShowsATypeThatIsPendingAndItsScale) {
  MakeAvailable();
  const HttpResponse response =
      client_.Call("ModifyCacheCluster",
                   "CacheClusterId=mc&CacheNodeType=cache.t3.small&ScaleConfig.ScalePercentage=50"
                   "&ScaleConfig.ScaleIntervalMinutes=3");
  EXPECT_THAT(response.body, HasSubstr("<CacheNodeType>cache.t3.micro</CacheNodeType>"));
  EXPECT_THAT(response.body,
              HasSubstr("<CacheNodeType>cache.t3.small</CacheNodeType>"
                        "<ScaleConfig><ScalePercentage>50</ScalePercentage><ScaleIntervalMinutes>3"
                        "</ScaleIntervalMinutes></ScaleConfig></PendingModifiedValues>"));
}

TEST_F(ModifyCluster, NeedsRoomForAnotherType) {
  MakeAvailable();
  // Three nodes of 0.375 GiB; the machine has room for three of 1.55.
  const HostCapacity capacity{.memory_bytes = int64_t{5} << 30};
  CHECK(client_.store()
            .Transact({}, {Write::Put(std::string(kHostCapacityKey), ToJson(capacity))})
            .ok());
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&CacheNodeType=cache.m6g.large"),
            "400 InsufficientCacheClusterCapacity");
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&CacheNodeType=cache.t3.small"), "200 ");
  // It is held, and asking again holds it once.
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&CacheNodeType=cache.t3.small"), "200 ");
  EXPECT_EQ(client_.Outcome("CreateCacheCluster",
                            "CacheClusterId=no&Engine=memcached&CacheNodeType=cache.t3.small"
                            "&NumCacheNodes=1"),
            "400 InsufficientCacheClusterCapacity");
  EXPECT_EQ(Outcome("ModifyCacheCluster", "&CacheNodeType=cache.t3.micro"), "200 ");
  EXPECT_EQ(client_.Outcome("CreateCacheCluster",
                            "CacheClusterId=yes&Engine=memcached&CacheNodeType=cache.t3.small"
                            "&NumCacheNodes=1"),
            "200 ");
}

TEST_F(ModifyCluster, RebootMarksNodes) {
  MakeAvailable();
  EXPECT_EQ(Outcome("RebootCacheCluster", "&CacheNodeIdsToReboot.CacheNodeId.1=0009"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("RebootCacheCluster", "&CacheNodeIdsToReboot.CacheNodeId.1=0002"), "200 ");
  EXPECT_EQ(Record().status, "rebooting cluster nodes");
  EXPECT_EQ(Outcome("RebootCacheCluster", "&CacheNodeIdsToReboot.CacheNodeId.1=0002"),
            "400 InvalidCacheClusterState");
}

TEST_F(ModifyCluster, RebootOfAMemberMarksItsGroup) {
  const std::string asked =
      "ReplicationGroupId=demo&ReplicationGroupDescription=d&CacheNodeType=cache.t3.micro"
      "&NumCacheClusters=2";
  ASSERT_EQ(client_.Outcome("CreateReplicationGroup", asked), "200 ");
  const std::string key = ReplicationGroupKey("000000000000", "ap-northeast-1", "demo");
  const std::string member_key = CacheClusterKey("000000000000", "ap-northeast-1", "demo-002");
  const auto reboot = [&] {
    return client_.Outcome("RebootCacheCluster",
                           "CacheClusterId=demo-002&CacheNodeIdsToReboot.CacheNodeId.1=0001");
  };
  EXPECT_EQ(reboot(), "400 InvalidCacheClusterState");
  CacheCluster member = *CacheClusterFromJson((*client_.store().Get(member_key))->value);
  member.status = kStatusAvailable;
  CHECK(client_.store().Transact({}, {Write::Put(member_key, ToJson(member))}).ok());
  // The group is being created still.
  EXPECT_EQ(reboot(), "400 InvalidCacheClusterState");
  ReplicationGroup group = *ReplicationGroupFromJson((*client_.store().Get(key))->value);
  group.status = kStatusAvailable;
  CHECK(client_.store().Transact({}, {Write::Put(key, ToJson(group))}).ok());
  EXPECT_EQ(reboot(), "200 ");
  group = *ReplicationGroupFromJson((*client_.store().Get(key))->value);
  EXPECT_EQ(group.status, kStatusModifying);
  member = *CacheClusterFromJson((*client_.store().Get(member_key))->value);
  EXPECT_EQ(member.nodes.front().reboot, kRebootAsked);
}

}  // namespace
}  // namespace mikura::control
