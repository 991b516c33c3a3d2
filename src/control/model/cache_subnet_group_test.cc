// SPDX-License-Identifier: Apache-2.0
#include "control/model/cache_subnet_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mikura::control {
namespace {

using ::testing::ElementsAre;

TEST(CacheSubnetGroups, TakeTheVpcOfTheirSubnetsAndEachSubnetOnce) {
  CacheSubnetGroup group;
  ASSERT_TRUE(
      SetSubnets(group, {{"s-1", "vpc-1", "a"}, {"s-2", "vpc-1", "c"}, {"s-1", "vpc-1", "a"}})
          .ok());
  EXPECT_EQ(group.vpc_id, "vpc-1");
  EXPECT_EQ(group.subnets.size(), 2u);
}

TEST(CacheSubnetGroups, ListEachZoneOnce) {
  CacheSubnetGroup group;
  ASSERT_TRUE(SetSubnets(group, {{"1", "v", "c"}, {"2", "v", "a"}, {"3", "v", "c"}}).ok());
  EXPECT_THAT(group.Zones(), ElementsAre("c", "a"));
}

TEST(CacheSubnetGroups, RefuseSubnetsOfSeveralVpcs) {
  CacheSubnetGroup group;
  const auto refused = SetSubnets(group, {{"1", "v", "c"}, {"2", "w", "a"}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ApiErrorCode::kInvalidSubnet);
}

TEST(CacheSubnetGroups, HoldOneToTwentySubnets) {
  CacheSubnetGroup group;
  EXPECT_EQ(SetSubnets(group, {}).error().code, ApiErrorCode::kInvalidParameterValue);
  const std::vector<KnownSubnet> many(21, {"1", "v", "c"});
  EXPECT_EQ(SetSubnets(group, many).error().code, ApiErrorCode::kCacheSubnetQuotaExceededFault);
}

TEST(CacheSubnetGroups, AreReadBackAsWritten) {
  CacheSubnetGroup group{"sn", "0", "r", "two zones", "vpc-1", {{"s-1", "a"}}, {{"k", "v"}}};
  const auto read = CacheSubnetGroupFromJson(ToJson(group));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->description, "two zones");
  EXPECT_EQ(read->subnets[0].zone, "a");
  EXPECT_EQ(read->tags, group.tags);
  EXPECT_EQ(read->ArnOf(), "arn:aws:elasticache:r:0:subnetgroup:sn");
}

}  // namespace
}  // namespace mikura::control
