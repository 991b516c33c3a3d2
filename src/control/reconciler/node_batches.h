// SPDX-License-Identifier: Apache-2.0
// Another version or node type for the nodes of a memcached cluster, one batch after the other;
// each node is done by VersionChange, and begins empty.
//
//   waiting -> asked -> loading - -> done, of each node; when all are done the cluster has the
//   change
//
//   B1. A batch begins when no node of another is under way.
//   B2. Another type: pending_scale says how many nodes are a batch, and how long the pause between
//       two is. The pause is in the memory of this process: after its end it begins anew.
//   B3. Another version alone: one node after the other, without a pause.
#pragma once

#include <map>
#include <string>

#include "control/reconciler/inventory.h"
#include "control/reconciler/reconciler_context.h"

namespace mikura::control {

class NodeBatches {
 public:
  explicit NodeBatches(const ReconcilerContext& context) : context_(context) {}

  // One pass. Returns whether the record was written: begin anew. Errors: the store.
  Result<bool> Step(Loaded<CacheCluster>& cluster);

 private:
  // Whether the pause after a batch of the cluster, which begins with the first call, is over.
  bool PauseIsOver(const CacheCluster& cluster);

  const ReconcilerContext& context_;
  std::map<std::string, MonotonicNanos> pauses_;  // by ARN of the cluster: since when
};

}  // namespace mikura::control
