// SPDX-License-Identifier: Apache-2.0
// Hands the primary's role to a member that is in sync, and loses no write.
//
//   P1. ShardState::hand_to names the intent; it is stored before anything is done.
//   P2. The primary holds back writes (for a time, so that they go on if we die), the target
//   reaches
//       the end of its data, and one compare-and-set makes it the primary of the next epoch. Until
//       then a target that does not come so far is given up, and the primary goes on.
//   P3. From then on only forward: the one before steps down at an end of its data that the target
//       has reached, whatever it wrote meanwhile; or it is gone. Only then the target is promoted.
//   P4. The held writes end with their connections, when the endpoint is taken from the one before.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/reconciler/inventory.h"
#include "control/reconciler/reconciler_context.h"
#include "control/reconciler/shard_election.h"

namespace mikura::control {

class PlannedFailover {
 public:
  explicit PlannedFailover(const ReconcilerContext& context) : context_(context) {}

  // Stores the intent, unless one is stored or the last attempt has just failed. `target` is a
  // member in sync. Errors: the store.
  Status Request(Loaded<ShardState>& shard, const std::string& target);

  // One pass. Returns whether the engines may be given the roles of the state. Errors: the store.
  Result<bool> Step(Loaded<ShardState>& shard, std::vector<ShardMember>& members);

  // Lets the writes that a node held go on.
  void Release(const std::string& node_id);

 private:
  struct Attempt {
    MonotonicNanos began = 0;        // 0: none is under way
    MonotonicNanos retry_after = 0;  // since the last one failed
  };

  Result<bool> Finish(Loaded<ShardState>& shard, std::vector<ShardMember>& members);
  Status GiveUp(Loaded<ShardState>& shard, const std::string& why);
  // Holds the writes of `from` and waits a moment for `target`. Returns the end of the data once
  // `target` has reached it.
  std::optional<int64_t> CatchUp(const std::string& from, const std::string& target);

  const ReconcilerContext& context_;
  // About pauses alone, by the shard's key: a process that begins anew tries at once.
  std::map<std::string, Attempt> attempts_;
};

}  // namespace mikura::control
