// SPDX-License-Identifier: Apache-2.0
#include "control/model/parameter_family.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "control/model/engine_version.h"
#include "control/model/parameter_family_rows.h"
#include "wire/engine_parameters.h"

namespace mikura::control {
namespace {

const ParameterDefinition& Of(std::string_view family, std::string_view name) {
  return *FindParameterOf(*FindParameterFamily(family), name);
}

TEST(ParameterFamilies, EveryVersionThatIsOfferedHasOne) {
  for (const EngineVersion& version : AllEngineVersions()) {
    EXPECT_NE(FindParameterFamily(version.parameter_family), nullptr) << version.parameter_family;
  }
}

TEST(ParameterFamilies, RowsAreSortedAndTheirDefaultsAllowed) {
  std::string_view before;
  for (const ParameterDefinition& row : AllParameterDefinitions()) {
    EXPECT_LT(before, row.name);
    before = row.name;
    EXPECT_TRUE(CheckParameterValue(row, row.default_value).ok()) << row.name;  // I2
  }
}

TEST(ParameterFamilies, WhatIsModifiableIsASettingThatTheEngineHas) {
  for (const ParameterDefinition& row : AllParameterDefinitions()) {
    if (!row.modifiable()) continue;
    const wire::ParameterSpec* setting = wire::FindParameter(row.setting);
    ASSERT_NE(setting, nullptr) << row.name;
    EXPECT_TRUE(setting->supported()) << row.name;  // I1
    if (row.change_type == kImmediate) EXPECT_TRUE(setting->runtime) << row.name;
  }
}

TEST(ParameterFamilies, NamesFollowTheVersion) {
  EXPECT_EQ(FindParameterOf(*FindParameterFamily("redis6.x"), "hash-max-listpack-value"), nullptr);
  EXPECT_EQ(Of("redis6.x", "hash-max-ziplist-value").setting, "hash-max-listpack-value");
  EXPECT_EQ(FindParameterOf(*FindParameterFamily("memcached1.6"), "timeout"), nullptr);
  EXPECT_EQ(ParameterFamilyOf("redis9").error().code, ApiErrorCode::kInvalidParameterValue);
}

TEST(ParameterValues, IntegersLieInOneOfTheRanges) {
  const ParameterDefinition& timeout = Of("redis7", "timeout");  // 0,20-
  for (const char* value : {"0", "20", "3600"}) {
    EXPECT_TRUE(CheckParameterValue(timeout, value).ok()) << value;
  }
  for (const char* value : {"", "5", "-1", "20s", "1e3", "99999999999999999999"}) {
    EXPECT_FALSE(CheckParameterValue(timeout, value).ok()) << value;
  }
  EXPECT_TRUE(CheckParameterValue(Of("redis7", "slowlog-log-slower-than"), "-1").ok());
}

TEST(ParameterValues, TextsAreAmongThoseAllowedOrReadByTheEngine) {
  EXPECT_TRUE(CheckParameterValue(Of("valkey8", "maxmemory-policy"), "allkeys-lfu").ok());
  EXPECT_FALSE(CheckParameterValue(Of("valkey8", "maxmemory-policy"), "always").ok());
  EXPECT_TRUE(CheckParameterValue(Of("valkey8", "notify-keyspace-events"), "KEA").ok());
  EXPECT_FALSE(CheckParameterValue(Of("valkey8", "notify-keyspace-events"), "K!").ok());
}

}  // namespace
}  // namespace mikura::control
