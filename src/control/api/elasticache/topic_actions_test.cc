// SPDX-License-Identifier: Apache-2.0
// Topics of caches as a client sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/api/elasticache/actions_fixture.h"
#include "control/model/event.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kTopic[] = "arn:aws:sns:ap-northeast-1:000000000000:mine";
constexpr char kOther[] = "arn:aws:sns:ap-northeast-1:000000000000:other";

class TopicActions : public ElastiCacheActions {
 protected:
  TopicActions() { Store(Write::Put(std::string(kSnsEndpointKey), "http://127.0.0.1:1")); }
  std::string CreateCluster(const std::string& more) {
    return Outcome(
        "CreateCacheCluster",
        "CacheClusterId=mc&Engine=memcached&CacheNodeType=cache.t3.micro&NumCacheNodes=1" + more);
  }
  std::string CreateGroup(const std::string& more) {
    return Outcome("CreateReplicationGroup",
                   "ReplicationGroupId=demo&ReplicationGroupDescription=x"
                   "&CacheNodeType=cache.t3.micro&NumCacheClusters=2" +
                       more);
  }
  std::string ModifyCluster(const std::string& more) {
    return Outcome("ModifyCacheCluster", "CacheClusterId=mc" + more);
  }
  std::string ModifyGroup(const std::string& more) {
    return Outcome("ModifyReplicationGroup", "ReplicationGroupId=demo" + more);
  }
  std::string Describe(const std::string& id) {
    return client_.Call("DescribeCacheClusters", "CacheClusterId=" + id).body;
  }
  static std::string Named(const std::string& arn) { return "&NotificationTopicArn=" + arn; }
  static std::string Shown(const std::string& arn, const std::string& status) {
    return fmt::format(
        "<NotificationConfiguration><TopicArn>{}</TopicArn><TopicStatus>{}</TopicStatus>"
        "</NotificationConfiguration>",
        arn, status);
  }
};

TEST_F(TopicActions, AClusterShowsItsTopic) {
  ASSERT_EQ(CreateCluster(Named(kTopic)), "200 ");
  EXPECT_THAT(Describe("mc"), HasSubstr(Shown(kTopic, "active")));
  MakeClusterAvailable("mc");
  ASSERT_EQ(ModifyCluster(Named(kOther)), "200 ");
  EXPECT_THAT(Describe("mc"), HasSubstr(Shown(kOther, "active")));
  // As Terraform takes a topic away.
  ASSERT_EQ(ModifyCluster("&NotificationTopicArn=&NotificationTopicStatus=inactive"), "200 ");
  EXPECT_THAT(Describe("mc"), HasSubstr(Shown(kOther, "inactive")));
  ASSERT_EQ(ModifyCluster("&NotificationTopicStatus=active"), "200 ");
  EXPECT_THAT(Describe("mc"), HasSubstr(Shown(kOther, "active")));
}

TEST_F(TopicActions, MembersShowTheTopicOfTheirGroup) {
  ASSERT_EQ(CreateGroup(Named(kTopic)), "200 ");
  for (const char* id : {"demo-001", "demo-002"}) {
    EXPECT_THAT(Describe(id), HasSubstr(Shown(kTopic, "active")));
  }
  MakeGroupAvailable("demo");
  ASSERT_EQ(ModifyGroup("&NotificationTopicStatus=inactive"), "200 ");
  EXPECT_EQ(Group("demo").topic.ActiveArn(), "");
  EXPECT_THAT(Describe("demo-002"), HasSubstr(Shown(kTopic, "inactive")));
  ASSERT_EQ(ModifyGroup(Named(kOther)), "200 ");
  EXPECT_THAT(Describe("demo-002"), HasSubstr(Shown(kOther, "active")));
  ASSERT_EQ(Outcome("IncreaseReplicaCount",
                    "ReplicationGroupId=demo&NewReplicaCount=2&ApplyImmediately=true"),
            "200 ");
  EXPECT_EQ(Cluster("demo-003").topic.ActiveArn(), kOther);
}

TEST_F(TopicActions, EventsThatActionsWriteGoToTheTopic) {
  ASSERT_EQ(CreateGroup(Named(kTopic) + "&AutomaticFailoverEnabled=true"), "200 ");
  MakeGroupAvailable("demo");
  ASSERT_EQ(Outcome("TestFailover", "ReplicationGroupId=demo&NodeGroupId=0001"), "200 ");
  const auto events = client_.store().List(kEventsPrefix);
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ(EventFromJson(events->front().value)->topic, kTopic);
}

TEST_F(TopicActions, WhatIsNoTopicIsRefused) {
  EXPECT_EQ(CreateCluster(Named("mine")), "400 InvalidParameterValue");
  EXPECT_EQ(CreateGroup(Named("arn:aws:sns:us-east-1:000000000000:mine")),
            "400 InvalidParameterValue");
  ASSERT_EQ(CreateCluster(""), "200 ");
  EXPECT_THAT(Describe("mc"), Not(HasSubstr("NotificationConfiguration")));
  MakeClusterAvailable("mc");
  EXPECT_EQ(ModifyCluster("&NotificationTopicStatus=on"), "400 InvalidParameterValue");
  EXPECT_EQ(ModifyCluster("&NotificationTopicStatus=active"), "400 InvalidParameterCombination");
}

TEST_F(TopicActions, AServiceThatPublishesNowhereRefusesTopicsAndNamesItsOption) {
  Store(Write::Delete(std::string(kSnsEndpointKey)));
  const HttpResponse refused =
      client_.Call("CreateCacheCluster",
                   "CacheClusterId=mc&Engine=memcached&CacheNodeType=cache.t3.micro"
                   "&NumCacheNodes=1" +
                       Named(kTopic));
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("<Code>InvalidParameterValue</Code>"));
  EXPECT_THAT(refused.body, HasSubstr("--sns-endpoint"));
  EXPECT_EQ(CreateCluster("&NotificationTopicArn="), "200 ");
}

}  // namespace
}  // namespace mikura::control
