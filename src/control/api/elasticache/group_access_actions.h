// SPDX-License-Identifier: Apache-2.0
// The part of CreateReplicationGroup and ModifyReplicationGroup that says who may use the group,
// and what answers show of it.
#pragma once

#include <vector>

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"
#include "control/api/network_store.h"
#include "control/model/replication_group.h"

namespace mikura::control {

// Puts what is asked for into the group; `change` holds what it uses.
// Errors: kInvalidParameterValue, kInvalidParameterCombination, kUserGroupNotFound,
// kInvalidUserGroupState.
ApiResult<> SetGroupAccess(const ActionContext& context,
                           const elasticache::CreateReplicationGroupRequest& request,
                           ReplicationGroup& group, Change& change);

// The same for a group that there is. Returns whether anything of it was asked for; then the
// group's status is `modifying`.
ApiResult<bool> ModifyGroupAccess(const ActionContext& context,
                                  const elasticache::ModifyReplicationGroupRequest& request,
                                  ReplicationGroup& group, Change& change);

void ShowAccess(const GroupAccess& access, elasticache::ReplicationGroup& wire);
// Of those clusters that are members of a group; also whether it delivers logs.
ApiResult<> ShowAccess(const ActionContext& context, std::vector<elasticache::CacheCluster>& wire);

}  // namespace mikura::control
