// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::CreateReplicationGroupResult> CreateReplicationGroup(
    ActionContext& context, const elasticache::CreateReplicationGroupRequest& request);
ApiResult<elasticache::DescribeReplicationGroupsResult> DescribeReplicationGroups(
    ActionContext& context, const elasticache::DescribeReplicationGroupsRequest& request);
ApiResult<elasticache::DeleteReplicationGroupResult> DeleteReplicationGroup(
    ActionContext& context, const elasticache::DeleteReplicationGroupRequest& request);

}  // namespace mikura::control
