// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::DecreaseReplicaCountResult> DecreaseReplicaCount(
    ActionContext& context, const elasticache::DecreaseReplicaCountRequest& request);
ApiResult<elasticache::IncreaseReplicaCountResult> IncreaseReplicaCount(
    ActionContext& context, const elasticache::IncreaseReplicaCountRequest& request);

}  // namespace mikura::control
