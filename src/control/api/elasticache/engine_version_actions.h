// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::DescribeCacheEngineVersionsResult> DescribeCacheEngineVersions(
    ActionContext& context, const elasticache::DescribeCacheEngineVersionsRequest& request);

}  // namespace mikura::control
