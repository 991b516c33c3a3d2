// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::CreateCacheParameterGroupResult> CreateCacheParameterGroup(
    ActionContext& context, const elasticache::CreateCacheParameterGroupRequest& request);
ApiResult<elasticache::DescribeCacheParameterGroupsResult> DescribeCacheParameterGroups(
    ActionContext& context, const elasticache::DescribeCacheParameterGroupsRequest& request);
ApiResult<elasticache::ModifyCacheParameterGroupResult> ModifyCacheParameterGroup(
    ActionContext& context, const elasticache::ModifyCacheParameterGroupRequest& request);
ApiResult<elasticache::ResetCacheParameterGroupResult> ResetCacheParameterGroup(
    ActionContext& context, const elasticache::ResetCacheParameterGroupRequest& request);
ApiResult<elasticache::DeleteCacheParameterGroupResult> DeleteCacheParameterGroup(
    ActionContext& context, const elasticache::DeleteCacheParameterGroupRequest& request);

}  // namespace mikura::control
