// SPDX-License-Identifier: Apache-2.0
// LogDeliveryConfigurations as a client sees them. Nothing runs behind the actions here: the test
// makes groups and clusters available.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "control/api/api_test_client.h"
#include "control/api/elasticache/elasticache_service.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/cache_cluster.h"
#include "control/model/node.h"
#include "control/model/replication_group.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kAccount[] = "000000000000";
constexpr char kRegion[] = "ap-northeast-1";
constexpr char kPrefix[] = "LogDeliveryConfigurations.LogDeliveryConfigurationRequest.1.";

class LogDeliveryActions : public ::testing::Test {
 protected:
  static std::string Slow(const std::string& group = "my-group",
                          const std::string& format = "json") {
    std::string parameters;
    for (const std::string& each :
         {std::string("LogType=slow-log"), std::string("DestinationType=cloudwatch-logs"),
          "LogFormat=" + format, "DestinationDetails.CloudWatchLogsDetails.LogGroup=" + group}) {
      parameters += std::string("&") + kPrefix + each;
    }
    return parameters;
  }
  static std::string Off() {
    return fmt::format("&{}LogType=slow-log&{}Enabled=false", kPrefix, kPrefix);
  }
  HttpResponse Create(const std::string& logs) {
    return client_.Call("CreateReplicationGroup",
                        "ReplicationGroupId=demo&ReplicationGroupDescription=x"
                        "&CacheNodeType=cache.t3.micro&NumCacheClusters=2" +
                            logs);
  }
  HttpResponse Modify(const std::string& rest) {
    return client_.Call("ModifyReplicationGroup", "ReplicationGroupId=demo" + rest);
  }
  HttpResponse Describe() {
    return client_.Call("DescribeReplicationGroups", "ReplicationGroupId=demo");
  }
  // As if the reconciler had done all that was asked for.
  void MakeAvailable() {
    const std::string key = ReplicationGroupKey(kAccount, kRegion, "demo");
    ReplicationGroup group = *ReplicationGroupFromJson((*client_.store().Get(key))->value);
    group.status = kStatusAvailable;
    for (LogDelivery& delivery : group.log_deliveries) delivery.status = kLogActive;
    ShardState state{.epoch = 1, .primary = "demo-001", .members = {"demo-001", "demo-002"}};
    CHECK(client_.store()
              .Transact({}, {Write::Put(key, ToJson(group)),
                             Write::Put(ShardStateKey(group.ShardKey()), ToJson(state))})
              .ok());
  }

  ApiTestClient client_{"elasticache", "2015-02-02", {ElastiCacheService()}};
};

TEST_F(LogDeliveryActions, ANewGroupShowsWhatIsEnabledAndPending) {
  const HttpResponse created = Create(Slow());
  EXPECT_EQ(created.status, 200);
  EXPECT_THAT(created.body, HasSubstr("<LogDeliveryConfiguration><LogType>slow-log</LogType>"
                                      "<DestinationType>cloudwatch-logs</DestinationType>"
                                      "<DestinationDetails><CloudWatchLogsDetails><LogGroup>my-"
                                      "group</LogGroup></CloudWatchLogsDetails>"
                                      "</DestinationDetails><LogFormat>json</LogFormat>"
                                      "<Status>enabling</Status></LogDeliveryConfiguration>"));
  EXPECT_THAT(created.body, HasSubstr("<PendingModifiedValues><LogDeliveryConfigurations><member>"
                                      "<LogType>slow-log</LogType>"));
  MakeAvailable();
  EXPECT_THAT(Describe().body, HasSubstr("<Status>active</Status></LogDeliveryConfiguration>"));
  EXPECT_THAT(Describe().body, HasSubstr("<PendingModifiedValues></PendingModifiedValues>"));
}

TEST_F(LogDeliveryActions, MembersSayThatTheirGroupDelivers) {
  Create(Slow());
  EXPECT_EQ(client_.Text("DescribeCacheClusters", "CacheClusterId=demo-001",
                         "ReplicationGroupLogDeliveryEnabled"),
            "true");
  MakeAvailable();
  EXPECT_EQ(ApiTestClient::CodeOf(client_.Call(
                "CreateCacheCluster", "CacheClusterId=r&ReplicationGroupId=demo" + Slow())),
            "400 InvalidParameterCombination");
}

TEST_F(LogDeliveryActions, AGroupIsModifiedAtOnceOrNotAtAll) {
  Create("");
  MakeAvailable();
  EXPECT_EQ(client_.Text("DescribeCacheClusters", "CacheClusterId=demo-001",
                         "ReplicationGroupLogDeliveryEnabled"),
            "false");
  EXPECT_EQ(ApiTestClient::CodeOf(Modify(Slow())), "400 InvalidParameterCombination");
  const HttpResponse modified = Modify("&ApplyImmediately=true" + Slow());
  EXPECT_EQ(modified.status, 200);
  EXPECT_THAT(modified.body, HasSubstr("<Status>modifying</Status>"));
  EXPECT_THAT(modified.body, HasSubstr("<Status>enabling</Status>"));
  MakeAvailable();
  EXPECT_THAT(Modify("&ApplyImmediately=true" + Slow("my-group", "text")).body,
              HasSubstr("<LogFormat>text</LogFormat><Status>modifying</Status>"));
  MakeAvailable();
  const HttpResponse off = Modify("&ApplyImmediately=true" + Off());
  EXPECT_THAT(off.body, HasSubstr("<Status>disabling</Status></LogDeliveryConfiguration>"));
  EXPECT_THAT(off.body, HasSubstr("<PendingModifiedValues></PendingModifiedValues>"));
}

TEST_F(LogDeliveryActions, TheSameAgainChangesNothing) {
  Create(Slow());
  MakeAvailable();
  const HttpResponse modified = Modify("&ApplyImmediately=true" + Slow());
  EXPECT_EQ(modified.status, 200);
  EXPECT_THAT(modified.body, Not(HasSubstr("modifying")));
}

TEST_F(LogDeliveryActions, WhatIsNotAvailableIsRefused) {
  const std::string firehose = fmt::format(
      "&{0}LogType=slow-log&{0}LogFormat=json&{0}DestinationType=kinesis-firehose"
      "&{0}DestinationDetails.KinesisFirehoseDetails.DeliveryStream=s",
      kPrefix);
  const HttpResponse refused = Create(firehose);
  EXPECT_EQ(ApiTestClient::CodeOf(refused), "400 InvalidParameterValue");
  EXPECT_THAT(refused.body, HasSubstr("kinesis-firehose is not available here"));
  EXPECT_EQ(ApiTestClient::CodeOf(Create(Slow("../x y"))), "400 InvalidParameterValue");
  EXPECT_EQ(ApiTestClient::CodeOf(client_.Call("CreateCacheCluster",
                                               "CacheClusterId=mc&Engine=memcached&NumCacheNodes=1"
                                               "&CacheNodeType=cache.t3.micro" +
                                                   Slow())),
            "400 InvalidParameterCombination");
}

TEST_F(LogDeliveryActions, AClusterThatStandsAloneHasItsOwn) {
  const HttpResponse created = client_.Call(
      "CreateCacheCluster",
      "CacheClusterId=c&Engine=redis&NumCacheNodes=1&CacheNodeType=cache.t3.micro" + Slow());
  EXPECT_THAT(created.body, HasSubstr("<Status>enabling</Status></LogDeliveryConfiguration>"));
  EXPECT_THAT(created.body, HasSubstr("<LogDeliveryConfigurations><member><LogType>slow-log"));
  const std::string key = CacheClusterKey(kAccount, kRegion, "c");
  CacheCluster cluster = *CacheClusterFromJson((*client_.store().Get(key))->value);
  cluster.status = kStatusAvailable;
  cluster.log_deliveries.front().status = kLogActive;
  ASSERT_TRUE(client_.store().Transact({}, {Write::Put(key, ToJson(cluster))}).ok());
  EXPECT_EQ(ApiTestClient::CodeOf(client_.Call("ModifyCacheCluster", "CacheClusterId=c" + Off())),
            "400 InvalidParameterCombination");
  const HttpResponse off =
      client_.Call("ModifyCacheCluster", "CacheClusterId=c&ApplyImmediately=true" + Off());
  EXPECT_THAT(off.body, HasSubstr("<Status>disabling</Status>"));
}

}  // namespace
}  // namespace mikura::control
