// SPDX-License-Identifier: Apache-2.0
// Whether the machine has room for the nodes that are asked for.
#pragma once

#include <cstdint>
#include <string_view>

#include "control/api/action.h"
#include "control/api/network_store.h"
#include "control/model/cache_cluster.h"

namespace mikura::control {

// Checks that `count` nodes of the type fit beside all that exist, of every account; adds to
// `change` that no others are placed meanwhile. Without a record of the machine all fit.
//
// Errors: kInsufficientCacheClusterCapacity, with what there is.
// Cost:   reads the records of all clusters.
ApiResult<> HoldCapacity(const ActionContext& context, std::string_view node_type, int64_t count,
                         Change& change);

// The same for a cluster that stands alone and is to get another node type, at the place of its
// nodes: what is added to what they hold has to fit. `after` has the type pending.
ApiResult<> HoldCapacityForType(const ActionContext& context, const CacheCluster& before,
                                const CacheCluster& after, Change& change);

}  // namespace mikura::control
