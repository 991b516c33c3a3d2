// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::CreateCacheSubnetGroupResult> CreateCacheSubnetGroup(
    ActionContext& context, const elasticache::CreateCacheSubnetGroupRequest& request);
ApiResult<elasticache::DescribeCacheSubnetGroupsResult> DescribeCacheSubnetGroups(
    ActionContext& context, const elasticache::DescribeCacheSubnetGroupsRequest& request);
ApiResult<elasticache::ModifyCacheSubnetGroupResult> ModifyCacheSubnetGroup(
    ActionContext& context, const elasticache::ModifyCacheSubnetGroupRequest& request);
ApiResult<elasticache::DeleteCacheSubnetGroupResult> DeleteCacheSubnetGroup(
    ActionContext& context, const elasticache::DeleteCacheSubnetGroupRequest& request);

}  // namespace mikura::control
