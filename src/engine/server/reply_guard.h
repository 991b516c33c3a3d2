// SPDX-License-Identifier: Apache-2.0
// Why event loops guard replies (event_loop_held.cc): each reason comes and goes by itself, and
// loops do it while there is any.
#pragma once

#include <functional>

#include "base/mutex.h"
#include "engine/keyspace/durable_horizon.h"
#include "engine/replication/replication_service.h"
#include "engine/server/loop_group.h"
#include "engine/server/node_state.h"
#include "wire/parameter_set.h"

namespace mikura::engine {

class ReplyGuard {
 public:
  // For sets of reasons.
  enum Reason : unsigned { kLocalLog = 1, kReplicas = 2, kFence = 4 };

  // reasons: for which the loops were started guarded.
  ReplyGuard(LoopGroup& loops, NodeState& node, unsigned reasons)
      : loops_(loops), node_(node), reasons_(reasons) {
    node_.holds_replies = (reasons & kHolds) != 0;
  }

  // From any thread. then: called once all loops guard replies, or have been told that they need
  // not; on the last loop's thread, maybe in a turn that a script takes: it must not wait.
  void Set(
      Reason reason, bool on, std::function<void()> then = [] {}) EXCLUDES(mutex_);

 private:
  static constexpr unsigned kHolds = kLocalLog | kReplicas;

  LoopGroup& loops_;
  NodeState& node_;
  Mutex mutex_;  // held while loops are told, so that all hear the same last
  unsigned reasons_ GUARDED_BY(mutex_);
};

// Makes `durability` and the settings beside it act: now and whenever they change.
void BindDurability(wire::ParameterSet& parameters, ReplyGuard& guard, NodeState& node,
                    DurableHorizon& horizon, ReplicationService& replication);

}  // namespace mikura::engine
