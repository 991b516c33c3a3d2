// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/replication_group_workflow.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/logging.h"
#include "control/metadata/metadata_keys.h"
#include "control/reconciler/address_pool.h"
#include "control/reconciler/event_log.h"
#include "control/reconciler/node_plan.h"
#include "control/reconciler/node_reboot.h"
#include "control/reconciler/restore.h"
#include "control/reconciler/retained_primary.h"

namespace mikura::control {
namespace {

Loaded<CacheCluster>* RebootingClusterOf(const std::string& node_id,
                                         const std::vector<Loaded<CacheCluster>*>& clusters) {
  for (auto* cluster : clusters) {
    const CacheNode& node = cluster->record.nodes.front();
    if (!node.reboot.empty() && cluster->record.NodeId(node) == node_id) return cluster;
  }
  return nullptr;
}

}  // namespace

Result<bool> ReplicationGroupWorkflow::Step(Loaded<ReplicationGroup>& group, Inventory& inventory) {
  std::vector<Loaded<CacheCluster>*> clusters;
  for (const std::string& id : group.record.member_clusters) {
    Loaded<CacheCluster>* cluster = inventory.FindCluster(group.record, id);
    if (cluster != nullptr) clusters.push_back(cluster);
  }
  const auto shard = inventory.shards.find(ShardStateKey(group.record.ShardKey()));
  if (group.record.status == kStatusDeleting) {
    // A final snapshot comes first.
    if (!group.record.active_snapshot.empty()) return false;
    const bool begun = shard != inventory.shards.end();
    return Delete(group, clusters, begun ? shard->second.record : ShardState(), inventory);
  }
  if (group.record.status == kStatusCreateFailed) return true;
  if (clusters.size() != group.record.member_clusters.size()) {
    return Error{fmt::format("group {} lacks the record of a member", group.record.id)};
  }
  if (shard == inventory.shards.end()) {
    RETURN_IF_ERROR(Provision(group, clusters));
    return false;  // what was written is read again by the next pass
  }
  return Run(group, shard->second, clusters, inventory);
}

Status ReplicationGroupWorkflow::Provision(Loaded<ReplicationGroup>& group,
                                           const std::vector<Loaded<CacheCluster>*>& members) {
  ReplicationGroup& record = group.record;
  std::vector<std::string> owners = {"primary endpoint of " + record.id,
                                     "reader endpoint of " + record.id};
  for (const auto* member : members) owners.push_back("node of " + member->record.id);
  ASSIGN_OR_RETURN(AddressReservation reserved,
                   ReserveAddresses(context_.store, context_.runtime, owners, record.port));
  record.primary_endpoint = {reserved.addresses[0], record.port};
  record.reader_endpoint = {reserved.addresses[1], record.port};

  const std::string shard_key = ShardStateKey(record.ShardKey());
  ShardState state{.epoch = 1};
  std::vector<Compare>& compares = reserved.compares;
  std::vector<Write>& writes = reserved.writes;
  compares.push_back(group.Unchanged());
  compares.push_back(Compare::Absent(shard_key));
  for (size_t i = 0; i < members.size(); ++i) {
    CacheCluster& cluster = members[i]->record;
    CacheNode& node = cluster.nodes.front();
    node.endpoint = {reserved.addresses[2 + i], record.port};
    const NodeSpec spec = SpecOf(cluster, node, record.ShardKey());
    state.members.push_back(spec.id);
    compares.push_back(members[i]->Unchanged());
    writes.push_back(members[i]->Put());
    writes.push_back(Write::Put(NodeSpecKey(spec.id), ToJson(spec)));
  }
  state.primary = state.members.front();
  state.in_sync = {state.primary};
  writes.push_back(group.Put());
  writes.push_back(Write::Put(shard_key, ToJson(state)));
  RETURN_IF_ERROR(context_.store.Transact(compares, writes));
  return Ok();
}

Result<bool> ReplicationGroupWorkflow::Run(Loaded<ReplicationGroup>& group,
                                           Loaded<ShardState>& shard,
                                           const std::vector<Loaded<CacheCluster>*>& clusters,
                                           Inventory& inventory) {
  std::vector<ShardMember> members;
  for (const std::string& id : shard.record.members) {
    const auto spec = inventory.nodes.find(id);
    if (spec == inventory.nodes.end()) {
      return Error{fmt::format("group {} lacks the spec of node {}", group.record.id, id)};
    }
    members.push_back({spec->second, {}});
  }
  ASSIGN_OR_RETURN(const bool goes_on, Look(shard.record, clusters, members));
  if (!goes_on) return false;
  if (group.record.status == kStatusCreating) {
    std::vector<const NodeSpec*> specs;
    for (const ShardMember& member : members) specs.push_back(&member.spec);
    const std::string failure = RestoreFailure(keeper_, specs);
    if (!failure.empty()) return FailRestore(context_, &group, clusters, failure);
  }
  ASSIGN_OR_RETURN(const bool begins, BeginTestFailover(group, shard, members));
  if (begins) return false;
  const bool has_access = access_.Apply(group, inventory, members);
  RETURN_IF_ERROR(shards_.Step(group.record, shard, members));
  ASSIGN_OR_RETURN(const GroupMembership::Progress progress,
                   membership_.Step({group, shard, clusters, members, inventory}));
  if (progress == GroupMembership::Progress::kActed) return false;
  const ShardState& state = shard.record;
  bool settled = progress == GroupMembership::Progress::kDone && !group.record.test_failover &&
                 state.hand_to.empty() && state.failover_from.empty() && state.end_run.empty();
  RETURN_IF_ERROR(
      StoreStatuses(group, shard.record, clusters, members, has_access, inventory, settled));
  return settled && has_access;
}

// Sees all members, and takes their reboots a step further. False: a record was written, so that
// the pass begins anew.
Result<bool> ReplicationGroupWorkflow::Look(const ShardState& state,
                                            const std::vector<Loaded<CacheCluster>*>& clusters,
                                            std::vector<ShardMember>& members) {
  const bool is_led = !context_.runtime.Observe(state.primary).Gone();
  for (ShardMember& member : members) {
    Loaded<CacheCluster>* cluster = RebootingClusterOf(member.spec.id, clusters);
    member.reboots = cluster != nullptr;
    // Who may be promoted now is not ended.
    if (cluster == nullptr || (!is_led && member.spec.id != state.primary)) {
      ASSIGN_OR_RETURN(member.seen, keeper_.Look(member.spec));
      continue;
    }
    ASSIGN_OR_RETURN(const RebootStep step, StepReboot(context_, keeper_, *cluster,
                                                       cluster->record.nodes.front(), member.spec));
    if (step == RebootStep::kStored) return false;
    if (step == RebootStep::kNone) {
      ASSIGN_OR_RETURN(member.seen, keeper_.Look(member.spec));
      continue;
    }
    // Its end is noted by the reboot.
    member.seen = context_.runtime.Observe(member.spec.id);
    if (member.seen.Gone()) return false;
  }
  return true;
}

// The run of the primary that is to be ended is stored, so that it is that one and no later one.
Result<bool> ReplicationGroupWorkflow::BeginTestFailover(Loaded<ReplicationGroup>& group,
                                                         Loaded<ShardState>& shard,
                                                         const std::vector<ShardMember>& members) {
  // M4 (group_membership.h) holds for this too.
  if (!group.record.test_failover || !group.record.active_snapshot.empty()) return false;
  const ShardMember* primary = FindMember(members, shard.record.primary);
  if (primary == nullptr || !primary->seen.answering || !shard.record.failover_from.empty()) {
    return false;
  }
  group.record.test_failover = false;
  ShardState next = shard.record;
  next.end_run = primary->seen.process_id;
  return ReplaceShard(context_.store, shard, std::move(next), {group.Put()}, {group.Unchanged()});
}

Status ReplicationGroupWorkflow::StoreStatuses(Loaded<ReplicationGroup>& group,
                                               const ShardState& state,
                                               const std::vector<Loaded<CacheCluster>*>& clusters,
                                               const std::vector<ShardMember>& members,
                                               bool has_access, const Inventory& inventory,
                                               bool& settled) {
  std::vector<Compare> compares = {group.Unchanged()};
  std::vector<Write> writes;
  for (auto* cluster : clusters) {
    if (cluster->record.status == kStatusDeleting) continue;
    CacheNode& node = cluster->record.nodes.front();
    const std::string id = cluster->record.NodeId(node);
    const auto member = std::find_if(members.begin(), members.end(),
                                     [&](const ShardMember& each) { return each.spec.id == id; });
    if (member == members.end()) continue;
    const bool changes = !cluster->record.pending_node_type.empty() ||
                         !cluster->record.pending_engine_version.empty();
    const bool fine = ShardController::IsSettled(state, members, *member) &&
                      !(changes && group.record.applying) && !IsEnding(node);
    settled = settled && fine;
    const bool was_creating = cluster->record.status == kStatusCreating;
    const bool is_rebooted = fine && EndReboot(node);
    const std::string status = node.reboot.empty()
                                   ? StatusOfNode(node.status, member->seen.answering, fine)
                                   : std::string(kStatusRebooting);
    if (!SetStatuses(cluster->record, {status}) && !is_rebooted) continue;
    compares.push_back(cluster->Unchanged());
    writes.push_back(cluster->Put());
    if (is_rebooted) writes.push_back(RebootedEvent(context_, cluster->record, node));
    if (was_creating && fine) {
      writes.push_back(context_.events.Of(cluster->record, "Cache cluster created"));
    }
  }
  settled = settled && AccessWorkflow::IsSettled(group.record, has_access) &&
            AreSettled(group.record.log_deliveries);
  const bool access_changed = AccessWorkflow::NoteApplied(group.record, has_access);
  std::string& status = group.record.status;
  const bool was_creating = status == kStatusCreating;
  const std::string now = settled        ? std::string(group.record.SettledStatus())
                          : was_creating ? std::string(kStatusCreating)
                                         : std::string(kStatusModifying);
  if (status != now || access_changed) {
    status = now;
    if (was_creating && settled) EndRestore(group.record, clusters, inventory, compares, writes);
    writes.push_back(group.Put());
    if (access_changed && !was_creating) {
      writes.push_back(context_.events.Of(
          group.record, "User groups, AUTH token or transit encryption modified"));
    }
    if (was_creating && settled) {
      writes.push_back(context_.events.Of(group.record, "Replication group created"));
    }
  }
  // A lost race (the group was just deleted) is seen by the next pass.
  if (!writes.empty()) RETURN_IF_ERROR(context_.store.Transact(compares, writes));
  return Ok();
}

// All nodes that exist of the group: those of its clusters, those that were to take their places,
// and those that had left.
Result<bool> ReplicationGroupWorkflow::Delete(const Loaded<ReplicationGroup>& group,
                                              const std::vector<Loaded<CacheCluster>*>& clusters,
                                              const ShardState& state, const Inventory& inventory) {
  std::map<std::string, Endpoint> nodes;
  const Loaded<CacheCluster>* const retained = RetainedOf(group.record, clusters);
  const std::string retained_id =
      retained == nullptr ? "" : retained->record.NodeId(retained->record.nodes.front());
  for (const auto* cluster : clusters) {
    for (const CacheNode& node : cluster->record.nodes) {
      nodes[cluster->record.NodeId(node)] = node.endpoint;
    }
  }
  for (const auto* ids : {&state.members, &state.retired}) {
    for (const std::string& id : *ids) {
      const auto spec = inventory.nodes.find(id);
      if (spec != inventory.nodes.end()) nodes[id] = spec->second.endpoint;
    }
  }
  nodes.erase(retained_id);
  bool gone = true;
  for (const auto& [id, endpoint] : nodes) {
    if (context_.runtime.Observe(id).Gone()) continue;
    context_.runtime.Stop(id);
    gone = gone && context_.runtime.Observe(id).Gone();
  }
  if (!gone) return false;
  if (retained != nullptr && !LeaveEndpoints(context_, retained_id)) return false;
  std::vector<Compare> compares = {group.Unchanged()};
  std::vector<Write> writes;
  for (const auto& [id, endpoint] : nodes) {
    RETURN_IF_ERROR(context_.runtime.Forget(id));
    keeper_.Drop(id);
    for (Write& write : RemovalOf(id, endpoint)) writes.push_back(std::move(write));
  }
  const ReplicationGroup& record = group.record;
  for (const Endpoint& endpoint : {record.primary_endpoint, record.reader_endpoint}) {
    if (endpoint.empty()) continue;
    context_.runtime.CloseEndpoint(endpoint);
    writes.push_back(ReleaseAddress(endpoint.address));
  }
  for (const auto* cluster : clusters) {
    if (cluster != retained) writes.push_back(Write::Delete(cluster->kv.key));
  }
  writes.push_back(Write::Delete(ShardStateKey(record.ShardKey())));
  for (const std::string& key : record.held_keys) writes.push_back(Write::Delete(key));
  if (retained != nullptr) StandAlone(record, *retained, inventory, compares, writes);
  writes.push_back(Write::Delete(group.kv.key));
  writes.push_back(context_.events.Of(record, "Replication group deleted"));
  ASSIGN_OR_RETURN(const std::optional<Revision> deleted,
                   context_.store.Transact(compares, writes));
  return deleted.has_value();
}

}  // namespace mikura::control
