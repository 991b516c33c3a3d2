// SPDX-License-Identifier: Apache-2.0
// Members that join a group or leave it, as both the actions on groups and those on cache clusters
// store them for the reconciler.
#pragma once

#include <string>
#include <vector>

#include "control/api/elasticache/group_view.h"

namespace mikura::control {

// The network of the group, as its members name it. Errors: as FindNetwork().
ApiResult<CacheNetwork> NetworkOf(const ActionContext& context, const WholeGroup& whole);

// Stores the new members, and shows them in `whole`. Returns false when somebody interfered.
// Errors: kInvalidParameterValue for a name that is taken; those of HoldNetwork() and the store.
ApiResult<bool> StoreJoining(const ActionContext& context, const CacheNetwork& network,
                             const std::vector<CacheCluster>& joining, WholeGroup& whole);
// The same for members that leave, by id.
ApiResult<bool> StoreLeaving(const ActionContext& context, const std::vector<std::string>& leaving,
                             WholeGroup& whole);

}  // namespace mikura::control
