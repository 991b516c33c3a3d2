// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/group_membership.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/maintenance_window.h"
#include "control/model/node_type.h"
#include "control/reconciler/address_pool.h"
#include "control/reconciler/event_log.h"
#include "control/reconciler/node_plan.h"
#include "control/reconciler/parameter_plan.h"
#include "control/reconciler/shard_controller.h"

namespace mikura::control {
namespace {

bool Contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// What a snapshot that is under way holds up: whoever makes it, and the primary it counts on, stay.
bool AwaitsSnapshot(const GroupView& view) {
  const ReplicationGroup& group = view.group.record;
  const bool leaves =
      std::any_of(view.clusters.begin(), view.clusters.end(),
                  [](const auto* cluster) { return cluster->record.status == kStatusDeleting; });
  return !group.active_snapshot.empty() && (leaves || (group.applying && !group.pending.empty()));
}

bool ChangesRoles(const ShardState& state) {
  return !state.hand_to.empty() || !state.failover_from.empty() || !state.end_run.empty();
}

std::vector<std::string> NodesOf(const std::vector<ShardMember>& members,
                                 const CacheCluster& cluster) {
  std::vector<std::string> ids;
  for (const ShardMember& member : members) {
    if (member.spec.cluster_id == cluster.id) ids.push_back(member.spec.id);
  }
  return ids;
}

bool IsOutdated(const CacheCluster& cluster, const PendingChanges& pending) {
  return (!pending.node_type.empty() && cluster.node_type != pending.node_type) ||
         (!pending.engine_version.empty() &&
          (cluster.engine != pending.engine || cluster.engine_version != pending.engine_version));
}

// What the cluster is once its node has made way for the next.
CacheCluster SuccessorOf(const CacheCluster& cluster, const PendingChanges& pending) {
  CacheCluster next = cluster;
  ++next.nodes.front().generation;
  if (!pending.node_type.empty()) next.node_type = pending.node_type;
  if (!pending.engine_version.empty()) {
    next.engine = pending.engine;
    next.engine_version = pending.engine_version;
    next.parameter_group = pending.parameter_group;
  }
  next.pending_node_type.clear();
  next.pending_engine_version.clear();
  return next;
}

// The member that is to lead when the primary leaves: in sync, of a cluster that stays, in the
// order of the group.
const ShardMember* HeirOf(const GroupView& view) {
  for (const auto* cluster : view.clusters) {
    if (cluster->record.status == kStatusDeleting) continue;
    for (const ShardMember& member : view.members) {
      if (member.spec.cluster_id == cluster->record.id &&
          member.spec.id != view.shard.record.primary &&
          ShardController::IsSettled(view.shard.record, view.members, member)) {
        return &member;
      }
    }
  }
  return nullptr;
}

}  // namespace

Result<GroupMembership::Progress> GroupMembership::Step(const GroupView& view) {
  using Part = Result<Progress> (GroupMembership::*)(const GroupView&);
  constexpr Part kParts[] = {&GroupMembership::ClearRetired,  &GroupMembership::AddMissing,
                             &GroupMembership::AwaitSnapshot, &GroupMembership::RemoveDeleted,
                             &GroupMembership::OpenWindow,    &GroupMembership::ReplaceNodes,
                             &GroupMembership::ChangeGroup};
  Progress all = Progress::kDone;
  for (const Part part : kParts) {
    ASSIGN_OR_RETURN(const Progress progress, (this->*part)(view));
    if (progress == Progress::kBlocks || progress == Progress::kActed) return progress;
    if (progress == Progress::kWaits) all = progress;
  }
  return all;
}

Result<GroupMembership::Progress> GroupMembership::AwaitSnapshot(const GroupView& view) {
  return AwaitsSnapshot(view) ? Progress::kBlocks : Progress::kDone;
}

Result<GroupMembership::Progress> GroupMembership::ClearRetired(const GroupView& view) {
  Progress progress = Progress::kDone;
  for (const std::string& id : view.shard.record.retired) {
    progress = Progress::kWaits;
    if (!context_.runtime.Observe(id).Gone()) {
      context_.runtime.Stop(id);
      continue;
    }
    RETURN_IF_ERROR(context_.runtime.Forget(id));
    keeper_.Drop(id);
    ShardState next = view.shard.record;
    std::erase(next.retired, id);
    const auto spec = view.inventory.nodes.find(id);
    const Endpoint endpoint =
        spec == view.inventory.nodes.end() ? Endpoint() : spec->second.endpoint;
    RETURN_IF_ERROR(
        ReplaceShard(context_.store, view.shard, std::move(next), RemovalOf(id, endpoint)));
    return Progress::kActed;
  }
  return progress;
}

Result<GroupMembership::Progress> GroupMembership::RemoveDeleted(const GroupView& view) {
  const ShardState& state = view.shard.record;
  Progress progress = Progress::kDone;
  for (auto* cluster : view.clusters) {
    if (cluster->record.status != kStatusDeleting) continue;
    progress = Progress::kWaits;
    const std::vector<std::string> nodes = NodesOf(view.members, cluster->record);
    if (!nodes.empty() && !ChangesRoles(state)) {
      if (!Contains(nodes, state.primary)) {
        RETURN_IF_ERROR(Retire(view, nodes, {}, {cluster->Unchanged()}));
        return Progress::kActed;
      }
      if (const ShardMember* heir = HeirOf(view)) {
        RETURN_IF_ERROR(handover_.Request(view.shard, heir->spec.id));
      }
    }
    const bool leaves =
        std::any_of(state.retired.begin(), state.retired.end(), [&](const auto& id) {
          const auto spec = view.inventory.nodes.find(id);
          return spec != view.inventory.nodes.end() &&
                 spec->second.cluster_id == cluster->record.id;
        });
    if (!nodes.empty() || leaves) continue;
    ReplicationGroup& group = view.group.record;
    std::erase(group.member_clusters, cluster->record.id);
    RETURN_IF_ERROR(
        context_.store.Transact({view.group.Unchanged(), cluster->Unchanged()},
                                {view.group.Put(), Write::Delete(cluster->kv.key),
                                 context_.events.Of(cluster->record, "Cache cluster deleted")}));
    return Progress::kActed;
  }
  return progress;
}

Result<GroupMembership::Progress> GroupMembership::AddMissing(const GroupView& view) {
  for (auto* cluster : view.clusters) {
    if (cluster->record.status == kStatusDeleting) continue;
    if (!cluster->record.nodes.front().endpoint.empty()) continue;
    RETURN_IF_ERROR(Join(view, cluster->record, *cluster, true));
    return Progress::kActed;
  }
  return Progress::kDone;
}

Status GroupMembership::Join(const GroupView& view, CacheCluster& cluster,
                             const Loaded<CacheCluster>& stored, bool store_cluster) {
  ASSIGN_OR_RETURN(
      AddressReservation reserved,
      ReserveAddresses(context_.store, context_.runtime, {"node of " + cluster.id}, cluster.port));
  CacheNode& node = cluster.nodes.front();
  node.endpoint = {reserved.addresses[0], cluster.port};
  const NodeSpec spec = SpecOf(cluster, node, view.group.record.ShardKey());
  reserved.writes.push_back(Write::Put(NodeSpecKey(spec.id), ToJson(spec)));
  if (store_cluster) reserved.writes.push_back(stored.Put());
  reserved.compares.push_back(stored.Unchanged());
  reserved.compares.push_back(view.group.Unchanged());
  ShardState next = view.shard.record;
  next.members.push_back(spec.id);
  RETURN_IF_ERROR(ReplaceShard(context_.store, view.shard, std::move(next),
                               std::move(reserved.writes), std::move(reserved.compares)));
  return Ok();
}

Status GroupMembership::Retire(const GroupView& view, const std::vector<std::string>& ids,
                               std::vector<Write> writes, std::vector<Compare> compares) {
  ShardState next = view.shard.record;
  for (const std::string& id : ids) {
    std::erase(next.members, id);
    std::erase(next.in_sync, id);
    next.retired.push_back(id);
  }
  compares.push_back(view.group.Unchanged());
  RETURN_IF_ERROR(ReplaceShard(context_.store, view.shard, std::move(next), std::move(writes),
                               std::move(compares)));
  return Ok();
}

Result<GroupMembership::Progress> GroupMembership::OpenWindow(const GroupView& view) {
  ReplicationGroup& group = view.group.record;
  if (group.applying || group.pending.empty() || !group.active_snapshot.empty() ||
      !IsInMaintenanceWindow(group.maintenance_window, context_.clock.NowMillis())) {
    return Progress::kDone;
  }
  group.applying = true;
  group.status = kStatusModifying;
  RETURN_IF_ERROR(StoreGroup(view));
  return Progress::kActed;
}

// Replicas first, so that the role is handed over once.
Result<GroupMembership::Progress> GroupMembership::ReplaceNodes(const GroupView& view) {
  ReplicationGroup& group = view.group.record;
  PendingChanges& pending = group.pending;
  if (!group.applying || !pending.ChangesNodes()) return Progress::kDone;
  if (ChangesRoles(view.shard.record)) return Progress::kBlocks;
  ASSIGN_OR_RETURN(const Progress fits, RefuseTooSmall(view));
  if (fits != Progress::kDone) return fits;
  Loaded<CacheCluster>* next = nullptr;
  for (auto* cluster : view.clusters) {
    if (cluster->record.status == kStatusDeleting || !IsOutdated(cluster->record, pending)) {
      continue;
    }
    next = cluster;
    if (!Contains(NodesOf(view.members, cluster->record), view.shard.record.primary)) break;
  }
  if (next != nullptr) return Replace(view, *next);
  if (!pending.node_type.empty()) group.node_type = pending.node_type;
  if (!pending.engine_version.empty()) {
    group.engine = pending.engine;
    group.engine_version = pending.engine_version;
  }
  pending.node_type.clear();
  pending.engine.clear();
  pending.engine_version.clear();
  pending.parameter_group.clear();
  RETURN_IF_ERROR(StoreGroup(view));
  return Progress::kActed;
}

Result<GroupMembership::Progress> GroupMembership::RefuseTooSmall(const GroupView& view) {
  ReplicationGroup& group = view.group.record;
  const auto now = NodeTypeOf(group.node_type);
  const auto next = NodeTypeOf(group.pending.node_type);
  const bool begun = std::any_of(view.clusters.begin(), view.clusters.end(),
                                 [&](const Loaded<CacheCluster>* cluster) {
                                   return cluster->record.node_type == group.pending.node_type ||
                                          NodesOf(view.members, cluster->record).size() > 1;
                                 });
  if (!now.ok() || !next.ok() || begun || next->memory_bytes >= now->memory_bytes) {
    return Progress::kDone;
  }
  const auto used = context_.runtime.UsedBytes(view.shard.record.primary);
  if (!used.ok()) return Progress::kBlocks;
  const int64_t room =
      context_.parameters == nullptr
          ? next->memory_bytes
          : context_.parameters->DataBytes(view.shard.record.primary, next->memory_bytes);
  if (*used <= room) return Progress::kDone;
  std::vector<Compare> compares = {view.group.Unchanged()};
  std::vector<Write> writes = {context_.events.Of(
      group, fmt::format("The cache node type was not modified to {}: the data take {} bytes, and "
                         "a node of that type has {}",
                         next->name, *used, room))};
  group.pending.node_type.clear();
  writes.push_back(view.group.Put());
  for (auto* cluster : view.clusters) {
    cluster->record.pending_node_type.clear();
    compares.push_back(cluster->Unchanged());
    writes.push_back(cluster->Put());
  }
  RETURN_IF_ERROR(context_.store.Transact(compares, writes));
  return Progress::kActed;
}

Result<GroupMembership::Progress> GroupMembership::Replace(const GroupView& view,
                                                           Loaded<CacheCluster>& cluster) {
  const std::string old_id = cluster.record.NodeId(cluster.record.nodes.front());
  CacheCluster next = SuccessorOf(cluster.record, view.group.record.pending);
  const std::string next_id = next.NodeId(next.nodes.front());
  const ShardMember* successor = FindMember(view.members, next_id);
  if (successor == nullptr) {
    // One that left before it had replaced anything is no successor yet.
    if (Contains(view.shard.record.retired, next_id)) return Progress::kBlocks;
    RETURN_IF_ERROR(Join(view, next, cluster, false));
    return Progress::kActed;
  }
  if (!ShardController::IsSettled(view.shard.record, view.members, *successor)) {
    return Progress::kBlocks;
  }
  if (view.shard.record.primary == old_id) {
    RETURN_IF_ERROR(handover_.Request(view.shard, next_id));
    return Progress::kBlocks;
  }
  Log(LogLevel::kNotice, "reconciler", "node {} takes the place of {}", next_id, old_id);
  next.nodes.front().endpoint = successor->spec.endpoint;
  cluster.record = std::move(next);
  RETURN_IF_ERROR(Retire(view, {old_id}, {cluster.Put()}, {cluster.Unchanged()}));
  return Progress::kActed;
}

Result<GroupMembership::Progress> GroupMembership::ChangeGroup(const GroupView& view) {
  ReplicationGroup& group = view.group.record;
  if (!group.applying) return Progress::kDone;
  PendingChanges& pending = group.pending;
  if (!pending.automatic_failover.empty()) {
    group.automatic_failover = pending.automatic_failover == "enabled";
    pending.automatic_failover.clear();
  } else if (!pending.primary_cluster.empty()) {
    if (ChangesRoles(view.shard.record)) return Progress::kBlocks;
    const ShardMember* target = nullptr;
    for (const ShardMember& member : view.members) {
      if (member.spec.cluster_id == pending.primary_cluster) target = &member;
    }
    if (target != nullptr && target->spec.id != view.shard.record.primary) {
      if (ShardController::IsSettled(view.shard.record, view.members, *target)) {
        RETURN_IF_ERROR(handover_.Request(view.shard, target->spec.id));
      }
      return Progress::kBlocks;
    }
    pending.primary_cluster.clear();
  }
  if (pending.empty()) group.applying = false;
  RETURN_IF_ERROR(StoreGroup(view));
  return Progress::kActed;
}

Status GroupMembership::StoreGroup(const GroupView& view) {
  RETURN_IF_ERROR(context_.store.Transact({view.group.Unchanged()}, {view.group.Put()}));
  return Ok();
}

}  // namespace mikura::control
