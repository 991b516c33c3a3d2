// SPDX-License-Identifier: Apache-2.0
#include "control/model/engine_version.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

TEST(EngineVersions, NoVersionMeansTheNewest) {
  EXPECT_EQ(EngineVersionOf("redis", "")->version, "7.1");
  EXPECT_EQ(EngineVersionOf("valkey", "")->version, "8.0");
  EXPECT_EQ(EngineVersionOf("memcached", "")->version, "1.6.22");
}

TEST(EngineVersions, ASeriesMeansItsNewest) {
  EXPECT_EQ(EngineVersionOf("redis", "7.x")->version, "7.1");
  EXPECT_EQ(EngineVersionOf("valkey", "7.x")->version, "7.2");
  EXPECT_FALSE(EngineVersionOf("redis", "6.x").ok());
}

TEST(EngineVersions, ShortAndFullNamesAreUnderstood) {
  EXPECT_EQ(EngineVersionOf("redis", "7.0")->full_version, "7.0.7");
  EXPECT_EQ(EngineVersionOf("redis", "7.0.7")->version, "7.0");
}

TEST(EngineVersions, WhatDoesNotExistIsAnInvalidValue) {
  EXPECT_EQ(EngineVersionOf("redis", "9.9").error().code, ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(EngineVersionOf("mysql", "").error().code, ApiErrorCode::kInvalidParameterValue);
}

TEST(EngineVersions, OneOfEachEngineIsTheDefault) {
  int defaults = 0;
  for (const EngineVersion& version : AllEngineVersions()) defaults += IsDefaultVersion(version);
  EXPECT_EQ(defaults, 3);
}

TEST(DefaultPorts, AreThoseOfTheEngines) {
  EXPECT_EQ(DefaultPort(EngineKind::kRedis), 6379);
  EXPECT_EQ(DefaultPort(EngineKind::kMemcached), 11211);
}

class ParameterGroups : public ::testing::Test {
 protected:
  ApiErrorCode RefusalOf(std::string_view name) {
    const auto result = ParameterGroupOf(name, *EngineVersionOf("redis", "7.1"));
    EXPECT_FALSE(result.ok()) << name;
    return result.ok() ? ApiErrorCode::kInternalFailure : result.error().code;
  }
};

TEST_F(ParameterGroups, TheDefaultOfTheVersionIsTaken) {
  EXPECT_EQ(*ParameterGroupOf("", *EngineVersionOf("redis", "7.1")), "default.redis7");
  EXPECT_EQ(*ParameterGroupOf("default.valkey8", *EngineVersionOf("valkey", "8.0")),
            "default.valkey8");
}

TEST_F(ParameterGroups, ClusterModeIsRefusedAsNotAvailableYet) {
  EXPECT_EQ(RefusalOf("default.redis7.cluster.on"), ApiErrorCode::kInvalidParameterValue);
}

TEST_F(ParameterGroups, TheDefaultOfAnotherFamilyIsAnInvalidValue) {
  EXPECT_EQ(RefusalOf("default.valkey8"), ApiErrorCode::kInvalidParameterValue);
}

TEST_F(ParameterGroups, AnUnknownGroupIsNotFound) {
  EXPECT_EQ(RefusalOf("mine"), ApiErrorCode::kCacheParameterGroupNotFound);
}

}  // namespace
}  // namespace mikura::control
