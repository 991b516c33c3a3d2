// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::ListAllowedNodeTypeModificationsResult> ListAllowedNodeTypeModifications(
    ActionContext& context, const elasticache::ListAllowedNodeTypeModificationsRequest& request);

}  // namespace mikura::control
