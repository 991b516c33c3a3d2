// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/shard_controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "control/reconciler/event_log.h"

namespace mikura::control {
Status ShardController::Step(const ReplicationGroup& group, Loaded<ShardState>& shard,
                             std::vector<ShardMember>& members) {
  ASSIGN_OR_RETURN(const Leader leader, Lead(group, shard, members));
  if (leader == Leader::kUnknown) return Ok();
  RETURN_IF_ERROR(EndPrimary(shard, members));
  ASSIGN_OR_RETURN(const bool roles_stand, handover_.Step(shard, members));
  if (!roles_stand) return Ok();
  SetRoles(shard.record, members);
  PlacePrimaryEndpoint(group, shard.record, members);
  RETURN_IF_ERROR(Announce(group, shard, members));
  RETURN_IF_ERROR(StartMembers(shard, leader, members));
  RETURN_IF_ERROR(UpdateInSync(shard, members));
  PlaceReaderEndpoint(group, shard.record, members);
  return Ok();
}

Result<ShardController::Leader> ShardController::Lead(const ReplicationGroup& group,
                                                      Loaded<ShardState>& shard,
                                                      std::vector<ShardMember>& members) {
  const ShardState& state = shard.record;
  const ShardMember* primary = FindMember(members, state.primary);
  if (primary == nullptr) return Leader::kUnknown;
  if (!primary->seen.Gone()) return Leader::kStands;
  if (primary->reboots) return LeadEmpty(shard);
  // The one before a planned failover may still lead: it answers, and is asked, or its host ends
  // it.
  const ShardMember* before = FindMember(members, state.failover_from);
  if (state.hand_to == state.primary && before != nullptr && !before->seen.Gone() &&
      !before->seen.answering) {
    return Leader::kUnknown;
  }
  const Election election = ElectPrimary(state, members, context_.runtime);
  if (election.outcome == Election::Outcome::kNobody) return Leader::kStartsEmpty;
  if (election.outcome == Election::Outcome::kWait) return Leader::kUnknown;
  ShardState next = state;
  ++next.epoch;
  next.primary = election.winner;
  std::erase(next.in_sync, state.primary);
  // In a failover that was planned the one before may still be there, with all of the data.
  next.failover_from = state.failover_from.empty() ? state.primary : state.failover_from;
  if (next.failover_from == next.primary) next.failover_from.clear();
  next.hand_to.clear();
  next.end_run.clear();
  std::vector<Write> events;
  if (!group.automatic_failover) {
    events.push_back(context_.events.Of(
        group, fmt::format("Failover from primary node {} to replica node {} started: automatic "
                           "failover is off, but only a replica still holds the data",
                           primary->spec.cluster_id,
                           FindMember(members, election.winner)->spec.cluster_id)));
  }
  ASSIGN_OR_RETURN(const bool replaced,
                   ReplaceShard(context_.store, shard, std::move(next), std::move(events)));
  return replaced ? Leader::kStands : Leader::kUnknown;
}

// A primary that its user reboots leads again, as in ElastiCache: the data are gone, and the
// replicas give up theirs when they follow it. So none of them may be promoted (I3).
Result<ShardController::Leader> ShardController::LeadEmpty(Loaded<ShardState>& shard) {
  ShardState next = shard.record;
  next.in_sync = {next.primary};
  next.end_run.clear();
  if (next == shard.record) return Leader::kStartsEmpty;
  ASSIGN_OR_RETURN(const bool replaced, ReplaceShard(context_.store, shard, std::move(next), {}));
  return replaced ? Leader::kStartsEmpty : Leader::kUnknown;
}

// Another run of the primary is none that was to be ended, and one without an heir would take the
// data with it: then there is nothing to do any more.
Status ShardController::EndPrimary(Loaded<ShardState>& shard, std::vector<ShardMember>& members) {
  if (shard.record.end_run.empty()) return Ok();
  ShardMember& primary = *FindMember(members, shard.record.primary);
  const bool has_heir = std::any_of(members.begin(), members.end(), [&](const ShardMember& member) {
    return member.spec.id != primary.spec.id && shard.record.IsInSync(member.spec.id) &&
           member.seen.answering;
  });
  if (has_heir && !primary.seen.Gone() && primary.seen.process_id == shard.record.end_run) {
    RETURN_IF_ERROR(keeper_.NoteWantedEnd(primary.spec, WantedEnd::kRecovers));
    context_.runtime.Kill(primary.spec.id);
    return Ok();
  }
  ShardState next = shard.record;
  next.end_run.clear();
  RETURN_IF_ERROR(ReplaceShard(context_.store, shard, std::move(next), {}));
  return Ok();
}

Status ShardController::StartMembers(Loaded<ShardState>& shard, Leader leadership,
                                     std::vector<ShardMember>& members) {
  const ShardMember* primary = FindMember(members, shard.record.primary);
  const Endpoint leader = primary->spec.endpoint;
  for (ShardMember& member : members) {
    if (!member.seen.Gone()) continue;
    const bool leads = member.spec.id == shard.record.primary;
    if (leads && leadership != Leader::kStartsEmpty) continue;  // R2
    if (!leads && shard.record.IsInSync(member.spec.id)) {
      // It loses its copy with its process, so it must not be chosen before it has a new one (I3).
      ShardState next = shard.record;
      std::erase(next.in_sync, member.spec.id);
      ASSIGN_OR_RETURN(const bool replaced,
                       ReplaceShard(context_.store, shard, std::move(next), {}));
      if (!replaced) return Ok();
    }
    RETURN_IF_ERROR(keeper_.EnsureRunning(
        member.spec, leads ? Endpoint{} : leader,
        leads ? ", empty: no replica held its data, which is kept in memory only" : ""));
    member.seen = context_.runtime.Observe(member.spec.id);
  }
  return Ok();
}

void ShardController::SetRoles(const ShardState& state, std::vector<ShardMember>& members) {
  const Endpoint leader = FindMember(members, state.primary)->spec.endpoint;
  for (ShardMember& member : members) {
    if (member.spec.id != state.primary || !member.seen.answering || member.seen.is_primary) {
      continue;
    }
    Told(member, context_.runtime.Promote(member.spec.id, state.epoch), "promote");
  }
  for (ShardMember& member : members) {
    if (member.spec.id == state.primary || !member.seen.answering) continue;
    if (!member.seen.is_primary && member.seen.follows == leader) continue;
    Told(member, context_.runtime.Follow(member.spec.id, state.epoch, leader), "follow");
  }
}

Status ShardController::UpdateInSync(Loaded<ShardState>& shard,
                                     const std::vector<ShardMember>& members) {
  const ShardMember* primary = FindMember(members, shard.record.primary);
  ShardState next = shard.record;
  if (!next.IsInSync(next.primary)) next.in_sync.push_back(next.primary);
  for (const ShardMember& member : members) {
    if (!next.IsInSync(member.spec.id) && IsSyncedReplica(member, *primary)) {
      next.in_sync.push_back(member.spec.id);
    }
  }
  if (next == shard.record) return Ok();
  RETURN_IF_ERROR(ReplaceShard(context_.store, shard, std::move(next), {}));
  return Ok();
}

void ShardController::PlacePrimaryEndpoint(const ReplicationGroup& group, const ShardState& state,
                                           std::vector<ShardMember>& members) {
  for (ShardMember& member : members) {
    if (member.spec.id == state.primary || !member.seen.answering) continue;
    if (!member.seen.HasListener(kPrimaryListener)) continue;
    Told(member, context_.runtime.Unlisten(member.spec.id, kPrimaryListener), "unlisten");
    if (member.seen.HasListener(kPrimaryListener)) return;  // R3
  }
  for (ShardMember& member : members) {
    if (member.spec.id != state.primary || !member.seen.answering || !member.seen.is_primary ||
        member.seen.HasListener(kPrimaryListener)) {
      continue;
    }
    Told(member,
         context_.runtime.Listen(member.spec.id, kPrimaryListener, group.primary_endpoint,
                                 ListenerProtocol::kResp),
         "listen");
  }
}

// Replicas that hold a copy serve the reader endpoint. One whose link is down goes on serving what
// it has; only without any such replica does the primary stand in.
void ShardController::PlaceReaderEndpoint(const ReplicationGroup& group, const ShardState& state,
                                          std::vector<ShardMember>& members) {
  const ShardMember primary = *FindMember(members, state.primary);
  bool served = false;
  const auto listen = [&](ShardMember& member) {
    if (!member.seen.HasListener(kReaderListener)) {
      Told(member,
           context_.runtime.Listen(member.spec.id, kReaderListener, group.reader_endpoint,
                                   ListenerProtocol::kResp),
           "listen");
    }
    served = served || member.seen.HasListener(kReaderListener);
  };
  for (ShardMember& member : members) {
    if (member.spec.id == state.primary || !member.seen.answering) continue;
    if (member.seen.HasListener(kReaderListener) || IsSyncedReplica(member, primary)) {
      listen(member);
    }
  }
  for (ShardMember& member : members) {
    if (member.spec.id != state.primary || !member.seen.answering) continue;
    if (!served) {
      listen(member);
    } else if (member.seen.HasListener(kReaderListener)) {
      Told(member, context_.runtime.Unlisten(member.spec.id, kReaderListener), "unlisten");
    }
  }
}

// Tells that a failover is over once the new primary serves the endpoint.
Status ShardController::Announce(const ReplicationGroup& group, Loaded<ShardState>& shard,
                                 const std::vector<ShardMember>& members) {
  if (shard.record.failover_from.empty()) return Ok();
  const ShardMember* primary = FindMember(members, shard.record.primary);
  if (!primary->seen.is_primary || !primary->seen.HasListener(kPrimaryListener)) return Ok();
  const ShardMember* lost = FindMember(members, shard.record.failover_from);
  ShardState next = shard.record;
  next.failover_from.clear();
  std::vector<Write> events;
  // One that made way for its own successor of another size has not failed over.
  if (lost == nullptr || lost->spec.cluster_id != primary->spec.cluster_id) {
    const std::string message =
        fmt::format("Failover from primary node {} to replica node {} completed",
                    lost != nullptr ? lost->spec.cluster_id : shard.record.failover_from,
                    primary->spec.cluster_id);
    Log(LogLevel::kNotice, "reconciler", "group {}: {}", group.id, message);
    events = {
        context_.events.OfCluster(group.account, group.region, primary->spec.cluster_id, message),
        context_.events.Of(group, message)};
  }
  // Its clients at the endpoint are gone; the others may go on as clients of a replica.
  if (lost != nullptr && lost->seen.answering) handover_.Release(lost->spec.id);
  RETURN_IF_ERROR(ReplaceShard(context_.store, shard, std::move(next), std::move(events)));
  return Ok();
}

void ShardController::Told(ShardMember& member, const Status& status, const char* what) {
  std::string& said = failures_[member.spec.id];
  if (status.ok()) {
    said.clear();
  } else if (said != status.error().message) {
    said = status.error().message;
    Log(LogLevel::kWarning, "reconciler", "node {}: {}: {}", member.spec.id, what, said);
  }
  member.seen = context_.runtime.Observe(member.spec.id);
}

bool ShardController::IsSettled(const ShardState& state, const std::vector<ShardMember>& members,
                                const ShardMember& member) {
  const ShardMember* primary = FindMember(members, state.primary);
  if (primary == nullptr || !member.seen.answering) return false;
  if (member.spec.id == state.primary) {
    const bool reads = members.size() > 1 || member.seen.HasListener(kReaderListener);
    return member.seen.is_primary && !member.seen.loading &&
           member.seen.HasListener(kPrimaryListener) && reads;
  }
  return IsSyncedReplica(member, *primary) && state.IsInSync(member.spec.id) &&
         member.seen.HasListener(kReaderListener);
}

}  // namespace mikura::control
