// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "control/api/api_test_client.h"
#include "control/api/codec/iso_time.h"
#include "control/api/elasticache/elasticache_service.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/event.h"

namespace mikura::control {
namespace {

constexpr UnixMillis kMinute = 60'000;
constexpr UnixMillis kDay = 24 * 60 * kMinute;

class Events : public ::testing::Test {
 protected:
  Events() {
    Put("cache-cluster", "mc", "ancient", 15 * kDay);
    Put("cache-cluster", "mc", "old", 2 * kDay);
    Put("cache-cluster", "mc", "recent", 30 * kMinute);
    Put("cache-cluster", "other", "theirs", 20 * kMinute);
    Put("replication-group", "mc", "group", 10 * kMinute);
    Put("cache-cluster", "mc", "elsewhere", 10 * kMinute, "us-east-1");
  }
  void Put(const std::string& type, const std::string& id, const std::string& message,
           UnixMillis age, const std::string& region = "ap-northeast-1") {
    const UnixMillis at = client_.clock().NowMillis() - age;
    const Event event{"000000000000", region, type, id, message, at};
    CHECK(client_.store().Transact({}, {Write::Put(EventKey(at, tie_++), ToJson(event))}).ok());
  }
  std::string Messages(const std::string& parameters) {
    return ApiTestClient::Texts(client_.Call("DescribeEvents", parameters), "Message");
  }
  std::string Before(UnixMillis age) { return FormatIsoTime(client_.clock().NowMillis() - age); }

  uint32_t tie_ = 0;
  ApiTestClient client_{"elasticache", "2015-02-02", {ElastiCacheService()}};
};

TEST_F(Events, AreThoseOfTheLastHourUnlessATimeIsGiven) {
  EXPECT_EQ(Messages(""), "recent theirs group");
  EXPECT_EQ(Messages("Duration=15"), "group");
  EXPECT_EQ(Messages("Duration=20160"), "old recent theirs group");
  EXPECT_EQ(Messages("StartTime=" + Before(25 * kMinute)), "theirs group");
  EXPECT_EQ(Messages("EndTime=" + Before(15 * kMinute)), "recent theirs");
  EXPECT_EQ(Messages("StartTime=" + Before(3 * kDay) + "&EndTime=" + Before(kDay)), "old");
  EXPECT_EQ(Messages("StartTime=" + Before(3 * kDay) + "&Duration=2000"), "old");
  EXPECT_EQ(Messages("StartTime=" + Before(20 * kDay)), "old recent theirs group");
}

TEST_F(Events, AreChosenBySource) {
  EXPECT_EQ(Messages("SourceType=cache-cluster"), "recent theirs");
  EXPECT_EQ(Messages("SourceIdentifier=MC"), "recent group");
  EXPECT_EQ(Messages("SourceIdentifier=mc&SourceType=replication-group"), "group");
  EXPECT_EQ(Messages("SourceIdentifier=mc&SourceType=user"), "");
}

TEST_F(Events, AreShownInPages) {
  for (int i = 0; i < 30; ++i) Put("cache-cluster", "many", fmt::format("m{}", i), kMinute);
  const std::string query = "SourceIdentifier=many&MaxRecords=20";
  const HttpResponse first = client_.Call("DescribeEvents", query);
  const std::string marker = ApiTestClient::Texts(first, "Marker");
  ASSERT_NE(marker, "");
  const HttpResponse second = client_.Call("DescribeEvents", query + "&Marker=" + marker);
  EXPECT_EQ(ApiTestClient::Texts(second, "Message"), "m20 m21 m22 m23 m24 m25 m26 m27 m28 m29");
  EXPECT_EQ(ApiTestClient::Texts(second, "Marker"), "");
}

TEST_F(Events, RefuseTimesThatAreNone) {
  const auto code = [&](const std::string& parameters) {
    return ApiTestClient::Texts(client_.Call("DescribeEvents", parameters), "Code");
  };
  EXPECT_EQ(code("Duration=0"), "InvalidParameterValue");
  EXPECT_EQ(code("Duration=20161"), "InvalidParameterValue");
  EXPECT_EQ(code("StartTime=" + Before(kDay) + "&EndTime=" + Before(2 * kDay)),
            "InvalidParameterCombination");
  EXPECT_EQ(code("StartTime=" + Before(kDay) + "&EndTime=" + Before(0) + "&Duration=5"),
            "InvalidParameterCombination");
  EXPECT_EQ(code("MaxRecords=5"), "InvalidParameterValue");
  EXPECT_EQ(code("SourceType=planet"), "InvalidParameterValue");
}

}  // namespace
}  // namespace mikura::control
