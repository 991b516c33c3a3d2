// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::CreateUserResult> CreateUser(ActionContext& context,
                                                    const elasticache::CreateUserRequest& request);
ApiResult<elasticache::DeleteUserResult> DeleteUser(ActionContext& context,
                                                    const elasticache::DeleteUserRequest& request);
ApiResult<elasticache::DescribeUsersResult> DescribeUsers(
    ActionContext& context, const elasticache::DescribeUsersRequest& request);
ApiResult<elasticache::ModifyUserResult> ModifyUser(ActionContext& context,
                                                    const elasticache::ModifyUserRequest& request);

}  // namespace mikura::control
