// SPDX-License-Identifier: Apache-2.0
#include "control/model/node_type.h"

#include <gtest/gtest.h>

#include <set>

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

TEST(NodeTypes, AQuarterOfTheMemoryIsReserved) {
  EXPECT_EQ(DataMemoryBytes(*NodeTypeOf("cache.t3.micro")), 402653184);
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
