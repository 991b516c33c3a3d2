// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::DescribeCacheParametersResult> DescribeCacheParameters(
    ActionContext& context, const elasticache::DescribeCacheParametersRequest& request);
ApiResult<elasticache::DescribeEngineDefaultParametersResult> DescribeEngineDefaultParameters(
    ActionContext& context, const elasticache::DescribeEngineDefaultParametersRequest& request);

}  // namespace mikura::control
