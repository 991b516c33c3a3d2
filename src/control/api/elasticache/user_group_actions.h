// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::CreateUserGroupResult> CreateUserGroup(
    ActionContext& context, const elasticache::CreateUserGroupRequest& request);
ApiResult<elasticache::DeleteUserGroupResult> DeleteUserGroup(
    ActionContext& context, const elasticache::DeleteUserGroupRequest& request);
ApiResult<elasticache::DescribeUserGroupsResult> DescribeUserGroups(
    ActionContext& context, const elasticache::DescribeUserGroupsRequest& request);
ApiResult<elasticache::ModifyUserGroupResult> ModifyUserGroup(
    ActionContext& context, const elasticache::ModifyUserGroupRequest& request);

}  // namespace mikura::control
