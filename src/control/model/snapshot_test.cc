// SPDX-License-Identifier: Apache-2.0
#include "control/model/snapshot.h"

#include <gtest/gtest.h>

#include "control/model/identifiers.h"
#include "control/model/snapshot_schedule.h"

namespace mikura::control {
namespace {

constexpr UnixMillis kHour = 3'600'000;
constexpr UnixMillis kDay = 24 * kHour;
constexpr UnixMillis kMidnight = 20'000 * kDay;  // 2024-10-04

TEST(Snapshot, SurvivesTheStore) {
  CacheCluster cluster;
  cluster.id = "solo";
  cluster.incarnation = "1f2e3d4c";
  cluster.engine = "redis";
  cluster.snapshot_retention_limit = 3;
  cluster.nodes.push_back({.id = "0001", .zone = "1a"});
  Snapshot snapshot = SnapshotOf(cluster, {.name = "s", .incarnation = "aaaaaaaa", .now = 7});
  snapshot.nodes[0].bytes = 12;
  snapshot.work.process_id = "p";
  snapshot.failure = "f";
  const auto read = SnapshotFromJson(ToJson(snapshot));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(ToJson(*read), ToJson(snapshot));
  EXPECT_EQ(read->status, "creating");
  EXPECT_EQ(read->source, "manual");
  EXPECT_EQ(read->retention_limit, 3);
  EXPECT_EQ(read->nodes[0].bytes, 12);
  EXPECT_TRUE(read->IsOf(cluster));
  cluster.incarnation = "22222222";
  EXPECT_FALSE(read->IsOf(cluster));
}

TEST(Snapshot, NamesAreThoseOfElastiCache) {
  EXPECT_EQ(*SnapshotNameOf("SnapshotName", "My-Snap"), "my-snap");
  for (const char* name : {"", "1a", "a--b", "a-", "automatic.x", "a/b", "a.."}) {
    EXPECT_FALSE(SnapshotNameOf("SnapshotName", name).ok()) << name;
  }
}

TEST(Snapshot, IsKeptAtMost35Days) {
  EXPECT_TRUE(RetentionLimitOf(0).ok());
  EXPECT_TRUE(RetentionLimitOf(35).ok());
  EXPECT_FALSE(RetentionLimitOf(36).ok());
  EXPECT_FALSE(RetentionLimitOf(-1).ok());
}

TEST(SnapshotSchedule, AWindowIsEnteredOnceADay) {
  EXPECT_EQ(WindowBeginAt("05:00-06:00", kMidnight + 5 * kHour), kMidnight + 5 * kHour);
  EXPECT_EQ(WindowBeginAt("05:00-06:00", kMidnight + 6 * kHour - 1), kMidnight + 5 * kHour);
  EXPECT_FALSE(WindowBeginAt("05:00-06:00", kMidnight + 6 * kHour));
  EXPECT_FALSE(WindowBeginAt("05:00-06:00", kMidnight + 5 * kHour - 1));
  EXPECT_FALSE(WindowBeginAt("", kMidnight));
}

TEST(SnapshotSchedule, AWindowMayReachOverMidnight) {
  const UnixMillis begin = kMidnight - kHour / 2;
  EXPECT_EQ(WindowBeginAt("23:30-00:30", begin), begin);
  EXPECT_EQ(WindowBeginAt("23:30-00:30", kMidnight + kHour / 2 - 1), begin);
  EXPECT_FALSE(WindowBeginAt("23:30-00:30", kMidnight + kHour / 2));
}

TEST(SnapshotSchedule, NamesTellTheMoment) {
  EXPECT_EQ(AutomaticSnapshotName("demo", kMidnight + 5 * kHour + 7 * 60'000),
            "automatic.demo-2024-10-04-05-07");
}

TEST(SnapshotSchedule, WhoNamesNoWindowGetsOne) {
  EXPECT_TRUE(SnapshotWindowOf(DefaultSnapshotWindow("demo")).ok());
  EXPECT_EQ(DefaultSnapshotWindow("demo"), DefaultSnapshotWindow("demo"));
}

TEST(SnapshotSchedule, AutomatedOnesExpireAndManualOnesDoNot) {
  Snapshot snapshot;
  snapshot.source = kSourceAutomated;
  snapshot.created_at = kMidnight;
  snapshot.retention_limit = 2;
  EXPECT_FALSE(IsExpired(snapshot, 1, kMidnight + kDay - 1));
  EXPECT_TRUE(IsExpired(snapshot, 1, kMidnight + kDay));
  EXPECT_FALSE(IsExpired(snapshot, 0, kMidnight + kDay));
  EXPECT_TRUE(IsExpired(snapshot, 0, kMidnight + 2 * kDay));
  snapshot.source = kSourceManual;
  EXPECT_FALSE(IsExpired(snapshot, 1, kMidnight + 9 * kDay));
}

}  // namespace
}  // namespace mikura::control
