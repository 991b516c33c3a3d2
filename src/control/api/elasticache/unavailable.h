// SPDX-License-Identifier: Apache-2.0
// Parameters that ask for what is not built yet. They are refused in words: a cache that silently
// lacked encryption or snapshots would be worse than none.
#pragma once

#include "control/api/elasticache/elasticache_api.h"
#include "control/model/api_error.h"

namespace mikura::control {

// Errors: kInvalidParameterValue, naming the parameter and that it is not available yet.
ApiResult<> RefuseUnavailable(const elasticache::CreateReplicationGroupRequest& request);
ApiResult<> RefuseUnavailable(const elasticache::CreateCacheClusterRequest& request);
ApiResult<> RefuseUnavailable(const elasticache::ModifyReplicationGroupRequest& request);
ApiResult<> RefuseUnavailable(const elasticache::ModifyCacheClusterRequest& request);

}  // namespace mikura::control
