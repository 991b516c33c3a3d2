// SPDX-License-Identifier: Apache-2.0
#include "control/model/identifiers.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

TEST(ReplicationGroupId, IsStoredInLowerCase) {
  EXPECT_EQ(*ReplicationGroupIdOf("My-Group-1"), "my-group-1");
}

TEST(ReplicationGroupId, HasOneToFortyCharacters) {
  EXPECT_TRUE(ReplicationGroupIdOf("a").ok());
  EXPECT_TRUE(ReplicationGroupIdOf(std::string(40, 'a')).ok());
  EXPECT_FALSE(ReplicationGroupIdOf("").ok());
  EXPECT_FALSE(ReplicationGroupIdOf(std::string(41, 'a')).ok());
}

TEST(ReplicationGroupId, RefusesOtherSpellings) {
  for (const char* id : {"1group", "-group", "group-", "a--b", "a_b", "a b", "a.b", "gr\xc3\xbc"}) {
    const auto refused = ReplicationGroupIdOf(id);
    ASSERT_FALSE(refused.ok()) << id;
    EXPECT_EQ(refused.error().code, ApiErrorCode::kInvalidParameterValue) << id;
  }
}

TEST(CacheClusterId, HasUpToFiftyCharacters) {
  EXPECT_TRUE(CacheClusterIdOf(std::string(50, 'a')).ok());
  EXPECT_FALSE(CacheClusterIdOf(std::string(51, 'a')).ok());
}

TEST(CacheSubnetGroupName, IsLowerCaseAndNotDefault) {
  EXPECT_EQ(*CacheSubnetGroupNameOf("My_Subnets.1 x"), "my_subnets.1 x");
  EXPECT_FALSE(CacheSubnetGroupNameOf("Default").ok());
  EXPECT_FALSE(CacheSubnetGroupNameOf("").ok());
  EXPECT_FALSE(CacheSubnetGroupNameOf("a/b").ok());
  EXPECT_FALSE(CacheSubnetGroupNameOf(std::string(256, 'a')).ok());
}

TEST(MemberClusterIds, CountFromOneWithThreeDigits) {
  EXPECT_EQ(MemberClusterId("demo", 1), "demo-001");
  EXPECT_EQ(FourDigits(12), "0012");
}

TEST(MaintenanceWindow, IsAtLeastAnHourAndMayPassTheEndOfTheWeek) {
  EXPECT_EQ(*MaintenanceWindowOf("Sun:23:30-Mon:00:30"), "sun:23:30-mon:00:30");
  EXPECT_FALSE(MaintenanceWindowOf("mon:01:00-mon:01:59").ok());
  EXPECT_FALSE(MaintenanceWindowOf("xyz:01:00-mon:03:00").ok());
  EXPECT_FALSE(MaintenanceWindowOf("mon:24:00-tue:03:00").ok());
  EXPECT_FALSE(MaintenanceWindowOf("mon:01:00").ok());
}

TEST(SnapshotWindow, IsAtLeastAnHourAndMayPassMidnight) {
  EXPECT_EQ(*SnapshotWindowOf("23:30-00:30"), "23:30-00:30");
  EXPECT_FALSE(SnapshotWindowOf("05:00-05:30").ok());
  EXPECT_FALSE(SnapshotWindowOf("5:00-7:00").ok());
}

}  // namespace
}  // namespace mikura::control
