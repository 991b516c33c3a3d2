// SPDX-License-Identifier: Apache-2.0
#include "control/model/cache_parameter_group.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

CacheParameterGroup Group(const std::string& family) {
  CacheParameterGroup group;
  group.name = "mine";
  group.family = family;
  return group;
}

class ParameterGroupChoice : public ::testing::Test {
 protected:
  ApiErrorCode RefusalOf(std::string_view name, std::string_view family = "") {
    const auto result = ParameterGroupOf(name, *EngineVersionOf("redis", "7.1"), family);
    EXPECT_FALSE(result.ok()) << name;
    return result.ok() ? ApiErrorCode::kInternalFailure : result.error().code;
  }
};

TEST_F(ParameterGroupChoice, TheDefaultOfTheVersionIsTaken) {
  EXPECT_EQ(*ParameterGroupOf("", *EngineVersionOf("redis", "7.1"), ""), "default.redis7");
  EXPECT_EQ(*ParameterGroupOf("Default.Valkey8", *EngineVersionOf("valkey", "8.0"), ""),
            "default.valkey8");
}

TEST_F(ParameterGroupChoice, AUsersGroupOfTheFamilyIsTaken) {
  EXPECT_EQ(*ParameterGroupOf("Mine", *EngineVersionOf("redis", "7.1"), "redis7"), "mine");
}

TEST_F(ParameterGroupChoice, ClusterModeIsRefusedAsNotAvailableYet) {
  EXPECT_EQ(RefusalOf("default.redis7.cluster.on"), ApiErrorCode::kInvalidParameterValue);
}

TEST_F(ParameterGroupChoice, AGroupOfAnotherFamilyDoesNotFit) {
  EXPECT_EQ(RefusalOf("default.valkey8"), ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(RefusalOf("mine", "redis6.x"), ApiErrorCode::kInvalidParameterCombination);
}

TEST_F(ParameterGroupChoice, AnUnknownGroupIsNotFound) {
  EXPECT_EQ(RefusalOf("mine"), ApiErrorCode::kCacheParameterGroupNotFound);
}

TEST(ParameterGroupValues, AreCheckedAndGoBackToTheDefault) {
  CacheParameterGroup group = Group("redis7");
  ASSERT_TRUE(SetParameterValue(group, "maxmemory-policy", "allkeys-lru").ok());
  EXPECT_EQ(group.values.at("maxmemory-policy"), "allkeys-lru");
  EXPECT_FALSE(SetParameterValue(group, "maxmemory-policy", "none").ok());
  EXPECT_EQ(SetParameterValue(group, "reserved-memory", "1").error().message,
            "Parameter reserved-memory doesn't exist");
  EXPECT_FALSE(SetParameterValue(group, "appendonly", "yes").ok());
  ASSERT_TRUE(ResetParameterValue(group, "maxmemory-policy").ok());
  EXPECT_TRUE(group.values.empty());
}

TEST(ParameterGroupSettings, HoldTheValuesAsTheEngineShowsThem) {
  CacheParameterGroup group = Group("redis6.x");
  ASSERT_TRUE(SetParameterValue(group, "notify-keyspace-events", "xE").ok());
  ASSERT_TRUE(SetParameterValue(group, "hash-max-ziplist-entries", "7").ok());
  ASSERT_TRUE(SetParameterValue(group, "client-output-buffer-limit-pubsub-soft-seconds", "9").ok());
  const NodeSettings settings = EngineSettingsOf(group);
  EXPECT_EQ(settings.at("notify-keyspace-events"), "xE");
  EXPECT_EQ(settings.at("hash-max-listpack-entries"), "7");
  EXPECT_EQ(settings.at("maxmemory-policy"), "volatile-lru");
  EXPECT_EQ(settings.at("client-output-buffer-limit"),
            "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 9");
  EXPECT_EQ(settings.count("maxmemory"), 0u);
}

TEST(ParameterGroupSettings, AMemcachedNodeEvictsUnlessItShallNot) {
  CacheParameterGroup group = Group("memcached1.6");
  EXPECT_EQ(EngineSettingsOf(group).at("maxmemory-policy"), "allkeys-s3fifo");
  ASSERT_TRUE(SetParameterValue(group, "error_on_memory_exhausted", "1").ok());
  EXPECT_EQ(EngineSettingsOf(group).at("maxmemory-policy"), "noeviction");
}

TEST(ParameterGroupSettings, AQuarterOfANodeIsReservedByDefault) {
  CacheParameterGroup group = Group("redis7");
  EXPECT_EQ(DataMemoryBytes(group, 536870912), 402653184);
  ASSERT_TRUE(SetParameterValue(group, "reserved-memory-percent", "50").ok());
  EXPECT_EQ(DataMemoryBytes(group, 536870912), 268435456);
  EXPECT_EQ(DataMemoryBytes(Group("memcached1.6"), 536870912), 536870912);
}

TEST(ParameterGroups, OfAFamilyHaveADefaultAndOneWithClusterMode) {
  const auto group = FindDefaultParameterGroup("000000000000", "eu-west-1", "default.redis7");
  ASSERT_TRUE(group.has_value());
  EXPECT_TRUE(group->IsDefault());
  EXPECT_EQ(group->ArnOf(),
            "arn:aws:elasticache:eu-west-1:000000000000:parametergroup:default.redis7");
  EXPECT_EQ(FindDefaultParameterGroup("0", "r", "default.redis7.cluster.on")
                ->values.at("cluster-enabled"),
            "yes");
  EXPECT_FALSE(FindDefaultParameterGroup("0", "r", "default.memcached1.6.cluster.on"));
}

TEST(ParameterGroups, AreReadAsTheyWereWritten) {
  CacheParameterGroup group = Group("valkey8");
  group.values["timeout"] = "20";
  group.version = "v1";
  const auto read = CacheParameterGroupFromJson(ToJson(group));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->values, group.values);
  EXPECT_EQ(read->version, "v1");
}

}  // namespace
}  // namespace mikura::control
