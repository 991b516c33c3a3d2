// SPDX-License-Identifier: Apache-2.0
// CreateCacheCluster and DeleteCacheCluster for the members of a replication group.
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"
#include "control/model/cache_cluster.h"

namespace mikura::control {

// A new replica of the group that the request names.
ApiResult<elasticache::CreateCacheClusterResult> JoinGroup(
    ActionContext& context, const elasticache::CreateCacheClusterRequest& request);
// The replica leaves its group.
ApiResult<elasticache::DeleteCacheClusterResult> LeaveGroup(ActionContext& context,
                                                            const CacheCluster& cluster);

}  // namespace mikura::control
