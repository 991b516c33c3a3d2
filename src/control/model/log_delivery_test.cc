// SPDX-License-Identifier: Apache-2.0
#include "control/model/log_delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/model/cache_cluster.h"
#include "control/model/node.h"

namespace mikura::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LogDeliveries : public ::testing::Test {
 protected:
  static AskedLogDelivery Slow(const std::string& group, const std::string& format) {
    return {.log_type = "slow-log",
            .destination_type = "cloudwatch-logs",
            .log_group = group,
            .delivery_stream = {},
            .format = format};
  }
  // The words of the error, or "".
  std::string Set(const std::vector<AskedLogDelivery>& asked) {
    const auto set = SetLogDeliveries(asked, version_, deliveries_);
    return set.ok() ? "" : set.error().message;
  }
  std::string StatusNow() const {
    return deliveries_.empty() ? "none" : deliveries_.front().status;
  }

  EngineVersion version_ = *EngineVersionOf("redis", "7.1");
  std::vector<LogDelivery> deliveries_;
};

TEST_F(LogDeliveries, ANewOneIsEnabled) {
  EXPECT_EQ(Set({Slow("/my/group", "json")}), "");
  ASSERT_EQ(deliveries_.size(), 1U);
  EXPECT_EQ(deliveries_.front().log_group, "/my/group");
  EXPECT_EQ(deliveries_.front().format, "json");
  EXPECT_EQ(StatusNow(), kLogEnabling);
  EXPECT_FALSE(AreSettled(deliveries_));
}

TEST_F(LogDeliveries, AnotherValueModifiesItAndTheSameDoesNot) {
  Set({Slow("g", "json")});
  deliveries_.front().status = kLogActive;
  EXPECT_EQ(Set({Slow("g", "json")}), "");
  EXPECT_EQ(StatusNow(), kLogActive);
  AskedLogDelivery only_format;
  only_format.log_type = "slow-log";
  only_format.format = "text";
  EXPECT_EQ(Set({only_format}), "");
  EXPECT_EQ(StatusNow(), kLogModifying);
  EXPECT_EQ(deliveries_.front().log_group, "g");
  EXPECT_EQ(deliveries_.front().format, "text");
}

TEST_F(LogDeliveries, ItIsDisabledByItsTypeAlone) {
  AskedLogDelivery off;
  off.log_type = "slow-log";
  off.enabled = false;
  EXPECT_EQ(Set({off}), "");
  EXPECT_THAT(deliveries_, IsEmpty());
  Set({Slow("g", "json")});
  EXPECT_EQ(Set({off}), "");
  EXPECT_EQ(StatusNow(), kLogDisabling);
}

TEST_F(LogDeliveries, OneThatFailedIsTriedAnewWhenItIsAskedForAgain) {
  Set({Slow("g", "json")});
  deliveries_.front().status = kLogError;
  deliveries_.front().message = "no space";
  EXPECT_TRUE(AreSettled(deliveries_));
  EXPECT_EQ(Set({Slow("g", "json")}), "");
  EXPECT_EQ(StatusNow(), kLogModifying);
  EXPECT_EQ(deliveries_.front().message, "");
}

TEST_F(LogDeliveries, WhatCannotBeIsRefused) {
  AskedLogDelivery asked = Slow("g", "json");
  asked.log_type.reset();
  EXPECT_THAT(Set({asked}), HasSubstr("LogType"));
  asked = Slow("g", "json");
  asked.destination_type = "kinesis-firehose";
  EXPECT_THAT(Set({asked}), HasSubstr("kinesis-firehose is not available here"));
  asked = Slow("g", "json");
  asked.destination_type.reset();
  EXPECT_THAT(Set({asked}), HasSubstr("DestinationType"));
  asked = Slow("g", "json");
  asked.log_group.reset();
  EXPECT_THAT(Set({asked}), HasSubstr("LogGroup"));
  asked = Slow("g", "json");
  asked.format.reset();
  EXPECT_THAT(Set({asked}), HasSubstr("LogFormat"));
  asked = Slow("g", "json");
  asked.delivery_stream = "s";
  EXPECT_THAT(Set({asked}), HasSubstr("KinesisFirehoseDetails"));
  EXPECT_THAT(Set({Slow("a b", "json")}), HasSubstr("LogGroup"));
  EXPECT_THAT(Set({Slow("g", "json"), Slow("h", "json")}), HasSubstr("more than one"));
}

TEST_F(LogDeliveries, MemcachedHasNone) {
  version_ = *EngineVersionOf("memcached", "");
  EXPECT_THAT(Set({Slow("g", "json")}), HasSubstr("memcached"));
}

TEST_F(LogDeliveries, AChangeIsMadeAtOnceOrNotAtAll) {
  const auto changed = ChangeLogDeliveries({Slow("g", "json")}, false, version_, deliveries_);
  ASSERT_FALSE(changed.ok());
  EXPECT_EQ(changed.error().code, ApiErrorCode::kInvalidParameterCombination);
  EXPECT_TRUE(ChangeLogDeliveries({}, false, version_, deliveries_).ok());
  EXPECT_TRUE(ChangeLogDeliveries({Slow("g", "json")}, true, version_, deliveries_).ok());
}

TEST_F(LogDeliveries, AStreamIsNamedAsElastiCacheDoes) {
  NodeSpec node;
  node.account = "000000000000";
  node.region = "ap-northeast-1";
  node.engine = "valkey";
  node.cluster_id = "demo-001";
  node.cache_node_id = "0001";
  const LogTarget target = LogTargetOf({"slow-log", "/my/group", "json", "", ""}, node);
  EXPECT_EQ(target.stream,
            "000000000000/ap-northeast-1/%2Fmy%2Fgroup/elasticache/valkey/demo-001/0001/slow-log");
  EXPECT_TRUE(target.as_json);
}

TEST_F(LogDeliveries, NoLogGroupLeadsOutOfTheFolder) {
  EXPECT_EQ(LogGroupFolder("group"), "group");
  EXPECT_EQ(LogGroupFolder(".."), "%2E.");
  EXPECT_EQ(LogGroupFolder("../x"), "%2E.%2Fx");
  const std::string long_name(512, 'a');
  EXPECT_EQ(LogGroupFolder(long_name).size(), 200U);
  EXPECT_NE(LogGroupFolder(long_name), LogGroupFolder(long_name.substr(1)));
}

TEST_F(LogDeliveries, ARecordKeepsThem) {
  Set({Slow("g", "json")});
  CacheCluster cluster;
  cluster.log_deliveries = deliveries_;
  EXPECT_THAT(CacheClusterFromJson(ToJson(cluster))->log_deliveries,
              ElementsAre(deliveries_.front()));
}

}  // namespace
}  // namespace mikura::control
