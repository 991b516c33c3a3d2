// SPDX-License-Identifier: Apache-2.0
// Brings one cache cluster that stands alone (memcached, or a single Redis or Valkey node) from
// what is desired to what is.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/reconciler/inventory.h"
#include "control/reconciler/node_batches.h"
#include "control/reconciler/node_keeper.h"
#include "control/reconciler/reconciler_context.h"
#include "control/reconciler/version_change.h"

namespace mikura::control {

inline constexpr char kConfigurationListener[] = "configuration";

class CacheClusterWorkflow {
 public:
  CacheClusterWorkflow(const ReconcilerContext& context, NodeKeeper& keeper)
      : context_(context), keeper_(keeper), versions_(context, keeper), batches_(context) {}

  // One pass. Returns whether nothing is left to do for now. Errors: as for replication groups.
  Result<bool> Step(Loaded<CacheCluster>& cluster, Inventory& inventory);

 private:
  // Addresses and plans for the nodes that have none.
  Status Provision(Loaded<CacheCluster>& cluster);
  Result<bool> Run(Loaded<CacheCluster>& cluster, Inventory& inventory);
  // What one pass saw of the nodes.
  struct Pass {
    std::vector<std::string> statuses;  // of all nodes
    std::vector<Write> events;
    bool settled = true;   // every node is as it should be
    bool all_told = true;  // those that answer and stay know who stays
    bool stored = false;   // the record was written: begin anew
    bool changed = false;  // the record is to be written whatever the statuses are
  };
  Status Tend(Loaded<CacheCluster>& cluster, CacheNode& node, const NodeSpec& spec, Pass& pass);
  // What of the node has come to an end, in the record and as events.
  void EndChanges(CacheCluster& cluster, CacheNode& node, Pass& pass);
  // TLS: certificates before the first start, and anew before they end; and users. Returns whether
  // the node has or, down, gets what it needs.
  bool Protect(const CacheCluster& cluster, const NodeSpec& spec, const NodeObservation& seen);
  // Shows nodes that were added and answer to clients. Returns whether there were any.
  Result<bool> Admit(Loaded<CacheCluster>& cluster);
  // Ends nodes that leave, and forgets them once they are gone.
  Status Dismiss(Loaded<CacheCluster>& cluster);
  // The writes that remove all traces of nodes whose processes are gone.
  Result<std::vector<Write>> Forget(const CacheCluster& cluster,
                                    const std::vector<CacheNode>& nodes);
  // Memcached: the configuration endpoint and the list of nodes. Returns whether the node has both.
  bool Join(const CacheCluster& cluster, const std::string& node_id, const NodeObservation& seen);
  Result<bool> Delete(const Loaded<CacheCluster>& cluster);

  const ReconcilerContext& context_;
  NodeKeeper& keeper_;
  VersionChange versions_;
  NodeBatches batches_;
  // Node id -> the run of the node, and the version, that have been told the list of nodes. Lost
  // with this process, which only means that the nodes are told again.
  std::map<std::string, std::pair<std::string, int64_t>> told_;
};

}  // namespace mikura::control
