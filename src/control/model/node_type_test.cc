// SPDX-License-Identifier: Apache-2.0
#include "control/model/node_type.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace mikura::control {
namespace {

TEST(NodeTypes, KnowTheirMemory) {
  EXPECT_EQ(NodeTypeOf("cache.t3.micro")->memory_bytes, 536870912);
  EXPECT_EQ(NodeTypeOf("cache.r7g.16xlarge")->memory_bytes, 450000750456);
}

TEST(NodeTypes, AnUnknownTypeIsAnInvalidValue) {
  const auto refused = NodeTypeOf("cache.t3.nano");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ApiErrorCode::kInvalidParameterValue);
}

TEST(NodeTypes, OtherSizesAreUpOrDownByTheirMemory) {
  const NodeTypeChoices choices = OtherNodeTypes(*NodeTypeOf("cache.t3.small"));
  const auto has = [](const std::vector<std::string>& names, const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  EXPECT_TRUE(has(choices.down, "cache.t3.micro"));
  EXPECT_TRUE(has(choices.up, "cache.t4g.small"));  // as large
  EXPECT_TRUE(has(choices.up, "cache.r8g.16xlarge"));
  EXPECT_FALSE(has(choices.up, "cache.t3.small"));
  EXPECT_EQ(choices.up.size() + choices.down.size() + 1, AllNodeTypes().size());
}

TEST(NodeTypes, EachNameIsListedOnceWithMemoryAndProcessors) {
  std::set<std::string_view> names;
  for (const NodeType& type : AllNodeTypes()) {
    EXPECT_TRUE(names.insert(type.name).second) << type.name;
    EXPECT_GT(type.memory_bytes, 500'000'000) << type.name;
    EXPECT_GE(type.virtual_cpus, 1) << type.name;
  }
}

}  // namespace
}  // namespace mikura::control
