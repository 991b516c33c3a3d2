// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/shard_election.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace mikura::control {

const ShardMember* FindMember(const std::vector<ShardMember>& members, const std::string& id) {
  for (const ShardMember& member : members) {
    if (member.spec.id == id) return &member;
  }
  return nullptr;
}

ShardMember* FindMember(std::vector<ShardMember>& members, const std::string& id) {
  return const_cast<ShardMember*>(FindMember(std::as_const(members), id));
}

bool IsSyncedReplica(const ShardMember& member, const ShardMember& primary) {
  return member.seen.answering && !member.seen.is_primary && member.seen.link_up &&
         member.seen.follows == primary.spec.endpoint;
}

Election ElectPrimary(const ShardState& state, const std::vector<ShardMember>& members,
                      NodeRuntime& runtime) {
  std::string lost_zone;
  for (const ShardMember& member : members) {
    if (member.spec.id == state.primary) lost_zone = member.spec.zone;
  }
  Election election;
  int64_t best_offset = 0;
  bool best_elsewhere = false;
  const auto is_candidate = [&](const ShardMember& member) {
    return member.spec.id != state.primary && state.IsInSync(member.spec.id) && !member.seen.Gone();
  };
  const bool any_stays = std::any_of(members.begin(), members.end(), [&](const auto& member) {
    return is_candidate(member) && !member.reboots;
  });
  for (const ShardMember& member : members) {
    // One that is about to be rebooted would take the data with it.
    if (!is_candidate(member) || (any_stays && member.reboots)) continue;
    const auto position = runtime.Position(member.spec.id);
    if (!position.ok() || position->loading) {
      if (election.outcome == Election::Outcome::kNobody) {
        election.outcome = Election::Outcome::kWait;
      }
      continue;
    }
    const bool elsewhere = member.spec.zone != lost_zone;
    const bool first = election.outcome != Election::Outcome::kPromote;
    // Members come in the order of their ids, so an equal one later does not win.
    if (first || std::tie(position->offset, elsewhere) > std::tie(best_offset, best_elsewhere)) {
      election = {Election::Outcome::kPromote, member.spec.id};
      best_offset = position->offset;
      best_elsewhere = elsewhere;
    }
  }
  return election;
}

}  // namespace mikura::control
