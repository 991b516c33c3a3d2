// SPDX-License-Identifier: Apache-2.0
#include "control/model/subnet.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

const Vpc kVpc{.id = "vpc-1", .cidr = "10.0.0.0/16"};

ApiErrorCode ErrorOf(std::string_view cidr, const std::vector<Subnet>& others = {}) {
  const auto result = ValidateSubnetCidr(cidr, kVpc, others);
  EXPECT_FALSE(result.ok()) << cidr;
  return result.ok() ? ApiErrorCode::kInternalFailure : result.error().code;
}

TEST(Subnet, LiesInsideItsVpc) {
  EXPECT_EQ(ValidateSubnetCidr("10.0.1.7/24", kVpc, {})->Text(), "10.0.1.0/24");
  EXPECT_TRUE(ValidateSubnetCidr("10.0.0.0/16", kVpc, {}).ok());
  EXPECT_EQ(ErrorOf("10.1.0.0/24"), ApiErrorCode::kInvalidSubnetRange);
  EXPECT_EQ(ErrorOf("10.0.0.0/15"), ApiErrorCode::kInvalidSubnetRange);
  EXPECT_EQ(ErrorOf("10.0.0.0/29"), ApiErrorCode::kInvalidSubnetRange);
  EXPECT_EQ(ErrorOf("x"), ApiErrorCode::kInvalidParameterValue);
}

TEST(Subnet, OverlapsNoOther) {
  const std::vector<Subnet> others{{.id = "subnet-1", .vpc_id = "vpc-1", .cidr = "10.0.1.0/24"}};
  EXPECT_EQ(ErrorOf("10.0.1.128/25", others), ApiErrorCode::kInvalidSubnetConflict);
  EXPECT_EQ(ErrorOf("10.0.0.0/16", others), ApiErrorCode::kInvalidSubnetConflict);
  EXPECT_TRUE(ValidateSubnetCidr("10.0.2.0/24", kVpc, others).ok());
}

TEST(Subnet, FiveOfItsAddressesAreReserved) {
  EXPECT_EQ(UsableAddressCount({.cidr = "10.0.1.0/24"}), 251);
  EXPECT_EQ(UsableAddressCount({.cidr = "10.0.1.0/28"}), 11);
}

TEST(Subnet, IsTheSameAfterJson) {
  const Subnet subnet{.id = "subnet-1", .vpc_id = "vpc-1", .zone = "a", .tags = {{"k", "v"}}};
  EXPECT_EQ(ToJson(*SubnetFromJson(ToJson(subnet))), ToJson(subnet));
}

}  // namespace
}  // namespace mikura::control
