// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/shard_controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "control/reconciler/event_log.h"

namespace mikura::control {
namespace {

const ShardMember* Find(const std::vector<ShardMember>& members, const std::string& id) {
  for (const ShardMember& member : members) {
    if (member.spec.id == id) return &member;
  }
  return nullptr;
}

// Follows the right primary and holds a whole copy.
bool IsSyncedReplica(const ShardMember& member, const ShardMember& primary) {
  return member.seen.answering && !member.seen.is_primary && member.seen.link_up &&
         member.seen.follows == primary.spec.endpoint;
}

}  // namespace

Status ShardController::Step(const ReplicationGroup& group, Loaded<ShardState>& shard,
                             std::vector<ShardMember>& members) {
  bool led = false;
  RETURN_IF_ERROR(Lead(group, shard, members, led));
  if (!led) return Ok();
  RETURN_IF_ERROR(StartMembers(shard, members));
  SetRoles(shard.record, members);
  PlacePrimaryEndpoint(group, shard.record, members);
  RETURN_IF_ERROR(Announce(group, shard, members));
  RETURN_IF_ERROR(UpdateInSync(shard, members));
  PlaceReaderEndpoint(group, shard.record, members);
  return Ok();
}

Status ShardController::Lead(const ReplicationGroup& group, Loaded<ShardState>& shard,
                             std::vector<ShardMember>& members, bool& led) {
  const ShardState& state = shard.record;
  const ShardMember* primary = Find(members, state.primary);
  led = primary != nullptr;
  if (primary == nullptr || !primary->seen.Gone()) return Ok();
  const Election election = ElectPrimary(state, members, context_.runtime);
  // Nobody holds the data: StartMembers() starts the same primary again, empty.
  if (election.outcome == Election::Outcome::kNobody) return Ok();
  led = false;
  if (election.outcome == Election::Outcome::kWait) return Ok();
  ShardState next = state;
  ++next.epoch;
  next.primary = election.winner;
  std::erase(next.in_sync, state.primary);
  next.failover_from = state.primary;
  const ShardMember* winner = Find(members, election.winner);
  std::string message = fmt::format("Failover from primary node {} to replica node {} started",
                                    primary->spec.cluster_id, winner->spec.cluster_id);
  if (!group.automatic_failover) {
    message += ": automatic failover is off, but only a replica still holds the data";
  }
  ASSIGN_OR_RETURN(led, Replace(shard, std::move(next), {context_.events.Of(group, message)}));
  return Ok();
}

Status ShardController::StartMembers(Loaded<ShardState>& shard, std::vector<ShardMember>& members) {
  const ShardMember* primary = Find(members, shard.record.primary);
  const Endpoint leader = primary->spec.endpoint;
  for (ShardMember& member : members) {
    if (!member.seen.Gone()) continue;
    const bool leads = member.spec.id == shard.record.primary;
    if (!leads && shard.record.IsInSync(member.spec.id)) {
      // It loses its copy with its process, so it must not be chosen before it has a new one (I3).
      ShardState next = shard.record;
      std::erase(next.in_sync, member.spec.id);
      ASSIGN_OR_RETURN(const bool replaced, Replace(shard, std::move(next), {}));
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
  const Endpoint leader = Find(members, state.primary)->spec.endpoint;
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
  const ShardMember* primary = Find(members, shard.record.primary);
  ShardState next = shard.record;
  if (!next.IsInSync(next.primary)) next.in_sync.push_back(next.primary);
  for (const ShardMember& member : members) {
    if (!next.IsInSync(member.spec.id) && IsSyncedReplica(member, *primary)) {
      next.in_sync.push_back(member.spec.id);
    }
  }
  if (next == shard.record) return Ok();
  RETURN_IF_ERROR(Replace(shard, std::move(next), {}));
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
  const ShardMember primary = *Find(members, state.primary);
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
  const ShardMember* primary = Find(members, shard.record.primary);
  if (!primary->seen.is_primary || !primary->seen.HasListener(kPrimaryListener)) return Ok();
  const ShardMember* lost = Find(members, shard.record.failover_from);
  const std::string message =
      fmt::format("Failover from primary node {} to replica node {} completed",
                  lost != nullptr ? lost->spec.cluster_id : shard.record.failover_from,
                  primary->spec.cluster_id);
  ShardState next = shard.record;
  next.failover_from.clear();
  Log(LogLevel::kNotice, "reconciler", "group {}: {}", group.id, message);
  RETURN_IF_ERROR(Replace(
      shard, std::move(next),
      {context_.events.Of(group, message),
       context_.events.OfCluster(group.account, group.region, primary->spec.cluster_id, message)}));
  return Ok();
}

Result<bool> ShardController::Replace(Loaded<ShardState>& shard, ShardState next,
                                      std::vector<Write> events) {
  events.push_back(Write::Put(shard.kv.key, ToJson(next)));
  ASSIGN_OR_RETURN(const std::optional<Revision> revision,
                   context_.store.Transact({shard.Unchanged()}, events));
  if (!revision) return false;
  shard.kv.mod_revision = *revision;
  shard.record = std::move(next);
  return true;
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
  const ShardMember* primary = Find(members, state.primary);
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
