// SPDX-License-Identifier: Apache-2.0
// A replication group with its clusters and its shard, as actions read and change them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/elasticache/cache_store.h"
#include "control/model/replica_count.h"

namespace mikura::control {

struct WholeGroup {
  Stored<ReplicationGroup> group;
  std::vector<Stored<CacheCluster>> clusters;  // in the order of the group
  std::optional<ShardState> shard;

  std::vector<CacheCluster> Records() const;
  // The cluster id of who leads; empty while that is not decided.
  std::string Primary() const;
  // All of it as answers show it.
  elasticache::ReplicationGroup Answer() const;
};

// Errors: kReplicationGroupNotFoundFault; those of the store.
ApiResult<WholeGroup> FindWholeGroup(const ActionContext& context, std::string_view id);
// The same for a group that was read; nullopt when it is not there any more.
ApiResult<std::optional<WholeGroup>> WholeGroupOf(const ActionContext& context,
                                                  Stored<ReplicationGroup> group);

// Errors: kInvalidReplicationGroupState, unless the group is available.
ApiResult<> CheckAvailable(const ReplicationGroup& group);

}  // namespace mikura::control
