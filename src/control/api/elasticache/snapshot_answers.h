// SPDX-License-Identifier: Apache-2.0
// What answers show of a snapshot.
#pragma once

#include "control/api/elasticache/elasticache_api.h"
#include "control/model/snapshot.h"

namespace mikura::control {

// show_configuration: of each node group, as ShowNodeGroupConfig asks for.
elasticache::Snapshot ToWire(const Snapshot& snapshot, bool show_configuration = false);

}  // namespace mikura::control
