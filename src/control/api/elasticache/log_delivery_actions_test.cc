// SPDX-License-Identifier: Apache-2.0
// LogDeliveryConfigurations as a client sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/api/elasticache/actions_fixture.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPrefix[] = "LogDeliveryConfigurations.LogDeliveryConfigurationRequest.1.";

class LogDeliveryActions : public ElastiCacheActions {
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
  void MakeAvailable() { MakeGroupAvailable("demo"); }
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
  MakeClusterAvailable("c");
  EXPECT_EQ(ApiTestClient::CodeOf(client_.Call("ModifyCacheCluster", "CacheClusterId=c" + Off())),
            "400 InvalidParameterCombination");
  const HttpResponse off =
      client_.Call("ModifyCacheCluster", "CacheClusterId=c&ApplyImmediately=true" + Off());
  EXPECT_THAT(off.body, HasSubstr("<Status>disabling</Status>"));
}

}  // namespace
}  // namespace mikura::control
