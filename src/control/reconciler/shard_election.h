// SPDX-License-Identifier: Apache-2.0
// Who becomes primary when the primary is gone.
#pragma once

#include <string>
#include <vector>

#include "control/model/node.h"
#include "control/model/node_runtime.h"

namespace mikura::control {

struct ShardMember {
  NodeSpec spec;
  NodeObservation seen;
  bool reboots = false;  // its user has it ended and started again (node_reboot.h)
};

// nullptr when there is none of that id.
const ShardMember* FindMember(const std::vector<ShardMember>& members, const std::string& id);
ShardMember* FindMember(std::vector<ShardMember>& members, const std::string& id);
// Follows that primary and holds a whole copy.
bool IsSyncedReplica(const ShardMember& member, const ShardMember& primary);

struct Election {
  enum class Outcome {
    kPromote,  // `winner` takes over
    kWait,     // somebody holds the data but does not answer now: ask again
    kNobody,   // no running member holds the data
  };
  Outcome outcome = Outcome::kNobody;
  std::string winner;
};

// Asks the members that hold the data (ShardState::in_sync) how far they have come; the furthest
// wins, then one in another zone than the lost primary, then the lowest id.
Election ElectPrimary(const ShardState& state, const std::vector<ShardMember>& members,
                      NodeRuntime& runtime);

}  // namespace mikura::control
