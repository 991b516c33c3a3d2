// SPDX-License-Identifier: Apache-2.0
#include "control/model/cache_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mikura::control {
namespace {

using ::testing::HasSubstr;

class CreatingACacheCluster : public ::testing::Test {
 protected:
  static NewCacheCluster Redis() {
    NewCacheCluster asked;
    asked.id = "One";
    asked.engine = "redis";
    asked.node_type = "cache.t3.micro";
    asked.node_count = 1;
    return asked;
  }
  static NewCacheCluster Memcached(int64_t nodes) {
    NewCacheCluster asked = Redis();
    asked.id = "mc";
    asked.engine = "memcached";
    asked.node_count = nodes;
    return asked;
  }
  ApiResult<CacheCluster> Build(const NewCacheCluster& asked) {
    return BuildCacheCluster(asked, context_);
  }
  ApiErrorCode RefusalOf(const NewCacheCluster& asked) {
    const auto built = Build(asked);
    EXPECT_FALSE(built.ok());
    return built.ok() ? ApiErrorCode::kInternalFailure : built.error().code;
  }

  CreationContext context_{"000000000000", "ap-northeast-1", "1f2e3d4c", 1000, {"1a", "1c"}};
};

TEST_F(CreatingACacheCluster, GivesTheDesiredStateOfOneRedisNode) {
  const auto cluster = Build(Redis());
  ASSERT_TRUE(cluster.ok());
  EXPECT_EQ(cluster->id, "one");
  EXPECT_EQ(cluster->status, "creating");
  EXPECT_EQ(cluster->engine_version, "7.1.0");
  EXPECT_EQ(cluster->port, 6379);
  EXPECT_EQ(cluster->parameter_group, "default.redis7");
  ASSERT_EQ(cluster->nodes.size(), 1u);
  EXPECT_EQ(cluster->nodes[0].id, "0001");
  EXPECT_EQ(cluster->nodes[0].status, "creating");
  EXPECT_EQ(cluster->nodes[0].zone, "1a");
  EXPECT_TRUE(cluster->nodes[0].endpoint.empty());
  EXPECT_EQ(cluster->NodeId(cluster->nodes[0]), "one-1f2e3d4c");
  EXPECT_EQ(cluster->ArnOf(), "arn:aws:elasticache:ap-northeast-1:000000000000:cluster:one");
}

TEST_F(CreatingACacheCluster, HasTlsWhereElastiCacheHas) {
  NewCacheCluster asked = Memcached(2);
  asked.serves_tls = true;
  ASSERT_TRUE(Build(asked).ok());
  EXPECT_TRUE(Build(asked)->serves_tls);
  EXPECT_TRUE(CacheClusterFromJson(ToJson(*Build(asked)))->serves_tls);
  asked.engine_version = "1.6.12";
  EXPECT_TRUE(Build(asked).ok());
  asked.engine_version = "1.6.6";
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterCombination);
  asked = Redis();
  asked.serves_tls = true;
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterValue);
}

TEST_F(CreatingACacheCluster, ReadsBackWhatItWrites) {
  const auto cluster = Build(Memcached(2));
  ASSERT_TRUE(cluster.ok());
  const auto read = CacheClusterFromJson(ToJson(*cluster));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(ToJson(*read), ToJson(*cluster));
  EXPECT_EQ(read->nodes.size(), 2u);
}

TEST_F(CreatingACacheCluster, NeedsEngineTypeAndNodeCount) {
  NewCacheCluster asked = Redis();
  asked.engine = "";
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterValue);
  asked = Redis();
  asked.node_type = "";
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterValue);
  asked = Redis();
  asked.node_count.reset();
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterValue);
}

TEST_F(CreatingACacheCluster, OfRedisHasExactlyOneNode) {
  NewCacheCluster asked = Redis();
  asked.node_count = 2;
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterValue);
}

TEST_F(CreatingACacheCluster, OfMemcachedHasOneToSixtyNodes) {
  EXPECT_TRUE(Build(Memcached(1)).ok());
  EXPECT_EQ(Build(Memcached(60))->nodes.back().id, "0060");
  EXPECT_EQ(RefusalOf(Memcached(0)), ApiErrorCode::kInvalidParameterValue);
  EXPECT_EQ(RefusalOf(Memcached(61)), ApiErrorCode::kInvalidParameterValue);
}

TEST_F(CreatingACacheCluster, NumbersMemcachedNodesEachWithItsOwnNodeId) {
  const auto cluster = Build(Memcached(2));
  EXPECT_EQ(cluster->NodeId(cluster->nodes[1]), "mc-0002-1f2e3d4c");
  EXPECT_EQ(cluster->port, 11211);
}

TEST_F(CreatingACacheCluster, CrossAzGoesRoundTheZones) {
  NewCacheCluster asked = Memcached(3);
  asked.az_mode = "cross-az";
  const auto cluster = Build(asked);
  EXPECT_EQ(cluster->nodes[1].zone, "1c");
  EXPECT_EQ(cluster->PreferredZone(), "Multiple");
}

TEST_F(CreatingACacheCluster, SingleAzStaysInOneZone) {
  const auto cluster = Build(Memcached(3));
  EXPECT_EQ(cluster->PreferredZone(), "1a");
}

TEST_F(CreatingACacheCluster, ThePreferredZoneIsTaken) {
  NewCacheCluster asked = Redis();
  asked.preferred_zone = "1c";
  EXPECT_EQ(Build(asked)->PreferredZone(), "1c");
}

TEST_F(CreatingACacheCluster, CrossAzIsForMemcachedOfSeveralNodes) {
  NewCacheCluster asked = Redis();
  asked.az_mode = "cross-az";
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterCombination);
  asked = Memcached(1);
  asked.az_mode = "cross-az";
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterCombination);
  asked.az_mode = "everywhere";
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterValue);
}

TEST_F(CreatingACacheCluster, SeveralZonesNeedCrossAz) {
  NewCacheCluster asked = Memcached(2);
  asked.preferred_zones = {"1a", "1c"};
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterCombination);
  asked.az_mode = "cross-az";
  EXPECT_TRUE(Build(asked).ok());
  asked.preferred_zones = {"1a", "1a"};
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterCombination);
}

TEST_F(CreatingACacheCluster, TheCountOfZonesIsThatOfNodes) {
  NewCacheCluster asked = Memcached(3);
  asked.az_mode = "cross-az";
  asked.preferred_zones = {"1a", "1c"};
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterCombination);
}

TEST_F(CreatingACacheCluster, SnapshotWindowsAreNotForMemcached) {
  NewCacheCluster asked = Memcached(1);
  asked.snapshot_window = "05:00-06:00";
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterCombination);
}

TEST_F(CreatingACacheCluster, PortsBelow1024AreRefused) {
  NewCacheCluster asked = Redis();
  asked.port = 80;
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterValue);
  asked.port = 7000;
  EXPECT_EQ(Build(asked)->port, 7000);
  asked.port = 65536;
  EXPECT_EQ(RefusalOf(asked), ApiErrorCode::kInvalidParameterValue);
}

TEST_F(CreatingACacheCluster, AWrongWindowIsNamed) {
  NewCacheCluster asked = Redis();
  asked.maintenance_window = "whenever";
  EXPECT_THAT(Build(asked).error().message, HasSubstr("whenever"));
}

}  // namespace
}  // namespace mikura::control
