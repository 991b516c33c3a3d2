// SPDX-License-Identifier: Apache-2.0
// Another engine version, engine or node type for a node of a cluster that stands alone: its
// process ends and one of that kind begins at the same address. One of redis or valkey keeps its
// data:
//
//   asked -> saving FILE -> stopping RUN FILE -> loading FILE -> clearing FILE -> none
//
// One of memcached begins empty (reconciler/node_batches.h says when):
//
//   waiting -> asked -> loading - -> done
//
//   V1. What was acknowledged is kept: clients' writes wait from before the file is begun until the
//       process has ended. The hold is in the memory of this process and of the node, for a short
//       time; whoever cannot tell that it never lapsed begins anew, with another file.
//   V2. A node that dies by itself meanwhile has lost its data, as at any other time.
#pragma once

#include <map>
#include <string>

#include "control/reconciler/inventory.h"
#include "control/reconciler/node_keeper.h"
#include "control/reconciler/reconciler_context.h"

namespace mikura::control {

class VersionChange {
 public:
  VersionChange(const ReconcilerContext& context, NodeKeeper& keeper)
      : context_(context), keeper_(keeper) {}

  enum class Progress {
    kNone,    // nothing is under way, or the node is being started as any other
    kWaits,   // the node is to be left alone
    kStored,  // the record was written: begin anew
  };

  // One pass. Errors: the store.
  Result<Progress> Step(Loaded<CacheCluster>& cluster, CacheNode& node, const NodeSpec& spec);

  // The node is as it should be: what it loaded is cleared away by the next pass. Returns whether
  // that ended a change.
  static bool End(CacheCluster& cluster, CacheNode& node);

 private:
  struct Hold {
    std::string file;
    MonotonicNanos renewed_at = 0;
  };
  struct Ending {
    bool told = false;              // to stop
    MonotonicNanos doubted_at = 0;  // since when it is not known whether it was
  };

  // Of memcached: ended as it is, without its data.
  Result<Progress> Replace(Loaded<CacheCluster>& cluster, CacheNode& node, const NodeSpec& spec);
  // Takes back a smaller node type that the data do not fit. kNone: there is none such.
  Result<Progress> RefuseTooSmall(Loaded<CacheCluster>& cluster, CacheNode& node,
                                  const NodeSpec& spec);
  Result<Progress> Save(Loaded<CacheCluster>& cluster, CacheNode& node, const NodeSpec& spec,
                        const NodeObservation& seen);
  Result<Progress> Stop(Loaded<CacheCluster>& cluster, CacheNode& node, const NodeSpec& spec,
                        const NodeObservation& seen);
  Result<Progress> BeginAnew(Loaded<CacheCluster>& cluster, CacheNode& node, const NodeSpec& spec);
  // The node is gone; loads: from the file, which has all that it had.
  Result<Progress> Switch(Loaded<CacheCluster>& cluster, CacheNode& node, const NodeSpec& spec,
                          bool loads);
  Result<Progress> GiveUp(Loaded<CacheCluster>& cluster, CacheNode& node, const NodeSpec& spec,
                          const std::string& why);
  // Whether the node's writes have waited all the time since `file` was begun, and wait on.
  bool StillHolds(const std::string& node_id, const std::string& file);
  Result<Progress> Store(Loaded<CacheCluster>& cluster, std::vector<Write> writes);

  const ReconcilerContext& context_;
  NodeKeeper& keeper_;
  // By node id.
  std::map<std::string, Hold> holds_;
  std::map<std::string, Ending> stops_;
};

}  // namespace mikura::control
