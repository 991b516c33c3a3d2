// SPDX-License-Identifier: Apache-2.0
// RebootCacheCluster, for one node: its process ends and another one begins, once. What a node
// keeps in memory only is lost.
//
//   asked -> stopping RUN -> starting -> none
//
// The run that is stopped is stored before it is stopped: whoever goes on after a crash ends that
// one and no other.
#pragma once

#include "control/model/node.h"
#include "control/reconciler/inventory.h"
#include "control/reconciler/node_keeper.h"
#include "control/reconciler/reconciler_context.h"

namespace mikura::control {

enum class RebootStep {
  kNone,      // nothing is under way, or the node is being started as any other
  kStopping,  // the node is to be left alone
  kStored,    // the record was written: begin anew
};

// Errors: the store.
Result<RebootStep> StepReboot(const ReconcilerContext& context, NodeKeeper& keeper,
                              Loaded<CacheCluster>& cluster, CacheNode& node, const NodeSpec& spec);

// Whether the node is to end first.
bool IsEnding(const CacheNode& node);
Write RebootedEvent(const ReconcilerContext& context, const CacheCluster& cluster,
                    const CacheNode& node);

// Whether the node's reboot ends now that the node is as it should be.
bool EndReboot(CacheNode& node);

}  // namespace mikura::control
