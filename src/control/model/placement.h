// SPDX-License-Identifier: Apache-2.0
// Which availability zone each node goes to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/model/api_error.h"

namespace mikura::control {

// The zones of `node_count` nodes, first node first.
//
// wanted:    zones the client named, one for each node, or none.
// available: where nodes may go (of the subnet group, else of the region); not empty.
// spread:    whether nodes without a wish go round all zones or stay in the first.
// Errors:    kInvalidParameterCombination when the count of wishes differs from the nodes',
//            kInvalidParameterValue for a zone that is not available.
ApiResult<std::vector<std::string>> PlaceNodes(int64_t node_count,
                                               const std::vector<std::string>& wanted,
                                               const std::vector<std::string>& available,
                                               bool spread);

}  // namespace mikura::control
