// SPDX-License-Identifier: Apache-2.0
#include "control/model/replication_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mikura::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CreatingAReplicationGroup : public ::testing::Test {
 protected:
  static NewReplicationGroup Demo() {
    NewReplicationGroup asked;
    asked.id = "Demo";
    asked.description = "a demo";
    asked.node_type = "cache.t3.micro";
    asked.cluster_count = 3;
    return asked;
  }
  ApiResult<BuiltReplicationGroup> Build(const NewReplicationGroup& asked) {
    return BuildReplicationGroup(asked, context_);
  }
  ApiError RefusalOf(const NewReplicationGroup& asked) {
    const auto built = Build(asked);
    EXPECT_FALSE(built.ok());
    return built.ok() ? ApiError{} : built.error();
  }

  CreationContext context_{"000000000000", "ap-northeast-1", "1f2e3d4c", 1000, {"1a", "1c"}};
};

TEST_F(CreatingAReplicationGroup, GivesTheGroupAndItsMembersPrimaryFirst) {
  NewReplicationGroup asked = Demo();
  asked.preferred_zones = {"1c", "1a", "1a"};
  asked.tags = {{"team", "web"}};
  const auto built = Build(asked);
  ASSERT_TRUE(built.ok());
  EXPECT_EQ(built->group.id, "demo");
  EXPECT_EQ(built->group.status, "creating");
  EXPECT_EQ(built->group.engine, "redis");
  EXPECT_EQ(built->group.port, 6379);
  EXPECT_THAT(built->group.member_clusters, ElementsAre("demo-001", "demo-002", "demo-003"));
  EXPECT_EQ(built->group.ShardKey(), "demo-1f2e3d4c/0001");
  ASSERT_EQ(built->members.size(), 3u);
  EXPECT_EQ(built->members[0].PreferredZone(), "1c");
  EXPECT_EQ(built->members[1].replication_group, "demo");
  EXPECT_EQ(built->members[1].parameter_group, "default.redis7");
  EXPECT_EQ(built->members[2].tags, asked.tags);
}

TEST_F(CreatingAReplicationGroup, ReadsBackWhatItWrites) {
  const auto built = Build(Demo());
  const auto read = ReplicationGroupFromJson(ToJson(built->group));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(ToJson(*read), ToJson(built->group));
}

TEST_F(CreatingAReplicationGroup, NeedsADescriptionAndAType) {
  NewReplicationGroup asked = Demo();
  asked.description = "";
  EXPECT_EQ(RefusalOf(asked).code, ApiErrorCode::kInvalidParameterValue);
  asked = Demo();
  asked.node_type = "";
  EXPECT_EQ(RefusalOf(asked).code, ApiErrorCode::kInvalidParameterValue);
}

TEST_F(CreatingAReplicationGroup, HasUpToFiveReplicas) {
  NewReplicationGroup asked = Demo();
  asked.cluster_count = 6;
  EXPECT_EQ(Build(asked)->members.size(), 6u);
  asked.cluster_count = 7;
  EXPECT_EQ(RefusalOf(asked).code, ApiErrorCode::kInvalidParameterValue);
  asked.cluster_count = 0;
  EXPECT_EQ(RefusalOf(asked).code, ApiErrorCode::kInvalidParameterValue);
  asked.cluster_count.reset();
  EXPECT_EQ(Build(asked)->members.size(), 1u);
}

TEST_F(CreatingAReplicationGroup, ReplicasPerNodeGroupCountsWithoutThePrimary) {
  NewReplicationGroup asked = Demo();
  asked.cluster_count.reset();
  asked.node_group_count = 1;
  asked.replicas_per_node_group = 2;
  EXPECT_EQ(Build(asked)->members.size(), 3u);
  asked.replicas_per_node_group = 6;
  EXPECT_EQ(RefusalOf(asked).code, ApiErrorCode::kInvalidParameterValue);
  asked.replicas_per_node_group = 1;
  asked.cluster_count = 2;
  EXPECT_EQ(RefusalOf(asked).code, ApiErrorCode::kInvalidParameterCombination);
}

TEST_F(CreatingAReplicationGroup, SeveralShardsAreRefusedAsNotAvailableYet) {
  NewReplicationGroup asked = Demo();
  asked.cluster_count.reset();
  asked.node_group_count = 2;
  EXPECT_THAT(RefusalOf(asked).message, HasSubstr("not available yet"));
  asked.node_group_count = 0;
  EXPECT_EQ(RefusalOf(asked).code, ApiErrorCode::kInvalidParameterValue);
}

TEST_F(CreatingAReplicationGroup, AutomaticFailoverNeedsAReplica) {
  NewReplicationGroup asked = Demo();
  asked.automatic_failover = true;
  EXPECT_TRUE(Build(asked)->group.automatic_failover);
  asked.cluster_count = 1;
  EXPECT_EQ(RefusalOf(asked).code, ApiErrorCode::kInvalidParameterCombination);
}

TEST_F(CreatingAReplicationGroup, MultiAzNeedsAutomaticFailover) {
  NewReplicationGroup asked = Demo();
  asked.multi_az = true;
  EXPECT_EQ(RefusalOf(asked).code, ApiErrorCode::kInvalidParameterCombination);
  asked.automatic_failover = true;
  EXPECT_TRUE(Build(asked)->group.multi_az);
}

TEST_F(CreatingAReplicationGroup, TheCountOfZonesIsThatOfNodes) {
  NewReplicationGroup asked = Demo();
  asked.preferred_zones = {"1a", "1c"};
  EXPECT_EQ(RefusalOf(asked).code, ApiErrorCode::kInvalidParameterCombination);
  asked.preferred_zones = {"1a", "1c", "1d"};
  EXPECT_EQ(RefusalOf(asked).code, ApiErrorCode::kInvalidParameterValue);
}

TEST_F(CreatingAReplicationGroup, OfMemcachedIsRefused) {
  NewReplicationGroup asked = Demo();
  asked.engine = "memcached";
  EXPECT_EQ(RefusalOf(asked).code, ApiErrorCode::kInvalidParameterValue);
}

TEST_F(CreatingAReplicationGroup, OfValkeyTakesItsOwnDefaults) {
  NewReplicationGroup asked = Demo();
  asked.engine = "valkey";
  EXPECT_EQ(Build(asked)->group.engine_version, "8.0.1");
  EXPECT_EQ(Build(asked)->members[0].parameter_group, "default.valkey8");
}

TEST_F(CreatingAReplicationGroup, ABadIdIsRefused) {
  NewReplicationGroup asked = Demo();
  asked.id = "a--b";
  EXPECT_EQ(RefusalOf(asked).code, ApiErrorCode::kInvalidParameterValue);
}

}  // namespace
}  // namespace mikura::control
