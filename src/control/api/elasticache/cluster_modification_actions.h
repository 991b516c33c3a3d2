// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::ModifyCacheClusterResult> ModifyCacheCluster(
    ActionContext& context, const elasticache::ModifyCacheClusterRequest& request);
ApiResult<elasticache::RebootCacheClusterResult> RebootCacheCluster(
    ActionContext& context, const elasticache::RebootCacheClusterRequest& request);

}  // namespace mikura::control
