// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

// Oldest first. Without a time: of the last hour. Events are kept for 14 days.
ApiResult<elasticache::DescribeEventsResult> DescribeEvents(
    ActionContext& context, const elasticache::DescribeEventsRequest& request);

}  // namespace mikura::control
