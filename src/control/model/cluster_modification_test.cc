// SPDX-License-Identifier: Apache-2.0
#include "control/model/cluster_modification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mikura::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<std::string> kZones = {"1a", "1c", "1d"};

CacheCluster Made(const std::string& engine, int64_t count, const std::string& az_mode = "") {
  NewCacheCluster asked;
  asked.id = "mc";
  asked.engine = engine;
  asked.node_type = "cache.t3.micro";
  asked.node_count = count;
  asked.az_mode = az_mode;
  CacheCluster cluster =
      *BuildCacheCluster(asked, {"000000000000", "ap-northeast-1", "1f2e3d4c", 0, kZones});
  cluster.status = kStatusAvailable;
  for (CacheNode& node : cluster.nodes) node.status = kStatusAvailable;
  return cluster;
}

std::vector<std::string> Ids(const CacheCluster& cluster, std::string_view status) {
  std::vector<std::string> ids;
  for (const CacheNode& node : cluster.nodes) {
    if (node.status == status) ids.push_back(node.id);
  }
  return ids;
}

ApiErrorCode ErrorOf(const ClusterModification& asked, CacheCluster cluster) {
  const auto changed = ModifyCluster(asked, kZones, 5, cluster);
  EXPECT_FALSE(changed.ok());
  return changed.ok() ? ApiErrorCode::kInternalFailure : changed.error().code;
}

TEST(ClusterModification, AddsNodesAtOnce) {
  CacheCluster cluster = Made("memcached", 2);
  ASSERT_TRUE(ModifyCluster({.node_count = 4, .immediately = true}, kZones, 5, cluster).ok());
  EXPECT_EQ(cluster.status, kStatusModifying);
  EXPECT_THAT(Ids(cluster, kStatusCreating), ElementsAre("0003", "0004"));
  EXPECT_EQ(cluster.nodes[3].zone, "1a");
  EXPECT_EQ(cluster.nodes[3].created_at, 5);
  EXPECT_EQ(cluster.pending_nodes.count, 0);
  EXPECT_EQ(cluster.membership_version, 1);  // until they answer
}

TEST(ClusterModification, RemovesTheNamedNodesAtOnce) {
  CacheCluster cluster = Made("memcached", 4);
  const ClusterModification asked{
      .node_count = 2, .removed_nodes = {"0002", "0003"}, .immediately = true};
  ASSERT_TRUE(ModifyCluster(asked, kZones, 5, cluster).ok());
  EXPECT_THAT(Ids(cluster, kStatusDeleting), ElementsAre("0002", "0003"));
  EXPECT_EQ(cluster.membership_version, 2);
}

TEST(ClusterModification, AnIdThatIsFreeIsUsedAgain) {
  CacheCluster cluster = Made("memcached", 3);
  cluster.nodes.erase(cluster.nodes.begin() + 1);
  ASSERT_TRUE(ModifyCluster({.node_count = 4, .immediately = true}, kZones, 5, cluster).ok());
  EXPECT_THAT(Ids(cluster, kStatusCreating), ElementsAre("0002", "0004"));
}

TEST(ClusterModification, WaitsForTheWindowUnlessToldOtherwise) {
  CacheCluster cluster = Made("memcached", 2);
  ASSERT_TRUE(ModifyCluster({.node_count = 1, .removed_nodes = {"0001"}}, kZones, 5, cluster).ok());
  EXPECT_EQ(cluster.status, kStatusAvailable);
  EXPECT_EQ(cluster.pending_nodes.count, 1);
  EXPECT_THAT(cluster.pending_nodes.removed, ElementsAre("0001"));
  ApplyPendingNodes(cluster, 7);
  EXPECT_THAT(Ids(cluster, kStatusDeleting), ElementsAre("0001"));
  EXPECT_EQ(cluster.pending_nodes.count, 0);
}

TEST(ClusterModification, WhatIsPendingIsReplacedTakenBackAndAppliedByTheNext) {
  CacheCluster cluster = Made("memcached", 2);
  ASSERT_TRUE(ModifyCluster({.node_count = 4}, kZones, 5, cluster).ok());
  ASSERT_TRUE(ModifyCluster({.node_count = 3}, kZones, 5, cluster).ok());
  EXPECT_EQ(cluster.pending_nodes.count, 3);
  ASSERT_TRUE(ModifyCluster({.node_count = 2}, kZones, 5, cluster).ok());
  EXPECT_EQ(cluster.pending_nodes.count, 0);
  ASSERT_TRUE(ModifyCluster({.node_count = 3}, kZones, 5, cluster).ok());
  ASSERT_TRUE(ModifyCluster({.immediately = true}, kZones, 5, cluster).ok());
  EXPECT_THAT(Ids(cluster, kStatusCreating), ElementsAre("0003"));
}

TEST(ClusterModification, NewNodesGoToTheLeastUsedZonesWhenTheyAreSpread) {
  CacheCluster cluster = Made("memcached", 4, "cross-az");  // 1a 1c 1d 1a
  ASSERT_TRUE(ModifyCluster({.node_count = 6}, kZones, 5, cluster).ok());
  EXPECT_THAT(cluster.pending_nodes.zones, ElementsAre("1c", "1d"));
  CacheCluster single = Made("memcached", 2);
  ASSERT_TRUE(ModifyCluster({.node_count = 4, .az_mode = "cross-az"}, kZones, 5, single).ok());
  EXPECT_THAT(single.pending_nodes.zones, ElementsAre("1c", "1d"));
}

TEST(ClusterModification, NewNodesGoWhereTheyAreAsked) {
  CacheCluster cluster = Made("memcached", 2);
  ClusterModification asked{.node_count = 4, .new_zones = {"1d", "1d"}, .az_mode = "cross-az"};
  ASSERT_TRUE(ModifyCluster(asked, kZones, 5, cluster).ok());
  EXPECT_THAT(cluster.pending_nodes.zones, ElementsAre("1d", "1d"));
  asked.new_zones = {"1d"};
  EXPECT_EQ(ErrorOf(asked, cluster), ApiErrorCode::kInvalidParameterCombination);
  asked.new_zones = {"1d", "1x"};
  EXPECT_EQ(ErrorOf(asked, cluster), ApiErrorCode::kInvalidParameterValue);
  asked.new_zones = {"1d", "1d"};
  asked.az_mode = "";
  EXPECT_EQ(ErrorOf(asked, Made("memcached", 2)), ApiErrorCode::kInvalidParameterCombination);
}

TEST(ClusterModification, RefusesCountsAndIdsThatDoNotFit) {
  const CacheCluster mc = Made("memcached", 3);
  EXPECT_EQ(ErrorOf({.node_count = 0}, mc), ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(ErrorOf({.node_count = 61}, mc), ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(ErrorOf({.node_count = 2}, mc), ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(ErrorOf({.node_count = 1, .removed_nodes = {"0001", "0001"}}, mc),
            ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(ErrorOf({.node_count = 2, .removed_nodes = {"0004"}}, mc),
            ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(ErrorOf({.removed_nodes = {"0001"}}, mc), ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(ErrorOf({.new_zones = {"1a"}}, mc), ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(ErrorOf({.az_mode = "anywhere"}, mc), ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(ErrorOf({.az_mode = "single-az"}, Made("memcached", 2, "cross-az")),
            ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(ErrorOf({.node_count = 2}, Made("redis", 1)), ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(ErrorOf({.az_mode = "cross-az"}, Made("redis", 1)),
            ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(ErrorOf({.snapshot_window = "05:00-06:00"}, mc),
            ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(ErrorOf({.engine_version = "9.9"}, mc), ApiErrorCode::kInvalidParameterValue);
}

TEST(ClusterModification, OnlyWhatIsAvailableAndStandsAloneIsChanged) {
  CacheCluster cluster = Made("memcached", 2);
  cluster.status = kStatusModifying;
  EXPECT_EQ(ErrorOf({.node_count = 3}, cluster), ApiErrorCode::kInvalidCacheClusterState);
  EXPECT_EQ(RebootNodes({"0001"}, cluster).error().code, ApiErrorCode::kInvalidCacheClusterState);
  CacheCluster member = Made("redis", 1);
  member.replication_group = "demo";
  EXPECT_EQ(ErrorOf({.maintenance_window = "sun:05:00-sun:06:00"}, member),
            ApiErrorCode::kInvalidCacheClusterState);
}

TEST(ClusterModification, RebootMarksTheNamedNodes) {
  CacheCluster cluster = Made("memcached", 3);
  ASSERT_TRUE(RebootNodes({"0002"}, cluster).ok());
  EXPECT_EQ(cluster.status, "rebooting cluster nodes");
  EXPECT_THAT(Ids(cluster, kStatusRebooting), ElementsAre("0002"));
  EXPECT_EQ(cluster.nodes[1].reboot, kRebootAsked);
  CacheCluster other = Made("memcached", 1);
  EXPECT_THAT(RebootNodes({"0002"}, other).error().message, HasSubstr("no cache node 0002"));
  EXPECT_FALSE(RebootNodes({}, other).ok());
}

TEST(ClusterModification, SurvivesTheStore) {
  CacheCluster cluster = Made("memcached", 3, "cross-az");
  ASSERT_TRUE(ModifyCluster({.node_count = 2, .removed_nodes = {"0003"}}, kZones, 5, cluster).ok());
  const CacheCluster read = *CacheClusterFromJson(ToJson(cluster));
  EXPECT_EQ(ToJson(read), ToJson(cluster));
  EXPECT_THAT(read.pending_nodes.removed, ElementsAre("0003"));
  EXPECT_TRUE(read.spreads);
}

TEST(ClusterModification, ALaterVersionComesWithAParameterGroupOfItsFamily) {
  CacheCluster cluster = Made("redis", 1);
  cluster.engine_version = "6.2.6";
  cluster.parameter_group = "default.redis6.x";
  ASSERT_TRUE(ModifyCluster({.engine_version = "7.0"}, {"1a"}, 0, cluster).ok());
  EXPECT_EQ(cluster.engine_version, "6.2.6");
  EXPECT_EQ(cluster.pending_engine_version, "7.0.7");
  EXPECT_EQ(cluster.pending_parameter_group, "default.redis7");
  EXPECT_EQ(cluster.parameter_group, "default.redis6.x");
  EXPECT_EQ(cluster.status, kStatusAvailable);
  ApplyPending(cluster, 0);
  EXPECT_EQ(cluster.status, kStatusModifying);
  EXPECT_EQ(cluster.nodes.front().version_change, kVersionChangeAsked);
  TakePendingChange(cluster);
  EXPECT_EQ(cluster.engine_version, "7.0.7");
  EXPECT_EQ(cluster.parameter_group, "default.redis7");
  EXPECT_EQ(cluster.pending_engine_version, "");
}

TEST(ClusterModification, AnotherEngineComesWithItsNewestVersionAndParameterGroup) {
  CacheCluster cluster = Made("redis", 1);
  ASSERT_TRUE(ModifyCluster({.engine = "Valkey"}, {"1a"}, 0, cluster).ok());
  EXPECT_EQ(cluster.pending_engine, "valkey");
  EXPECT_EQ(cluster.pending_engine_version, "8.0.1");
  EXPECT_EQ(cluster.pending_parameter_group, "default.valkey8");
  EXPECT_EQ(cluster.engine, "redis");
  TakePendingChange(cluster);
  EXPECT_EQ(cluster.engine, "valkey");
  EXPECT_EQ(cluster.engine_version, "8.0.1");
  EXPECT_EQ(cluster.pending_engine, "");
  EXPECT_EQ(ErrorOf({.engine = "redis"}, cluster), ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(ErrorOf({.engine = "memcached"}, cluster), ApiErrorCode::kInvalidParameterCombination);
  EXPECT_EQ(ErrorOf({.engine = "mysql"}, cluster), ApiErrorCode::kInvalidParameterValue);
  // The engine that it has is nothing to wait for.
  ASSERT_TRUE(ModifyCluster({.engine = "valkey"}, {"1a"}, 0, cluster).ok());
  EXPECT_FALSE(cluster.HasPendingChange());
}

TEST(ClusterModification, AnotherTypeOfMemcachedComesInBatches) {
  CacheCluster cluster = Made("memcached", 3);
  ASSERT_TRUE(ModifyCluster({.node_type = "cache.t3.small"}, kZones, 5, cluster).ok());
  EXPECT_EQ(cluster.pending_node_type, "cache.t3.small");
  EXPECT_EQ(cluster.pending_scale.percentage, 20);
  EXPECT_EQ(cluster.pending_scale.interval_minutes, 5);
  EXPECT_EQ(cluster.node_type, "cache.t3.micro");
  const ClusterModification asked{.node_type = "cache.t3.small",
                                  .scale_percentage = 50,
                                  .scale_interval_minutes = 2,
                                  .immediately = true};
  ASSERT_TRUE(ModifyCluster(asked, kZones, 5, cluster).ok());
  EXPECT_EQ(cluster.pending_scale.percentage, 50);
  EXPECT_EQ(cluster.pending_scale.interval_minutes, 2);
  EXPECT_EQ(cluster.status, kStatusModifying);
  for (const CacheNode& node : cluster.nodes) {
    EXPECT_EQ(node.version_change, kVersionChangeWaits);
  }
  TakePendingChange(cluster);
  EXPECT_EQ(cluster.node_type, "cache.t3.small");
  EXPECT_EQ(cluster.pending_scale.percentage, 0);
  const CacheCluster read = *CacheClusterFromJson(ToJson(cluster));
  EXPECT_EQ(ToJson(read), ToJson(cluster));
}

TEST(ClusterModification, RefusesTypesAndScalesThatDoNotFit) {
  const CacheCluster mc = Made("memcached", 3);
  const std::string type = "cache.t3.small";
  using Code = ApiErrorCode;
  EXPECT_EQ(ErrorOf({.node_type = "cache.none"}, mc), Code::kInvalidParameterValue);
  EXPECT_EQ(ErrorOf({.node_type = type, .scale_percentage = 9}, mc), Code::kInvalidParameterValue);
  EXPECT_EQ(ErrorOf({.node_type = type, .scale_percentage = 101}, mc),
            Code::kInvalidParameterValue);
  EXPECT_EQ(ErrorOf({.node_type = type, .scale_interval_minutes = 1}, mc),
            Code::kInvalidParameterValue);
  EXPECT_EQ(ErrorOf({.node_type = type, .scale_interval_minutes = 31}, mc),
            Code::kInvalidParameterValue);
  EXPECT_EQ(ErrorOf({.scale_percentage = 50}, mc), Code::kInvalidParameterCombination);
  EXPECT_EQ(ErrorOf({.node_count = 4, .node_type = type}, mc), Code::kInvalidParameterCombination);
  EXPECT_EQ(ErrorOf({.node_type = type, .scale_percentage = 50}, Made("redis", 1)),
            Code::kInvalidParameterCombination);
}

TEST(ClusterModification, DailySnapshotsAreOfRedisAlone) {
  CacheCluster cluster = Made("redis", 1);
  ASSERT_TRUE(ModifyCluster({.snapshot_retention_limit = 3}, {"1a"}, 0, cluster).ok());
  EXPECT_EQ(cluster.snapshot_retention_limit, 3);
  EXPECT_NE(cluster.snapshot_window, "");
  EXPECT_EQ(ErrorOf({.snapshot_retention_limit = 36}, cluster),
            ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(ErrorOf({.snapshot_retention_limit = 1}, Made("memcached", 1)),
            ApiErrorCode::kInvalidParameterCombination);
}

TEST(ClusterModification, AnEarlierVersionAndAGroupOfAnotherFamilyAreRefused) {
  CacheCluster cluster = Made("redis", 1);
  EXPECT_EQ(ErrorOf({.engine_version = "6.2"}, cluster),
            ApiErrorCode::kInvalidParameterCombination);
  cluster.engine_version = "6.2.6";
  cluster.parameter_group = "mine";
  EXPECT_EQ(ErrorOf({.engine_version = "7.0"}, cluster),
            ApiErrorCode::kInvalidParameterCombination);
  ASSERT_TRUE(
      ModifyCluster(
          {.engine_version = "7.0", .parameter_group = "yours", .parameter_family = "redis7"},
          {"1a"}, 0, cluster)
          .ok());
  EXPECT_EQ(cluster.pending_parameter_group, "yours");
  // What it has already is nothing to wait for.
  ASSERT_TRUE(ModifyCluster({.engine_version = "6.2.6"}, {"1a"}, 0, cluster).ok());
  EXPECT_EQ(cluster.pending_engine_version, "");
  EXPECT_EQ(cluster.pending_parameter_group, "");
  EXPECT_EQ(cluster.parameter_group, "mine");
}

}  // namespace
}  // namespace mikura::control
