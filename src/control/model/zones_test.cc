// SPDX-License-Identifier: Apache-2.0
#include "control/model/zones.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

std::string NamesOf(std::string_view region) {
  std::string names;
  for (const Zone& zone : ZonesOfRegion(region)) names += zone.name + "=" + zone.id + " ";
  return names;
}

TEST(Zones, TokyoHasNoB) {
  EXPECT_EQ(NamesOf("ap-northeast-1"),
            "ap-northeast-1a=apne1-az1 ap-northeast-1c=apne1-az3 ap-northeast-1d=apne1-az4 ");
}

TEST(Zones, ARegionOfAnyNameHasThree) {
  EXPECT_EQ(NamesOf("local"), "locala=local-az1 localb=local-az2 localc=local-az3 ");
  EXPECT_EQ(NamesOf("eu-central-1"),
            "eu-central-1a=euc1-az1 eu-central-1b=euc1-az2 eu-central-1c=euc1-az3 ");
}

TEST(Zones, AZoneBelongsToItsRegionOnly) {
  EXPECT_TRUE(IsZoneOfRegion("ap-northeast-1c", "ap-northeast-1"));
  EXPECT_FALSE(IsZoneOfRegion("ap-northeast-1b", "ap-northeast-1"));
  EXPECT_FALSE(IsZoneOfRegion("us-east-1a", "ap-northeast-1"));
}

TEST(Zones, ARegionNameCannotLeaveItsPlaceInAKey) {
  EXPECT_TRUE(IsRegionName("us-gov-west-1"));
  EXPECT_FALSE(IsRegionName(""));
  EXPECT_FALSE(IsRegionName("a/b"));
  EXPECT_FALSE(IsRegionName("US-EAST-1"));
  EXPECT_FALSE(IsRegionName(std::string(33, 'a')));
}

}  // namespace
}  // namespace mikura::control
