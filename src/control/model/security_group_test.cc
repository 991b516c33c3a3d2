// SPDX-License-Identifier: Apache-2.0
#include "control/model/security_group.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

SecurityRule Rule(int64_t port, std::string cidr = "10.0.0.0/16") {
  return {.protocol = "tcp", .from_port = port, .to_port = port, .cidr_ipv4 = std::move(cidr)};
}

TEST(SecurityGroup, ProtocolsHaveOneSpelling) {
  EXPECT_EQ(*CanonicalProtocol("TCP"), "tcp");
  EXPECT_EQ(*CanonicalProtocol("6"), "tcp");
  EXPECT_EQ(*CanonicalProtocol("all"), "-1");
  EXPECT_EQ(*CanonicalProtocol("50"), "50");
  for (const char* text : {"", "tpc", "256", "-2"}) EXPECT_FALSE(CanonicalProtocol(text).ok());
}

TEST(SecurityGroup, TcpNeedsAnOrderedRangeOfPorts) {
  SecurityRule rule{.protocol = "tcp"};
  EXPECT_TRUE(SetPorts(rule, 0, 65535).ok());
  EXPECT_EQ(SetPorts(rule, std::nullopt, 1).error().code, ApiErrorCode::kMissingParameter);
  EXPECT_EQ(SetPorts(rule, 2, 1).error().code, ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(SetPorts(rule, -1, 1).error().code, ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(SetPorts(rule, 1, 65536).error().code, ApiErrorCode::kInvalidParameterValue);
}

TEST(SecurityGroup, AllTrafficHasNoPorts) {
  SecurityRule rule{.protocol = "-1"};
  ASSERT_TRUE(SetPorts(rule, 1, 2).ok());
  EXPECT_EQ(rule.from_port, -1);
  EXPECT_EQ(rule.to_port, -1);
}

TEST(SecurityGroup, TheSameTrafficIsAllowedOnce) {
  SecurityGroup group;
  ASSERT_TRUE(AddRules(group, {Rule(6379), Rule(6380)}).ok());
  const auto again = AddRules(group, {Rule(11211), Rule(6379)});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ApiErrorCode::kInvalidPermissionDuplicate);
  EXPECT_EQ(again.error().message,
            "the specified rule \"peer: 10.0.0.0/16, TCP, from port: 6379, to port: 6379, ALLOW\" "
            "already exists");
  EXPECT_EQ(group.rules.size(), 2u);
}

TEST(SecurityGroup, HoldsSixtyRulesOfADirection) {
  SecurityGroup group;
  for (int port = 0; port < 60; ++port) ASSERT_TRUE(AddRules(group, {Rule(port)}).ok());
  EXPECT_EQ(AddRules(group, {Rule(60)}).error().code,
            ApiErrorCode::kRulesPerSecurityGroupLimitExceeded);
  SecurityRule egress = Rule(60);
  egress.egress = true;
  EXPECT_TRUE(AddRules(group, {egress}).ok());
}

TEST(SecurityGroup, RemovesAllOrNothing) {
  SecurityGroup group;
  ASSERT_TRUE(AddRules(group, {Rule(1), Rule(2)}).ok());
  EXPECT_EQ(RemoveRules(group, {Rule(1), Rule(3)}).error().code,
            ApiErrorCode::kInvalidPermissionNotFound);
  EXPECT_EQ(group.rules.size(), 2u);
  ASSERT_TRUE(RemoveRules(group, {Rule(1)}).ok());
  EXPECT_EQ(group.rules.size(), 1u);
}

TEST(SecurityGroup, NamesAreOfTheCharactersThatAwsAllows) {
  EXPECT_TRUE(ValidateGroupTexts("cache-sg", "for {cache} & more").ok());
  for (const std::string& name :
       {std::string(), std::string("default"), std::string("sg-x"), std::string("a<b"),
        std::string("\xC3\xA9"), std::string(256, 'a')}) {
    EXPECT_FALSE(ValidateGroupTexts(name, "x").ok()) << name;
  }
  EXPECT_FALSE(ValidateGroupTexts("x", "").ok());
}

TEST(SecurityGroup, IsTheSameAfterJson) {
  const SecurityGroup group{.id = "sg-1", .name = "n", .rules = {Rule(1), Rule(2)}};
  EXPECT_EQ(ToJson(*SecurityGroupFromJson(ToJson(group))), ToJson(group));
}

}  // namespace
}  // namespace mikura::control
