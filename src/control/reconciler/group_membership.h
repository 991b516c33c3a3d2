// SPDX-License-Identifier: Apache-2.0
// Brings the members of a group's shard to what is desired, online: nodes of new member clusters
// join, those of deleted ones leave, and nodes of another size or version take the places of those
// that are (the successor joins, copies the data, takes over the role if it is the primary's; then
// the one before leaves).
//
//   M1. Each pass makes one change at most, in one transaction that compares all it was derived
//       from; so it may be repeated, and a kill between two passes loses nothing.
//   M2. A primary never leaves: its role is handed over first.
//   M3. What has left is `retired` until its process is gone and its records are removed.
//   M4. While a snapshot is made nobody leaves, and no role is handed over.
#pragma once

#include <string>
#include <vector>

#include "control/reconciler/inventory.h"
#include "control/reconciler/node_keeper.h"
#include "control/reconciler/planned_failover.h"
#include "control/reconciler/reconciler_context.h"

namespace mikura::control {

// One group as it was loaded and seen in this pass.
struct GroupView {
  Loaded<ReplicationGroup>& group;
  Loaded<ShardState>& shard;
  const std::vector<Loaded<CacheCluster>*>& clusters;
  const std::vector<ShardMember>& members;
  const Inventory& inventory;
};

class GroupMembership {
 public:
  GroupMembership(const ReconcilerContext& context, NodeKeeper& keeper, PlannedFailover& handover)
      : context_(context), keeper_(keeper), handover_(handover) {}

  enum class Progress {
    kDone,    // nothing is left to do
    kWaits,   // for something that others need not wait for
    kBlocks,  // waits, and so must what comes after it
    kActed,   // what was loaded is out of date: the next pass goes on
  };

  // One pass. Errors: the store; no address could be had.
  Result<Progress> Step(const GroupView& view);

 private:
  Result<Progress> ClearRetired(const GroupView& view);
  Result<Progress> AwaitSnapshot(const GroupView& view);
  Result<Progress> RemoveDeleted(const GroupView& view);
  Result<Progress> AddMissing(const GroupView& view);
  Result<Progress> OpenWindow(const GroupView& view);
  Result<Progress> ReplaceNodes(const GroupView& view);
  Result<Progress> ChangeGroup(const GroupView& view);
  // Takes a smaller node type back while no node has it yet, if the data would not fit.
  Result<Progress> RefuseTooSmall(const GroupView& view);

  Result<Progress> Replace(const GroupView& view, Loaded<CacheCluster>& cluster);
  // The node joins; `cluster` is what it is to be like, `writes` goes with it.
  Status Join(const GroupView& view, CacheCluster& cluster, const Loaded<CacheCluster>& stored,
              bool store_cluster);
  // They leave; `writes` and `compares` go with it.
  Status Retire(const GroupView& view, const std::vector<std::string>& ids,
                std::vector<Write> writes, std::vector<Compare> compares);
  Status StoreGroup(const GroupView& view);

  const ReconcilerContext& context_;
  NodeKeeper& keeper_;
  PlannedFailover& handover_;
};

}  // namespace mikura::control
