// SPDX-License-Identifier: Apache-2.0
// Rules of IncreaseReplicaCount and DecreaseReplicaCount for a group of one shard. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/model/api_error.h"
#include "control/model/cache_cluster.h"
#include "control/model/replication_group.h"

namespace mikura::control {

inline constexpr int64_t kReplicasMax = 5;

struct ShardReplicas {
  std::string shard;
  int64_t count = 0;
  std::vector<std::string> zones;  // of the primary and all replicas, or none
};

// As the request puts it.
struct AskedReplicas {
  std::optional<int64_t> count;
  std::vector<ShardReplicas> shards;
  std::vector<std::string> to_remove;  // cluster ids; decrease only
  bool apply_immediately = false;
};

// The clusters that a group has and who leads.
struct GroupMembers {
  const ReplicationGroup& group;
  const std::vector<CacheCluster>& clusters;  // in the order of the group
  std::string primary;                        // a cluster id
};

// The clusters that join, status creating. context.zones: where nodes may go.
// Errors: kNoOperationFault, kNodeGroupNotFoundFault, kInvalidParameterValue,
// kInvalidParameterCombination.
ApiResult<std::vector<CacheCluster>> PlanIncrease(const AskedReplicas& asked,
                                                  const GroupMembers& members,
                                                  const CreationContext& context);

// The ids of the clusters that leave. Errors: as above.
ApiResult<std::vector<std::string>> PlanDecrease(const AskedReplicas& asked,
                                                 const GroupMembers& members);

}  // namespace mikura::control
