// SPDX-License-Identifier: Apache-2.0
// Parameter groups as a client sees them; nothing runs behind the API here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/api/api_test_client.h"
#include "control/api/elasticache/elasticache_service.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/cache_cluster.h"
#include "control/model/cache_parameter_group.h"
#include "control/model/host_capacity.h"
#include "control/model/node_parameters.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kAccount[] = "000000000000";
constexpr char kRegion[] = "ap-northeast-1";

class ParameterGroupActions : public ::testing::Test {
 protected:
  std::string Outcome(const std::string& action, const std::string& parameters) {
    return client_.Outcome(action, parameters);
  }
  std::string Text(const std::string& action, const std::string& parameters,
                   const std::string& element) {
    return client_.Text(action, parameters, element);
  }
  std::string Create(const std::string& name = "mine", const std::string& family = "redis7") {
    return Outcome("CreateCacheParameterGroup",
                   fmt::format("CacheParameterGroupName={}&CacheParameterGroupFamily={}"
                               "&Description=d",
                               name, family));
  }
  static std::string Value(int n, const std::string& name, const std::string& value) {
    const std::string prefix =
        fmt::format("&ParameterNameValues.ParameterNameValue.{}.Parameter", n);
    return fmt::format("{}Name={}{}Value={}", prefix, name, prefix, value);
  }
  std::string Set(const std::string& name, const std::string& value) {
    return Outcome("ModifyCacheParameterGroup",
                   "CacheParameterGroupName=mine" + Value(1, name, value));
  }
  std::string Users() {
    return Text("DescribeCacheParameters", "CacheParameterGroupName=mine&Source=user",
                "ParameterName");
  }
  std::string CreateCluster(const std::string& more = "&CacheParameterGroupName=mine") {
    return Outcome(
        "CreateCacheCluster",
        "CacheClusterId=c&Engine=redis&CacheNodeType=cache.t3.micro&NumCacheNodes=1" + more);
  }
  CacheCluster Cluster() {
    return *CacheClusterFromJson(
        (*client_.store().Get(CacheClusterKey(kAccount, kRegion, "c")))->value);
  }
  void Observe(const NodeParameters& parameters) {
    CacheCluster cluster = Cluster();
    cluster.status = kStatusAvailable;
    CHECK(client_.store()
              .Transact({}, {Write::Put(CacheClusterKey(kAccount, kRegion, "c"), ToJson(cluster)),
                             Write::Put(NodeParametersKey(cluster.NodeId(cluster.nodes[0])),
                                        ToJson(parameters))})
              .ok());
  }
  std::string Version() {
    return CacheParameterGroupFromJson(
               (*client_.store().Get(ParameterGroupKey(kAccount, kRegion, "mine")))->value)
        ->version;
  }
  std::string ApplyStatus() {
    return Text("DescribeCacheClusters", "CacheClusterId=c", "ParameterApplyStatus");
  }

  ApiTestClient client_{"elasticache", "2015-02-02", {ElastiCacheService()}};
};

TEST_F(ParameterGroupActions, AGroupIsMadeOfAFamilyThatExists) {
  EXPECT_EQ(Create("Mine"), "200 ");
  EXPECT_EQ(Create("mine"), "400 CacheParameterGroupAlreadyExists");
  EXPECT_EQ(Create("other", "redis3.2"), "400 InvalidParameterValue");
  EXPECT_EQ(Create("default.redis7"), "400 InvalidParameterValue");
  EXPECT_EQ(Text("DescribeCacheParameterGroups", "CacheParameterGroupName=MINE", "ARN"),
            "arn:aws:elasticache:ap-northeast-1:000000000000:parametergroup:mine");
}

TEST_F(ParameterGroupActions, DefaultGroupsAreThereAndStayAsTheyAre) {
  const std::string names = Text("DescribeCacheParameterGroups", "", "CacheParameterGroupName");
  for (const char* name : {"default.redis7", "default.redis7.cluster.on", "default.valkey8",
                           "default.memcached1.6", "default.redis6.x"}) {
    EXPECT_THAT(names, HasSubstr(name));
  }
  EXPECT_EQ(Outcome("DeleteCacheParameterGroup", "CacheParameterGroupName=default.redis7"),
            "400 InvalidParameterValue");
  EXPECT_EQ(Outcome("ModifyCacheParameterGroup",
                    "CacheParameterGroupName=default.redis7" + Value(1, "timeout", "20")),
            "400 InvalidParameterValue");
}

TEST_F(ParameterGroupActions, OnlyWhatWasSetHasTheSourceUser) {
  Create();
  EXPECT_EQ(Users(), "");
  EXPECT_EQ(Set("maxmemory-policy", "allkeys-lru"), "200 ");
  EXPECT_EQ(Set("timeout", "20"), "200 ");
  EXPECT_EQ(Users(), "maxmemory-policy timeout");
  EXPECT_EQ(
      Text("DescribeCacheParameters", "CacheParameterGroupName=mine&Source=user", "ParameterValue"),
      "allkeys-lru 20");
  EXPECT_EQ(Outcome("DescribeCacheParameters", "CacheParameterGroupName=mine&Source=me"),
            "400 InvalidParameterValue");
}

TEST_F(ParameterGroupActions, ValuesAreCheckedAllBeforeAnyIsSet) {
  Create();
  EXPECT_EQ(Outcome("ModifyCacheParameterGroup", "CacheParameterGroupName=mine" +
                                                     Value(1, "timeout", "20") +
                                                     Value(2, "maxmemory-policy", "all")),
            "400 InvalidParameterValue");
  EXPECT_EQ(Users(), "");
  EXPECT_EQ(Set("appendonly", "yes"), "400 InvalidParameterValue");
  EXPECT_EQ(Set("reserved-memory", "1"), "400 InvalidParameterValue");
  std::string many = "CacheParameterGroupName=mine";
  for (int i = 1; i <= 21; ++i) many += Value(i, "timeout", "20");
  EXPECT_EQ(Outcome("ModifyCacheParameterGroup", many), "400 InvalidParameterValue");
}

TEST_F(ParameterGroupActions, ValuesAreResetByNameOrAllAtOnce) {
  Create();
  Set("timeout", "20");
  Set("databases", "4");
  const std::string reset = "CacheParameterGroupName=mine";
  EXPECT_EQ(Outcome("ResetCacheParameterGroup", reset), "400 InvalidParameterCombination");
  EXPECT_EQ(Outcome("ResetCacheParameterGroup", reset + Value(1, "timeout", "x")), "200 ");
  EXPECT_EQ(Users(), "databases");
  EXPECT_EQ(Outcome("ResetCacheParameterGroup", reset + "&ResetAllParameters=true"), "200 ");
  EXPECT_EQ(Users(), "");
}

TEST_F(ParameterGroupActions, ParametersComeInPages) {
  const std::string of = "CacheParameterGroupFamily=redis7&MaxRecords=20";
  const HttpResponse first = client_.Call("DescribeEngineDefaultParameters", of);
  EXPECT_THAT(first.body, HasSubstr("<EngineDefaults>"));
  EXPECT_THAT(first.body, HasSubstr("acl-pubsub-default"));
  std::string marker = ApiTestClient::Texts(first, "Marker");
  int pages = 1;
  std::string last;
  while (!marker.empty() && pages < 10) {
    const HttpResponse next =
        client_.Call("DescribeEngineDefaultParameters", of + "&Marker=" + marker);
    marker = ApiTestClient::Texts(next, "Marker");
    last = next.body;
    EXPECT_THAT(last, Not(HasSubstr("acl-pubsub-default")));
    ++pages;
  }
  EXPECT_EQ(pages, 4);
  EXPECT_THAT(last, HasSubstr("zset-max-listpack-value"));
  EXPECT_THAT(last, HasSubstr("cache.r7g.16xlarge"));  // maxmemory of each type
}

TEST_F(ParameterGroupActions, AGroupThatIsUsedStays) {
  Create();
  ASSERT_EQ(CreateCluster(), "200 ");
  const std::string remove = "CacheParameterGroupName=mine";
  EXPECT_EQ(Outcome("DeleteCacheParameterGroup", remove), "400 InvalidCacheParameterGroupState");
  CHECK(
      client_.store().Transact({}, {Write::Delete(CacheClusterKey(kAccount, kRegion, "c"))}).ok());
  EXPECT_EQ(Outcome("DeleteCacheParameterGroup", remove), "200 ");
  EXPECT_EQ(Outcome("DeleteCacheParameterGroup", remove), "404 CacheParameterGroupNotFound");
}

TEST_F(ParameterGroupActions, AClusterTakesAGroupOfItsFamily) {
  Create("mine", "valkey8");
  EXPECT_EQ(CreateCluster(), "400 InvalidParameterCombination");
  EXPECT_EQ(CreateCluster("&CacheParameterGroupName=absent"), "404 CacheParameterGroupNotFound");
}

TEST_F(ParameterGroupActions, AClusterShowsHowFarItsNodesFollow) {
  Create();
  ASSERT_EQ(CreateCluster(), "200 ");
  EXPECT_EQ(ApplyStatus(), "in-sync");  // it is to start with the values
  Observe({"mine", Version(), {}});
  EXPECT_EQ(ApplyStatus(), "in-sync");
  Set("timeout", "20");
  EXPECT_EQ(ApplyStatus(), "applying");
  Observe({"mine", Version(), {"databases"}});
  EXPECT_EQ(ApplyStatus(), "pending-reboot");
  EXPECT_EQ(Text("DescribeCacheClusters", "CacheClusterId=c&ShowCacheNodeInfo=true",
                 "ParameterGroupStatus"),
            "pending-reboot");
  EXPECT_THAT(Text("DescribeCacheClusters", "CacheClusterId=c", "CacheNodeIdsToReboot"),
              HasSubstr("0001"));
}

TEST_F(ParameterGroupActions, AGroupHasTags) {
  EXPECT_EQ(Outcome("CreateCacheParameterGroup",
                    "CacheParameterGroupName=mine&CacheParameterGroupFamily=redis7&Description=d"
                    "&Tags.Tag.1.Key=k&Tags.Tag.1.Value=v"),
            "200 ");
  const std::string arn =
      "ResourceName=arn:aws:elasticache:ap-northeast-1:000000000000:parametergroup:";
  EXPECT_EQ(Text("ListTagsForResource", arn + "mine", "Key"), "k");
  EXPECT_EQ(Text("AddTagsToResource", arn + "mine&Tags.Tag.1.Key=z&Tags.Tag.1.Value=v", "Key"),
            "k z");
  EXPECT_EQ(Text("RemoveTagsFromResource", arn + "mine&TagKeys.member.1=k", "Key"), "z");
  EXPECT_EQ(Outcome("ListTagsForResource", arn + "absent"), "404 CacheParameterGroupNotFound");
  EXPECT_EQ(Outcome("ListTagsForResource", arn + "default.redis7"), "200 ");
}

TEST_F(ParameterGroupActions, NodesMustFitIntoTheMachine) {
  const HostCapacity machine{.memory_bytes = 1 << 30, .scale_millionths = 500'000};
  CHECK(client_.store()
            .Transact({}, {Write::Put(std::string(kHostCapacityKey), ToJson(machine))})
            .ok());
  const auto group = [&](const std::string& id, int nodes) {
    return Outcome("CreateReplicationGroup",
                   fmt::format("ReplicationGroupId={}&ReplicationGroupDescription=d"
                               "&CacheNodeType=cache.t3.micro&NumCacheClusters={}",
                               id, nodes));
  };
  EXPECT_EQ(group("a", 5), "400 InsufficientCacheClusterCapacity");  // 1.25 GiB
  EXPECT_EQ(group("a", 3), "200 ");
  EXPECT_EQ(group("b", 2), "400 InsufficientCacheClusterCapacity");
  EXPECT_EQ(CreateCluster(""), "200 ");
  EXPECT_EQ(group("b", 1), "400 InsufficientCacheClusterCapacity");
}

TEST_F(ParameterGroupActions, NodeTypesToScaleToFollowTheMemory) {
  ASSERT_EQ(CreateCluster(""), "200 ");
  const std::string up =
      Text("ListAllowedNodeTypeModifications", "CacheClusterId=c", "ScaleUpModifications");
  EXPECT_THAT(up, HasSubstr("cache.t3.small"));
  EXPECT_THAT(up, Not(HasSubstr("cache.t3.micro")));
  EXPECT_EQ(Outcome("ListAllowedNodeTypeModifications", ""), "400 InvalidParameterCombination");
  EXPECT_EQ(Outcome("ListAllowedNodeTypeModifications", "CacheClusterId=absent"),
            "404 CacheClusterNotFound");
}

}  // namespace
}  // namespace mikura::control
