// SPDX-License-Identifier: Apache-2.0
// The actions as a client sees them: signed requests in, XML out. Nothing runs behind them here, so
// what is created stays "creating".
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "control/api/api_test_client.h"
#include "control/api/elasticache/elasticache_service.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/cache_cluster.h"
#include "control/model/node.h"
#include "control/model/replication_group.h"
#include "control/model/security_group.h"
#include "control/model/subnet.h"
#include "control/model/vpc.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;

constexpr char kNetwork[] = "/ec/v1/acct/000000000000/ap-northeast-1/ec2/";

class ElastiCache : public ::testing::Test {
 protected:
  ElastiCache() {
    Network("vpc/vpc-11111111", ToJson(Vpc{.id = "vpc-11111111", .cidr = "10.0.0.0/16"}));
    Network("subnet/subnet-aaaaaaaa", ToJson(Subnet{.id = "subnet-aaaaaaaa",
                                                    .vpc_id = "vpc-11111111",
                                                    .cidr = "10.0.1.0/24",
                                                    .zone = "ap-northeast-1a"}));
    Network("subnet/subnet-cccccccc", ToJson(Subnet{.id = "subnet-cccccccc",
                                                    .vpc_id = "vpc-11111111",
                                                    .cidr = "10.0.2.0/24",
                                                    .zone = "ap-northeast-1c"}));
    Network("sg/sg-11111111",
            ToJson(SecurityGroup{.id = "sg-11111111", .vpc_id = "vpc-11111111", .name = "g"}));
  }

  void Network(const std::string& key, const std::string& value) {
    CHECK(client_.store().Transact({}, {Write::Put(kNetwork + key, value)}).ok());
  }
  std::string Call(const std::string& action, const std::string& parameters) {
    return client_.Call(action, parameters).body;
  }
  // "400 ReplicationGroupAlreadyExists", or "200 ".
  std::string Outcome(const std::string& action, const std::string& parameters) {
    return client_.Outcome(action, parameters);
  }
  std::string Text(const std::string& action, const std::string& parameters,
                   const std::string& element) {
    return client_.Text(action, parameters, element);
  }
  std::string CreateSubnetGroup() {
    return Outcome("CreateCacheSubnetGroup",
                   "CacheSubnetGroupName=SN&CacheSubnetGroupDescription=x"
                   "&SubnetIds.SubnetIdentifier.1=subnet-aaaaaaaa"
                   "&SubnetIds.SubnetIdentifier.2=subnet-cccccccc");
  }
  std::string CreateDemo(const std::string& more = "") {
    return Outcome("CreateReplicationGroup",
                   "ReplicationGroupId=Demo&ReplicationGroupDescription=d"
                   "&CacheNodeType=cache.t3.micro&NumCacheClusters=2" +
                       more);
  }
  // What the reconciler would have observed.
  void MakeAvailable(const std::string& id) {
    const std::string group_key = ReplicationGroupKey("000000000000", "ap-northeast-1", id);
    ReplicationGroup group = *ReplicationGroupFromJson((*client_.store().Get(group_key))->value);
    group.status = kStatusAvailable;
    group.primary_endpoint = {"127.42.0.1", 6379};
    group.reader_endpoint = {"127.42.0.2", 6379};
    ShardState shard{.epoch = 2};
    std::vector<Write> writes = {Write::Put(group_key, ToJson(group))};
    for (const std::string& member_id : group.member_clusters) {
      const std::string key = CacheClusterKey("000000000000", "ap-northeast-1", member_id);
      CacheCluster member = *CacheClusterFromJson((*client_.store().Get(key))->value);
      member.status = kStatusAvailable;
      member.nodes[0].endpoint = {"127.42.0.9", 6379};
      shard.primary = member.NodeId(member.nodes[0]);
      writes.push_back(Write::Put(key, ToJson(member)));
    }
    writes.push_back(Write::Put(ShardStateKey(group.ShardKey()), ToJson(shard)));
    CHECK(client_.store().Transact({}, writes).ok());
  }

  // change: of the shard's state, given the node id of the group's first member.
  template <typename Change>
  void ChangeShard(const std::string& id, const Change& change) {
    MetadataStore& store = client_.store();
    const auto value = [&](const std::string& key) { return (*store.Get(key))->value; };
    const ReplicationGroup group =
        *ReplicationGroupFromJson(value(ReplicationGroupKey("000000000000", "ap-northeast-1", id)));
    const CacheCluster first = *CacheClusterFromJson(
        value(CacheClusterKey("000000000000", "ap-northeast-1", group.member_clusters.front())));
    const std::string key = ShardStateKey(group.ShardKey());
    ShardState shard = *ShardStateFromJson(value(key));
    change(shard, first.NodeId(first.nodes[0]));
    CHECK(store.Transact({}, {Write::Put(key, ToJson(shard))}).ok());
  }

  ApiTestClient client_{"elasticache", "2015-02-02", {ElastiCacheService()}};
};

TEST_F(ElastiCache, SubnetGroupsTellTheirVpcAndZones) {
  ASSERT_EQ(CreateSubnetGroup(), "200 ");
  const std::string body = Call("DescribeCacheSubnetGroups", "CacheSubnetGroupName=sn");
  EXPECT_THAT(body, HasSubstr("<VpcId>vpc-11111111</VpcId>"));
  EXPECT_THAT(body, HasSubstr("<SubnetAvailabilityZone><Name>ap-northeast-1c</Name>"));
  EXPECT_THAT(body,
              HasSubstr("<ARN>arn:aws:elasticache:ap-northeast-1:000000000000:subnetgroup:sn"));
}

TEST_F(ElastiCache, SubnetGroupsFailWithTheCodesOfTheService) {
  ASSERT_EQ(CreateSubnetGroup(), "200 ");
  EXPECT_EQ(CreateSubnetGroup(), "400 CacheSubnetGroupAlreadyExists");
  EXPECT_EQ(Outcome("DescribeCacheSubnetGroups", "CacheSubnetGroupName=no"),
            "400 CacheSubnetGroupNotFoundFault");
  EXPECT_EQ(Outcome("CreateCacheSubnetGroup",
                    "CacheSubnetGroupName=b&CacheSubnetGroupDescription=x"
                    "&SubnetIds.SubnetIdentifier.1=subnet-99999999"),
            "400 InvalidSubnet");
}

TEST_F(ElastiCache, ASubnetGroupInUseIsKeptUntilItsUserIsGone) {
  ASSERT_EQ(CreateSubnetGroup(), "200 ");
  ASSERT_EQ(CreateDemo("&CacheSubnetGroupName=sn"), "200 ");
  EXPECT_EQ(Outcome("DeleteCacheSubnetGroup", "CacheSubnetGroupName=sn"),
            "400 CacheSubnetGroupInUse");
  EXPECT_EQ(Outcome("ModifyCacheSubnetGroup",
                    "CacheSubnetGroupName=sn&SubnetIds.SubnetIdentifier.1=subnet-aaaaaaaa"),
            "400 SubnetInUse");
}

TEST_F(ElastiCache, AnUnusedSubnetGroupIsChangedAndDeleted) {
  ASSERT_EQ(CreateSubnetGroup(), "200 ");
  EXPECT_EQ(Text("ModifyCacheSubnetGroup",
                 "CacheSubnetGroupName=sn&SubnetIds.SubnetIdentifier.1=subnet-aaaaaaaa",
                 "SubnetIdentifier"),
            "subnet-aaaaaaaa");
  EXPECT_EQ(Outcome("DeleteCacheSubnetGroup", "CacheSubnetGroupName=sn"), "200 ");
  EXPECT_EQ(Outcome("DeleteCacheSubnetGroup", "CacheSubnetGroupName=sn"),
            "400 CacheSubnetGroupNotFoundFault");
}

TEST_F(ElastiCache, ANewGroupIsCreatingWithItsMembersNamed) {
  ASSERT_EQ(CreateDemo("&AutomaticFailoverEnabled=true&MultiAZEnabled=true"), "200 ");
  const std::string body = Call("DescribeReplicationGroups", "ReplicationGroupId=DEMO");
  EXPECT_THAT(body, HasSubstr("<Status>creating</Status>"));
  EXPECT_THAT(body, HasSubstr("<ClusterId>demo-001</ClusterId><ClusterId>demo-002</ClusterId>"));
  EXPECT_THAT(body, HasSubstr("<AutomaticFailover>enabled</AutomaticFailover>"));
  EXPECT_THAT(body, HasSubstr("<MultiAZ>enabled</MultiAZ>"));
  EXPECT_THAT(body, HasSubstr("<ClusterEnabled>false</ClusterEnabled>"));
  EXPECT_EQ(body.find("PrimaryEndpoint"), std::string::npos);
}

TEST_F(ElastiCache, AnAvailableGroupTellsEndpointsAndRoles) {
  ASSERT_EQ(CreateDemo(), "200 ");
  MakeAvailable("demo");
  const std::string body = Call("DescribeReplicationGroups", "");
  EXPECT_THAT(body, HasSubstr("<PrimaryEndpoint><Address>127.42.0.1</Address><Port>6379</Port>"));
  EXPECT_THAT(body, HasSubstr("<ReaderEndpoint><Address>127.42.0.2</Address>"));
  // Members stay in the order of their creation, whoever is primary.
  EXPECT_EQ(Text("DescribeReplicationGroups", "", "CurrentRole"), "replica primary");
}

TEST_F(ElastiCache, ANewPrimaryIsToldWhenItServesTheEndpoint) {
  ASSERT_EQ(CreateDemo(), "200 ");
  MakeAvailable("demo");
  ChangeShard("demo", [](ShardState& shard, const std::string& first) {
    shard.failover_from = std::exchange(shard.primary, first);
  });
  EXPECT_EQ(Text("DescribeReplicationGroups", "", "CurrentRole"), "replica primary");
  ChangeShard("demo", [](ShardState& shard, const std::string&) { shard.failover_from.clear(); });
  EXPECT_EQ(Text("DescribeReplicationGroups", "", "CurrentRole"), "primary replica");
}

TEST_F(ElastiCache, GroupsFailWithTheCodesOfTheService) {
  ASSERT_EQ(CreateDemo(), "200 ");
  EXPECT_EQ(CreateDemo(), "400 ReplicationGroupAlreadyExists");
  EXPECT_EQ(Outcome("DescribeReplicationGroups", "ReplicationGroupId=no"),
            "404 ReplicationGroupNotFoundFault");
  EXPECT_EQ(Outcome("DeleteReplicationGroup", "ReplicationGroupId=no"),
            "404 ReplicationGroupNotFoundFault");
  EXPECT_EQ(Outcome("CreateReplicationGroup",
                    "ReplicationGroupId=a&ReplicationGroupDescription=d"
                    "&CacheNodeType=cache.t3.micro&CacheSubnetGroupName=no"),
            "400 CacheSubnetGroupNotFoundFault");
  EXPECT_EQ(Outcome("CreateReplicationGroup",
                    "ReplicationGroupId=a&ReplicationGroupDescription=d"
                    "&CacheNodeType=cache.t3.micro&SecurityGroupIds.SecurityGroupId.1=sg-99999999"),
            "400 InvalidParameterValue");
}

TEST_F(ElastiCache, WhatIsNotBuiltIsRefusedInWords) {
  for (const char* parameter :
       {"NumNodeGroups=2", "CacheParameterGroupName=default.redis7.cluster.on", "NetworkType=ipv6",
        "PrimaryClusterId=x"}) {
    const std::string body =
        Call("CreateReplicationGroup",
             "ReplicationGroupId=a&ReplicationGroupDescription=d&CacheNodeType=cache.t3.micro&" +
                 std::string(parameter));
    EXPECT_THAT(body, HasSubstr("<Code>InvalidParameterValue</Code>")) << parameter;
    EXPECT_THAT(body, HasSubstr("not available yet")) << parameter;
  }
}

TEST_F(ElastiCache, AMemberNameThatIsTakenStopsTheGroup) {
  ASSERT_EQ(Outcome("CreateCacheCluster",
                    "CacheClusterId=demo-002&Engine=redis&CacheNodeType=cache.t3.micro"
                    "&NumCacheNodes=1"),
            "200 ");
  EXPECT_EQ(CreateDemo(), "400 InvalidParameterValue");
}

TEST_F(ElastiCache, ADeletedGroupIsDeletingAtOnceWithItsMembers) {
  ASSERT_EQ(CreateDemo(), "200 ");
  EXPECT_EQ(Text("DeleteReplicationGroup", "ReplicationGroupId=demo", "Status"), "deleting");
  EXPECT_EQ(Text("DescribeCacheClusters", "", "CacheClusterStatus"), "deleting deleting");
  EXPECT_EQ(Outcome("DeleteReplicationGroup", "ReplicationGroupId=demo"),
            "400 InvalidReplicationGroupState");
}

TEST_F(ElastiCache, ClustersShowTheirNodesOnlyWhenAsked) {
  ASSERT_EQ(CreateDemo(), "200 ");
  MakeAvailable("demo");
  EXPECT_EQ(Text("DescribeCacheClusters", "CacheClusterId=demo-001", "CacheNodeId"), "");
  const std::string body =
      Call("DescribeCacheClusters", "CacheClusterId=demo-001&ShowCacheNodeInfo=true");
  EXPECT_THAT(body, HasSubstr("<CacheNodeId>0001</CacheNodeId>"));
  EXPECT_THAT(body, HasSubstr("<Address>127.42.0.9</Address>"));
  EXPECT_THAT(body, HasSubstr("<CustomerAvailabilityZone>ap-northeast-1a"));
  EXPECT_THAT(body, HasSubstr("<ReplicationGroupId>demo</ReplicationGroupId>"));
}

TEST_F(ElastiCache, ClustersFailWithTheCodesOfTheService) {
  ASSERT_EQ(CreateDemo(), "200 ");
  EXPECT_EQ(Outcome("DescribeCacheClusters", "CacheClusterId=no"), "404 CacheClusterNotFound");
  EXPECT_EQ(Outcome("DeleteCacheCluster", "CacheClusterId=no"), "404 CacheClusterNotFound");
  EXPECT_EQ(Outcome("DeleteCacheCluster", "CacheClusterId=demo-001"),
            "400 InvalidCacheClusterState");
  EXPECT_EQ(Outcome("CreateCacheCluster",
                    "CacheClusterId=demo-001&Engine=redis&CacheNodeType=cache.t3.micro"
                    "&NumCacheNodes=1"),
            "400 CacheClusterAlreadyExists");
  EXPECT_EQ(Outcome("CreateCacheCluster",
                    "CacheClusterId=b&Engine=redis&CacheNodeType=cache.t3.micro&NumCacheNodes=2"),
            "400 InvalidParameterValue");
}

TEST_F(ElastiCache, MembersOfGroupsCanBeLeftOut) {
  ASSERT_EQ(CreateDemo(), "200 ");
  ASSERT_EQ(Outcome("CreateCacheCluster",
                    "CacheClusterId=mc&Engine=memcached&CacheNodeType=cache.t3.micro"
                    "&NumCacheNodes=2&AZMode=cross-az"),
            "200 ");
  EXPECT_EQ(Text("DescribeCacheClusters", "ShowCacheClustersNotInReplicationGroups=true",
                 "CacheClusterId"),
            "mc");
  EXPECT_EQ(Text("DescribeCacheClusters", "CacheClusterId=mc", "PreferredAvailabilityZone"),
            "Multiple");
}

TEST_F(ElastiCache, DescribesComeInPages) {
  for (int i = 10; i < 35; ++i) {
    ASSERT_EQ(Outcome("CreateCacheCluster",
                      fmt::format("CacheClusterId=c{}&Engine=memcached&NumCacheNodes=1"
                                  "&CacheNodeType=cache.t3.micro",
                                  i)),
              "200 ");
  }
  const HttpResponse first = client_.Call("DescribeCacheClusters", "MaxRecords=20");
  const std::string marker = ApiTestClient::Texts(first, "Marker");
  EXPECT_NE(marker, "");
  EXPECT_EQ(Text("DescribeCacheClusters", "MaxRecords=20&Marker=" + marker, "CacheClusterId"),
            "c30 c31 c32 c33 c34");
  EXPECT_EQ(Outcome("DescribeCacheClusters", "MaxRecords=19"), "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("DescribeCacheClusters", "Marker=x%2Fy"), "400 InvalidParameterValue");
}

TEST_F(ElastiCache, TagsOfAGroupAreAlsoThoseOfItsMembers) {
  ASSERT_EQ(CreateDemo("&Tags.Tag.1.Key=team&Tags.Tag.1.Value=web"), "200 ");
  const std::string arn = "arn:aws:elasticache:ap-northeast-1:000000000000:";
  EXPECT_EQ(Text("AddTagsToResource",
                 "ResourceName=" + arn + "replicationgroup:demo&Tags.Tag.1.Key=stage", "Key"),
            "stage team");
  EXPECT_EQ(Text("ListTagsForResource", "ResourceName=" + arn + "cluster:demo-002", "Key"),
            "stage team");
  EXPECT_EQ(Text("RemoveTagsFromResource",
                 "ResourceName=" + arn + "replicationgroup:demo&TagKeys.member.1=team", "Key"),
            "stage");
  EXPECT_EQ(Text("ListTagsForResource", "ResourceName=" + arn + "cluster:demo-001", "Key"),
            "stage");
}

TEST_F(ElastiCache, TagsFailWithTheCodesOfTheService) {
  ASSERT_EQ(CreateDemo(), "200 ");
  const std::string arn = "ResourceName=arn:aws:elasticache:ap-northeast-1:000000000000:";
  EXPECT_EQ(Outcome("ListTagsForResource", "ResourceName=demo"), "400 InvalidARN");
  EXPECT_EQ(Outcome("ListTagsForResource", arn + "cluster:no"), "404 CacheClusterNotFound");
  EXPECT_EQ(Outcome("ListTagsForResource", arn + "snapshot:no"), "404 SnapshotNotFoundFault");
  EXPECT_EQ(Outcome("ListTagsForResource",
                    "ResourceName=arn:aws:elasticache:eu-west-1:000000000000:cluster:demo-001"),
            "400 InvalidARN");
  EXPECT_EQ(Outcome("RemoveTagsFromResource", arn + "cluster:demo-001&TagKeys.member.1=none"),
            "404 TagNotFound");
}

TEST_F(ElastiCache, WhatDoesNotExistHereIsAnEmptyListOrNotFound) {
  for (const char* action : {"DescribeCacheSecurityGroups", "DescribeGlobalReplicationGroups",
                             "DescribeReservedCacheNodes", "DescribeReservedCacheNodesOfferings",
                             "DescribeServerlessCaches", "DescribeServerlessCacheSnapshots",
                             "DescribeServiceUpdates", "DescribeUpdateActions"}) {
    EXPECT_EQ(Outcome(action, ""), "200 ") << action;
  }
  EXPECT_EQ(Outcome("DescribeUpdateActions", "MaxRecords=1"), "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("DescribeServiceUpdates", "ServiceUpdateStatus.member.1=old"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("DescribeServerlessCaches", "ServerlessCacheName=x"),
            "404 ServerlessCacheNotFoundFault");
  EXPECT_EQ(Outcome("DescribeReservedCacheNodes", "ReservedCacheNodeId=x"),
            "404 ReservedCacheNodeNotFound");
}

TEST_F(ElastiCache, WhatCannotBeIsRefusedWithTheErrorOfAws) {
  EXPECT_EQ(Outcome("CreateCacheSecurityGroup", "CacheSecurityGroupName=a&Description=b"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("BatchApplyUpdateAction", "ServiceUpdateName=x"),
            "404 ServiceUpdateNotFoundFault");
  EXPECT_EQ(Outcome("PurchaseReservedCacheNodesOffering", "ReservedCacheNodesOfferingId=x"),
            "404 ReservedCacheNodesOfferingNotFound");
  EXPECT_EQ(Outcome("FailoverGlobalReplicationGroup",
                    "GlobalReplicationGroupId=x&PrimaryRegion=y&PrimaryReplicationGroupId=z"),
            "404 GlobalReplicationGroupNotFoundFault");
  EXPECT_EQ(Outcome("CreateServerlessCache", "ServerlessCacheName=x&Engine=valkey"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("CompleteMigration", "ReplicationGroupId=x"),
            "400 ReplicationGroupNotUnderMigrationFault");
}

TEST_F(ElastiCache, WhatCannotBeIsAskedForItsParametersFirst) {
  EXPECT_EQ(Outcome("FailoverGlobalReplicationGroup", "GlobalReplicationGroupId=x"),
            "400 MissingParameter");
  EXPECT_EQ(Text("CreateServerlessCache", "ServerlessCacheName=x", "Message"),
            "The request must contain the parameter Engine");
  EXPECT_EQ(Outcome("StartMigration", "ReplicationGroupId=x"), "400 MissingParameter");
  EXPECT_EQ(Outcome("StartMigration", "ReplicationGroupId=x&CustomerNodeEndpointListing=y"),
            "400 MissingParameter");
  EXPECT_EQ(
      Outcome("StartMigration", "ReplicationGroupId=x&CustomerNodeEndpointList.member.1.Address=y"),
      "400 InvalidParameterValue");
}

TEST_F(ElastiCache, EngineVersionsCanBeFiltered) {
  EXPECT_EQ(Text("DescribeCacheEngineVersions", "Engine=redis", "EngineVersion"), "6.2 7.0 7.1");
  EXPECT_EQ(Text("DescribeCacheEngineVersions", "DefaultOnly=true", "Engine"),
            "memcached redis valkey");
  EXPECT_EQ(Text("DescribeCacheEngineVersions", "CacheParameterGroupFamily=valkey8", "Engine"),
            "valkey");
}

TEST_F(ElastiCache, WhatACacheUsesOfTheNetworkIsHeldForIt) {
  ASSERT_EQ(CreateSubnetGroup(), "200 ");
  ASSERT_EQ(CreateDemo("&CacheSubnetGroupName=sn&SecurityGroupIds.SecurityGroupId.1=sg-11111111"),
            "200 ");
  const auto holds = client_.store().List(std::string(kNetwork) + "use/");
  EXPECT_EQ(holds->size(), 3u);  // two subnets and the security group
  const auto group =
      client_.store().Get(ReplicationGroupKey("000000000000", "ap-northeast-1", "demo"));
  for (const KeyValue& hold : *holds) EXPECT_THAT((*group)->value, HasSubstr(hold.key));
}

}  // namespace
}  // namespace mikura::control
