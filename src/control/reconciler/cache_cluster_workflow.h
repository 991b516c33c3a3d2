// SPDX-License-Identifier: Apache-2.0
// Brings one cache cluster that stands alone (memcached, or a single Redis or Valkey node) from
// what is desired to what is.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/reconciler/inventory.h"
#include "control/reconciler/node_keeper.h"
#include "control/reconciler/reconciler_context.h"

namespace mikura::control {

inline constexpr char kConfigurationListener[] = "configuration";

class CacheClusterWorkflow {
 public:
  CacheClusterWorkflow(const ReconcilerContext& context, NodeKeeper& keeper)
      : context_(context), keeper_(keeper) {}

  // One pass. Returns whether nothing is left to do for now. Errors: as for replication groups.
  Result<bool> Step(Loaded<CacheCluster>& cluster, Inventory& inventory);

 private:
  Status Provision(Loaded<CacheCluster>& cluster);
  Result<bool> Run(Loaded<CacheCluster>& cluster, Inventory& inventory);
  // Memcached: the configuration endpoint and the list of nodes. Returns whether the node has both.
  bool Join(const CacheCluster& cluster, const std::string& node_id, const NodeObservation& seen);
  Result<bool> Delete(const Loaded<CacheCluster>& cluster);

  const ReconcilerContext& context_;
  NodeKeeper& keeper_;
  // Node id -> the run of the node, and the version, that have been told the list of nodes. Lost
  // with this process, which only means that the nodes are told again.
  std::map<std::string, std::pair<std::string, int64_t>> told_;
};

}  // namespace mikura::control
