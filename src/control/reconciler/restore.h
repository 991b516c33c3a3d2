// SPDX-License-Identifier: Apache-2.0
// The end of a restore: the nodes of a cache that is available load nothing any more, and a cache
// whose data cannot be loaded has failed.
#pragma once

#include <string>
#include <vector>

#include "control/reconciler/inventory.h"
#include "control/reconciler/node_keeper.h"
#include "control/reconciler/reconciler_context.h"

namespace mikura::control {

// Adds the writes that end the restore of a cluster that has become available: of its record and
// the specs of its nodes. The record itself is changed, not written.
void EndRestore(CacheCluster& cluster, const Inventory& inventory, std::vector<Write>& writes);

// The same of a group and all its members, whose records are written.
void EndRestore(ReplicationGroup& group, const std::vector<Loaded<CacheCluster>*>& clusters,
                const Inventory& inventory, std::vector<Compare>& compares,
                std::vector<Write>& writes);

// Why the data of a cache in creation cannot be loaded; empty: they can, as far as is known.
std::string RestoreFailure(NodeKeeper& keeper, const std::vector<const NodeSpec*>& nodes);

// Stops the nodes and stores that the restore failed. Returns whether nothing is left to do.
Result<bool> FailRestore(const ReconcilerContext& context, Loaded<ReplicationGroup>* group,
                         const std::vector<Loaded<CacheCluster>*>& clusters,
                         const std::string& reason);

}  // namespace mikura::control
