// SPDX-License-Identifier: Apache-2.0
#include "control/model/replica_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mikura::control {
namespace {

using ::testing::ElementsAre;

class ReplicaCount : public ::testing::Test {
 protected:
  // A group of that many nodes in the zones 1a, 1c, 1a, ...
  ReplicaCount() { Have(3); }

  void Have(int64_t nodes) {
    NewReplicationGroup asked;
    asked.id = "demo";
    asked.description = "a test";
    asked.node_type = "cache.t3.micro";
    asked.cluster_count = nodes;
    const auto built = BuildReplicationGroup(asked, context_);
    group_ = built->group;
    clusters_ = built->members;
    asked_.apply_immediately = true;
  }
  GroupMembers Members() { return {group_, clusters_, "demo-001"}; }
  std::vector<std::string> Added() {
    const auto added = PlanIncrease(asked_, Members(), context_);
    EXPECT_TRUE(added.ok()) << added.error().message;
    std::vector<std::string> names;
    for (const CacheCluster& cluster : *added) {
      names.push_back(cluster.id + " " + cluster.PreferredZone());
    }
    return names;
  }
  ApiErrorCode IncreaseError() { return PlanIncrease(asked_, Members(), context_).error().code; }
  std::vector<std::string> Removed() {
    const auto removed = PlanDecrease(asked_, Members());
    EXPECT_TRUE(removed.ok()) << removed.error().message;
    return removed.ok() ? *removed : std::vector<std::string>();
  }
  ApiErrorCode DecreaseError() { return PlanDecrease(asked_, Members()).error().code; }

  CreationContext context_{"000000000000", "ap-northeast-1", "0a0b0c0d", 5, {"1a", "1c"}};
  ReplicationGroup group_;
  std::vector<CacheCluster> clusters_;
  AskedReplicas asked_;
};

TEST_F(ReplicaCount, NewNamesContinueAndGoToTheEmptiestZones) {
  asked_.count = 4;
  EXPECT_THAT(Added(), ElementsAre("demo-004 1c", "demo-005 1a"));
}

TEST_F(ReplicaCount, ANameThatWasRemovedInTheMiddleIsNotUsedAgain) {
  clusters_.erase(clusters_.begin() + 1);
  asked_.count = 2;
  EXPECT_THAT(Added(), ElementsAre("demo-004 1c"));
}

TEST_F(ReplicaCount, TheConfigurationOfTheShardNamesZones) {
  asked_.shards = {{"0001", 3, {"1a", "1a", "1c", "1a"}}};
  EXPECT_THAT(Added(), ElementsAre("demo-004 1a"));
  asked_.shards = {{"0001", 3, {"1a", "1c"}}};
  EXPECT_EQ(IncreaseError(), ApiErrorCode::kInvalidParameterCombination);
  asked_.shards = {{"0001", 3, {"1c", "1c", "1c", "1c"}}};
  EXPECT_EQ(IncreaseError(), ApiErrorCode::kInvalidParameterCombination);
  asked_.shards = {{"0001", 3, {"1a", "1a", "1c", "9z"}}};
  EXPECT_EQ(IncreaseError(), ApiErrorCode::kInvalidParameterValue);
  asked_.shards = {{"0002", 3, {}}};
  EXPECT_EQ(IncreaseError(), ApiErrorCode::kNodeGroupNotFoundFault);
}

TEST_F(ReplicaCount, AnIncreaseThatIsNoneIsRefused) {
  asked_.count = 2;
  EXPECT_EQ(IncreaseError(), ApiErrorCode::kNoOperationFault);
  for (const int64_t count : {-1, 0, 1, 6}) {
    asked_.count = count;
    EXPECT_EQ(IncreaseError(), ApiErrorCode::kInvalidParameterValue) << count;
  }
  asked_.count.reset();
  EXPECT_EQ(IncreaseError(), ApiErrorCode::kInvalidParameterCombination);
  asked_.count = 3;
  asked_.apply_immediately = false;
  EXPECT_EQ(IncreaseError(), ApiErrorCode::kInvalidParameterValue);
}

TEST_F(ReplicaCount, TheYoungestReplicasLeaveFirstAndNeverThePrimary) {
  Have(4);
  asked_.count = 1;
  EXPECT_THAT(Removed(), ElementsAre("demo-004", "demo-003"));
  asked_.count = 0;
  EXPECT_THAT(Removed(), ElementsAre("demo-004", "demo-003", "demo-002"));
}

TEST_F(ReplicaCount, WithMultiAzOneInAnotherZoneStays) {
  group_.automatic_failover = group_.multi_az = true;
  clusters_.back().nodes.front().zone = "1c";
  clusters_[1].nodes.front().zone = "1a";
  asked_.count = 1;
  EXPECT_THAT(Removed(), ElementsAre("demo-002"));
}

TEST_F(ReplicaCount, NamedReplicasLeave) {
  asked_.to_remove = {"DEMO-002"};
  EXPECT_THAT(Removed(), ElementsAre("demo-002"));
  asked_.count = 0;
  EXPECT_EQ(DecreaseError(), ApiErrorCode::kInvalidParameterCombination);
  asked_.count.reset();
  for (const char* wrong : {"demo-001", "demo-009"}) {
    asked_.to_remove = {wrong};
    EXPECT_EQ(DecreaseError(), ApiErrorCode::kInvalidParameterValue) << wrong;
  }
  asked_.to_remove = {"demo-002", "demo-002"};
  EXPECT_EQ(DecreaseError(), ApiErrorCode::kInvalidParameterValue);
}

TEST_F(ReplicaCount, TheConfigurationOfTheShardNamesTheZonesThatRemain) {
  Have(4);
  asked_.shards = {{"0001", 1, {"1c", "1a"}}};
  EXPECT_THAT(Removed(), ElementsAre("demo-003", "demo-004"));
  asked_.shards = {{"0001", 1, {"1a", "1a"}}};
  EXPECT_THAT(Removed(), ElementsAre("demo-002", "demo-004"));
  for (const std::vector<std::string>& zones :
       {std::vector<std::string>{"1c", "1c"}, {"1a"}, {"1a", "9z"}}) {
    asked_.shards = {{"0001", 1, zones}};
    EXPECT_EQ(DecreaseError(), ApiErrorCode::kInvalidParameterCombination);
  }
}

TEST_F(ReplicaCount, ADecreaseThatIsNoneOrGoesTooFarIsRefused) {
  asked_.count = 2;
  EXPECT_EQ(DecreaseError(), ApiErrorCode::kNoOperationFault);
  for (const int64_t count : {-1, 3}) {
    asked_.count = count;
    EXPECT_EQ(DecreaseError(), ApiErrorCode::kInvalidParameterValue) << count;
  }
  group_.automatic_failover = true;
  asked_.count = 0;
  EXPECT_EQ(DecreaseError(), ApiErrorCode::kInvalidParameterValue);
  asked_.count.reset();
  EXPECT_EQ(DecreaseError(), ApiErrorCode::kInvalidParameterCombination);
}

}  // namespace
}  // namespace mikura::control
