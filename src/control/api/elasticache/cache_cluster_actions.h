// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::CreateCacheClusterResult> CreateCacheCluster(
    ActionContext& context, const elasticache::CreateCacheClusterRequest& request);
ApiResult<elasticache::DescribeCacheClustersResult> DescribeCacheClusters(
    ActionContext& context, const elasticache::DescribeCacheClustersRequest& request);
ApiResult<elasticache::DeleteCacheClusterResult> DeleteCacheCluster(
    ActionContext& context, const elasticache::DeleteCacheClusterRequest& request);

}  // namespace mikura::control
