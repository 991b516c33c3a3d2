// SPDX-License-Identifier: Apache-2.0
#include "control/model/notification.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

constexpr char kTopic[] = "arn:aws:sns:ap-northeast-1:000000000000:my_topic-1";

ApiResult<> Set(const AskedTopic& asked, NotificationTopic& topic) {
  return SetTopic(asked, "000000000000", "ap-northeast-1", topic);
}

TEST(NotificationTopics, AreActiveOnceNamed) {
  NotificationTopic topic;
  ASSERT_TRUE(Set({}, topic).ok());
  EXPECT_EQ(topic.ActiveArn(), "");
  ASSERT_TRUE(Set({.arn = kTopic}, topic).ok());
  EXPECT_EQ(topic.ActiveArn(), kTopic);
  ASSERT_TRUE(Set({.status = "inactive"}, topic).ok());
  EXPECT_EQ(topic.ActiveArn(), "");
  EXPECT_EQ(topic.arn, kTopic);
  ASSERT_TRUE(Set({.status = "active"}, topic).ok());
  EXPECT_EQ(topic.ActiveArn(), kTopic);
  ASSERT_TRUE(Set({.arn = kTopic, .status = "inactive"}, topic).ok());
  EXPECT_EQ(topic.status, kTopicInactive);
}

TEST(NotificationTopics, ThatAreNoneAreRefused) {
  NotificationTopic topic;
  for (const char* arn :
       {"topic", "arn:aws:sns:ap-northeast-1:000000000000",
        "arn:aws:sns:ap-northeast-1:000000000000:", "arn:aws:sqs:ap-northeast-1:000000000000:t",
        "arn:aws:sns:ap-northeast-1:00000000000:t", "arn:aws:sns:ap-northeast-1:000000000000:a:b",
        "arn:aws:sns:ap-northeast-1:000000000000:a b", "arn:aws:sns::000000000000:t",
        "arn:aws:sns:us-east-1:000000000000:t", "arn:aws:sns:ap-northeast-1:000000000001:t",
        "arn:aws:sns:ap-northeast-1:000000000000:t.fifo"}) {
    const auto set = Set({.arn = arn}, topic);
    ASSERT_FALSE(set.ok()) << arn;
    EXPECT_EQ(set.error().code, ApiErrorCode::kInvalidParameterValue) << arn;
  }
  EXPECT_EQ(Set({.status = "on"}, topic).error().code, ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(Set({.status = "active"}, topic).error().code,
            ApiErrorCode::kInvalidParameterCombination);
  EXPECT_TRUE(Set({.status = "inactive"}, topic).ok());
  EXPECT_EQ(topic.arn, "");
}

TEST(NotificationMessages, HaveTheNamesOfElastiCache) {
  const auto message = [](const std::string& type, const std::string& text) {
    Event event;
    event.source_type = type;
    event.source_id = "demo";
    event.message = text;
    return NotificationMessage(event);
  };
  EXPECT_EQ(
      message("cache-cluster", "Snapshot succeeded for snapshot with ID 's' of cache cluster"),
      R"({"ElastiCache:SnapshotComplete":"demo"})");
  EXPECT_EQ(message("replication-group", "Replication group created"),
            R"({"ElastiCache:CreateReplicationGroupComplete":"demo"})");
  EXPECT_EQ(message("cache-cluster", "Cache node 0001 restarted"),
            R"({"ElastiCache:CacheNodesRebooted":"demo"})");
  EXPECT_EQ(message("replication-group", "Test Failover API called for node group 0001"),
            R"({"ElastiCache:Event":"demo"})");
}

}  // namespace
}  // namespace mikura::control
