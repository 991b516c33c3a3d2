// SPDX-License-Identifier: Apache-2.0
// Brings one replication group from what is desired to what is: addresses and nodes, roles,
// observed statuses, and its end.
#pragma once

#include <vector>

#include "control/reconciler/access_workflow.h"
#include "control/reconciler/group_membership.h"
#include "control/reconciler/inventory.h"
#include "control/reconciler/node_keeper.h"
#include "control/reconciler/reconciler_context.h"
#include "control/reconciler/shard_controller.h"

namespace mikura::control {

class ReplicationGroupWorkflow {
 public:
  ReplicationGroupWorkflow(const ReconcilerContext& context, NodeKeeper& keeper,
                           AccessWorkflow& access)
      : context_(context),
        keeper_(keeper),
        access_(access),
        shards_(context, keeper),
        membership_(context, keeper, shards_.handover()) {}

  // One pass. Returns whether nothing is left to do for now.
  // Errors: the store; no address could be had. The next pass tries again.
  Result<bool> Step(Loaded<ReplicationGroup>& group, Inventory& inventory);

 private:
  // Gives addresses to the group and its nodes and writes their specs and the shard's first
  // state: one transaction.
  Status Provision(Loaded<ReplicationGroup>& group,
                   const std::vector<Loaded<CacheCluster>*>& members);
  Result<bool> Run(Loaded<ReplicationGroup>& group, Loaded<ShardState>& shard,
                   const std::vector<Loaded<CacheCluster>*>& clusters, Inventory& inventory);
  Status StoreStatuses(Loaded<ReplicationGroup>& group, const ShardState& state,
                       const std::vector<Loaded<CacheCluster>*>& clusters,
                       const std::vector<ShardMember>& members, bool has_access,
                       const Inventory& inventory, bool& settled);
  Result<bool> Look(const ShardState& state, const std::vector<Loaded<CacheCluster>*>& clusters,
                    std::vector<ShardMember>& members);
  Result<bool> BeginTestFailover(Loaded<ReplicationGroup>& group, Loaded<ShardState>& shard,
                                 const std::vector<ShardMember>& members);
  // All but a cluster that is retained.
  Result<bool> Delete(const Loaded<ReplicationGroup>& group,
                      const std::vector<Loaded<CacheCluster>*>& clusters, const ShardState& state,
                      const Inventory& inventory);

  const ReconcilerContext& context_;
  NodeKeeper& keeper_;
  AccessWorkflow& access_;
  ShardController shards_;
  GroupMembership membership_;
};

}  // namespace mikura::control
