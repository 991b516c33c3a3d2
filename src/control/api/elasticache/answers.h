// SPDX-License-Identifier: Apache-2.0
// From the records of the model to what an answer shows of them.
#pragma once

#include <optional>
#include <vector>

#include "control/api/elasticache/elasticache_api.h"
#include "control/model/cache_cluster.h"
#include "control/model/cache_subnet_group.h"
#include "control/model/node.h"
#include "control/model/replication_group.h"
#include "control/model/tags.h"

namespace mikura::control {

elasticache::CacheSubnetGroup ToWire(const CacheSubnetGroup& group);

// show_nodes: the list of nodes with their endpoints, as ShowCacheNodeInfo asks for.
elasticache::CacheCluster ToWire(const CacheCluster& cluster, bool show_nodes);

// The group as it is known at once; endpoints and roles come with AddNodeGroup().
elasticache::ReplicationGroup ToWire(const ReplicationGroup& group);
// members: in the order of the group. Endpoints are shown once the group has been available.
void AddNodeGroup(const ReplicationGroup& group, const std::vector<CacheCluster>& members,
                  const std::optional<ShardState>& shard, elasticache::ReplicationGroup& wire);

std::vector<elasticache::Tag> ToWire(const Tags& tags);

}  // namespace mikura::control
