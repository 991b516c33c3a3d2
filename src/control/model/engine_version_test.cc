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
  EXPECT_EQ(EngineVersionOf("redis", "6.x")->version, "6.2");
  EXPECT_FALSE(EngineVersionOf("redis", "5.x").ok());
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

}  // namespace
}  // namespace mikura::control
