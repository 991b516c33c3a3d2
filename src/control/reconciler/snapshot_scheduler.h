// SPDX-License-Identifier: Apache-2.0
// Begins the daily snapshots of groups and clusters that keep some, and removes those that were
// kept long enough or whose source is gone.
#pragma once

#include <vector>

#include "control/reconciler/inventory.h"
#include "control/reconciler/reconciler_context.h"

namespace mikura::control {

class SnapshotScheduler {
 public:
  explicit SnapshotScheduler(const ReconcilerContext& context) : context_(context) {}

  // One pass over everything. Returns whether nothing was begun. Errors: the store.
  Result<bool> Step(Inventory& inventory);

 private:
  Result<bool> Begin(Loaded<ReplicationGroup>& group, Inventory& inventory);
  Result<bool> Begin(Loaded<CacheCluster>& cluster);
  Result<bool> Expire(Loaded<Snapshot>& snapshot, const Inventory& inventory);
  Result<std::string> VpcOf(const CacheCluster& cluster);

  const ReconcilerContext& context_;
};

}  // namespace mikura::control
