// SPDX-License-Identifier: Apache-2.0
#include "control/model/vpc.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

TEST(Vpc, ItsNetworkIsMadeCanonical) {
  EXPECT_EQ(ValidateVpcCidr("10.0.7.9/16")->Text(), "10.0.0.0/16");
}

TEST(Vpc, ItsSizeIsSixteenToTwentyEight) {
  EXPECT_TRUE(ValidateVpcCidr("10.0.0.0/28").ok());
  EXPECT_EQ(ValidateVpcCidr("10.0.0.0/15").error().code, ApiErrorCode::kInvalidVpcRange);
  EXPECT_EQ(ValidateVpcCidr("10.0.0.0/29").error().message, "The CIDR '10.0.0.0/29' is invalid.");
}

TEST(Vpc, WhatIsNoNetworkIsAnInvalidValue) {
  EXPECT_EQ(ValidateVpcCidr("10.0.0.0").error().code, ApiErrorCode::kInvalidParameterValue);
}

TEST(Vpc, IsTheSameAfterJson) {
  const Vpc vpc{.id = "vpc-1", .cidr = "10.0.0.0/16", .dns_support = false, .tags = {{"a", "b"}}};
  const auto read = VpcFromJson(ToJson(vpc));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(ToJson(*read), ToJson(vpc));
  EXPECT_EQ(read->tags, vpc.tags);
  EXPECT_FALSE(VpcFromJson("[]").ok());
}

}  // namespace
}  // namespace mikura::control
