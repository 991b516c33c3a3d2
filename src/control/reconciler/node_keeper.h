// SPDX-License-Identifier: Apache-2.0
// Keeps the processes of nodes running: starts them, starts them again when they die, slower and
// slower when they die again and again. Writes the status of each node when it changes.
//
// What it remembers is only about pauses: a keeper that begins anew starts what is down at once.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "control/model/node.h"
#include "control/model/node_runtime.h"
#include "control/reconciler/reconciler_context.h"

namespace mikura::control {

// How an end that is wanted is told.
enum class WantedEnd {
  kRecovers,  // as a loss: the node recovers (TestFailover)
  kRestarts,  // not at all: whoever wants it tells of it (RebootCacheCluster)
};

class NodeKeeper {
 public:
  explicit NodeKeeper(const ReconcilerContext& context) : context_(context) {}

  // What is seen of the node; notes the end of its process or that it answers again.
  // Errors: the store.
  Result<NodeObservation> Look(const NodeSpec& spec);

  // Starts the node if it is down and its pause is over. `primary` is whom it follows, empty for
  // nobody; `note` goes into the event that tells of its recovery.
  // Errors: the store. A process that cannot be started is noted, and tried again later.
  Status EnsureRunning(const NodeSpec& spec, const Endpoint& primary, const std::string& note);

  // The node is ended on purpose, or has just ended so: that does not count as a failure, and it
  // may start at once. Errors: the store.
  Status NoteWantedEnd(const NodeSpec& spec, WantedEnd how);
  // Why a node that ended again and again did so; empty when it is not such a one.
  std::string FailureOf(const NodeSpec& spec) const;

  // Forgets a node that is no more.
  void Drop(const std::string& node_id) { nodes_.erase(node_id); }

 private:
  struct Memory {
    bool loaded = false;  // status was read from the store
    bool down = false;    // this end of its process has been noted
    NodeStatus status;
    std::string note;
    std::optional<WantedEnd> wanted;  // its next end
    int failures = 0;                 // in a row
    MonotonicNanos start_after = 0;
    MonotonicNanos running_since = 0;
  };

  Status Load(const NodeSpec& spec, Memory& memory);
  Status NoteDown(const NodeSpec& spec, Memory& memory, const std::string& reason);
  // Tells once that a node which was lost is started again: after what its loss led to.
  Status NoteRecovering(const NodeSpec& spec, Memory& memory);
  Status NoteRunning(const NodeSpec& spec, Memory& memory);
  Status Store(const NodeSpec& spec, Memory& memory, std::vector<Write> events);

  const ReconcilerContext& context_;
  std::map<std::string, Memory> nodes_;
};

}  // namespace mikura::control
