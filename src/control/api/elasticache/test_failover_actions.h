// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::TestFailoverResult> TestFailover(
    ActionContext& context, const elasticache::TestFailoverRequest& request);

}  // namespace mikura::control
