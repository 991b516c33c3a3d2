// SPDX-License-Identifier: Apache-2.0
// The primary of a group that is deleted with RetainPrimaryCluster: its cluster goes on alone, with
// node, data and address; what belongs to the group is taken from it.
#pragma once

#include <string>
#include <vector>

#include "control/model/replication_group.h"
#include "control/reconciler/inventory.h"
#include "control/reconciler/reconciler_context.h"

namespace mikura::control {

// The cluster of the group that is to stay; nullptr: none is.
const Loaded<CacheCluster>* RetainedOf(const ReplicationGroup& group,
                                       const std::vector<Loaded<CacheCluster>*>& clusters);

// Closes the endpoints of the group on the node. Returns whether it has none of them any more.
bool LeaveEndpoints(const ReconcilerContext& context, const std::string& node_id);

// Adds to the transaction that removes the group: the cluster and its node without one.
void StandAlone(const ReplicationGroup& group, const Loaded<CacheCluster>& cluster,
                const Inventory& inventory, std::vector<Compare>& compares,
                std::vector<Write>& writes);

}  // namespace mikura::control
