// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::AddTagsToResourceResult> AddTagsToResource(
    ActionContext& context, const elasticache::AddTagsToResourceRequest& request);
ApiResult<elasticache::ListTagsForResourceResult> ListTagsForResource(
    ActionContext& context, const elasticache::ListTagsForResourceRequest& request);
ApiResult<elasticache::RemoveTagsFromResourceResult> RemoveTagsFromResource(
    ActionContext& context, const elasticache::RemoveTagsFromResourceRequest& request);

}  // namespace mikura::control
