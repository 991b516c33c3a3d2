// SPDX-License-Identifier: Apache-2.0
// Makes the engines of one shard match its stored state: one primary, all others following it,
// endpoints where they belong; and chooses another primary when the primary is gone.
//
//   R1. The state is changed by compare-and-set, before any engine is told. What engines are told
//       follows from the state and from what they say of themselves, so a step that was cut off
//       anywhere is finished by the next one.
//   R2. A new primary is chosen only when the old one's process is certainly gone and is not being
//       rebooted, or the role is handed over (planned_failover.h).
//       One that dies in the middle of a pass waits for the next one, which asks who holds the
//       data.
//   R3. The primary endpoint is taken from every other member before the primary gets it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/model/replication_group.h"
#include "control/reconciler/inventory.h"
#include "control/reconciler/node_keeper.h"
#include "control/reconciler/planned_failover.h"
#include "control/reconciler/reconciler_context.h"
#include "control/reconciler/shard_election.h"

namespace mikura::control {

inline constexpr char kPrimaryListener[] = "primary";
inline constexpr char kReaderListener[] = "reader";

class ShardController {
 public:
  ShardController(const ReconcilerContext& context, NodeKeeper& keeper)
      : context_(context), keeper_(keeper), handover_(context) {}

  PlannedFailover& handover() { return handover_; }

  // One pass. `shard` and `members` are brought up to date with what was done and seen.
  // Errors: the store. An engine that fails a command is asked again in the next pass.
  Status Step(const ReplicationGroup& group, Loaded<ShardState>& shard,
              std::vector<ShardMember>& members);

  // Whether the member is all that it should be: answering, in its role, in sync, at its endpoint.
  static bool IsSettled(const ShardState& state, const std::vector<ShardMember>& members,
                        const ShardMember& member);

 private:
  enum class Leader {
    kUnknown,      // to be looked for again by the next pass
    kStands,       // its process was there when the pass began
    kStartsEmpty,  // it is gone, and nobody else holds the data or may have them
  };
  Result<Leader> Lead(const ReplicationGroup& group, Loaded<ShardState>& shard,
                      std::vector<ShardMember>& members);
  Result<Leader> LeadEmpty(Loaded<ShardState>& shard);
  Status EndPrimary(Loaded<ShardState>& shard, std::vector<ShardMember>& members);
  Status StartMembers(Loaded<ShardState>& shard, Leader leadership,
                      std::vector<ShardMember>& members);
  void SetRoles(const ShardState& state, std::vector<ShardMember>& members);
  Status UpdateInSync(Loaded<ShardState>& shard, const std::vector<ShardMember>& members);
  void PlacePrimaryEndpoint(const ReplicationGroup& group, const ShardState& state,
                            std::vector<ShardMember>& members);
  void PlaceReaderEndpoint(const ReplicationGroup& group, const ShardState& state,
                           std::vector<ShardMember>& members);
  Status Announce(const ReplicationGroup& group, Loaded<ShardState>& shard,
                  const std::vector<ShardMember>& members);
  // Looks again at a member that was told something.
  void Told(ShardMember& member, const Status& status, const char* what);

  const ReconcilerContext& context_;
  NodeKeeper& keeper_;
  PlannedFailover handover_;
  // Node id -> the failure last logged, so that one that lasts is said once.
  std::map<std::string, std::string> failures_;
};

}  // namespace mikura::control
