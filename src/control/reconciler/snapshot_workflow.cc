// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/snapshot_workflow.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/logging.h"
#include "control/metadata/metadata_keys.h"
#include "control/reconciler/event_log.h"

namespace mikura::control {
namespace {

using State = SnapshotFile::State;

std::string KindOf(const Snapshot& snapshot) {
  return snapshot.replication_group.empty() ? "cache cluster" : "replication group";
}

// "... snapshot with ID 's' of replication group with ID 'demo'".
std::string About(const Snapshot& snapshot) {
  return fmt::format("snapshot with ID '{}' of {} with ID '{}'", snapshot.name, KindOf(snapshot),
                     snapshot.SourceId());
}

}  // namespace

Result<bool> SnapshotWorkflow::Step(Loaded<Snapshot>& snapshot, Inventory& inventory) {
  const std::string& status = snapshot.record.status;
  if (status == kStatusCreating) return Make(snapshot, inventory);
  if (status == kStatusCopying) return Copy(snapshot);
  if (status == kStatusExporting) return Export(snapshot);
  if (status == kStatusDeleting) return Remove(snapshot);
  return true;
}

std::optional<SnapshotWorkflow::Source> SnapshotWorkflow::SourceOf(const Snapshot& snapshot,
                                                                   Inventory& inventory) const {
  Source source;
  if (snapshot.replication_group.empty()) {
    const auto found = inventory.clusters.find(
        CacheClusterKey(snapshot.account, snapshot.region, snapshot.cache_cluster));
    if (found == inventory.clusters.end() || !snapshot.IsOf(found->second.record)) {
      return std::nullopt;
    }
    source.clusters = {&found->second};
    return source;
  }
  for (Loaded<ReplicationGroup>& group : inventory.groups) {
    if (group.record.account != snapshot.account || group.record.region != snapshot.region ||
        !snapshot.IsOf(group.record)) {
      continue;
    }
    source.group = &group;
    for (const std::string& id : group.record.member_clusters) {
      auto* cluster = inventory.FindCluster(group.record, id);
      if (cluster != nullptr) source.clusters.push_back(cluster);
    }
    const auto shard = inventory.shards.find(ShardStateKey(group.record.ShardKey()));
    if (shard != inventory.shards.end()) source.shard = &shard->second.record;
    return source;
  }
  return std::nullopt;
}

Result<bool> SnapshotWorkflow::Make(Loaded<Snapshot>& snapshot, Inventory& inventory) {
  const SnapshotWork& work = snapshot.record.work;
  std::optional<Source> source = SourceOf(snapshot.record, inventory);
  if (!source) return Fail(snapshot, nullptr, "its source is gone");
  if (work.node_id.empty()) return Choose(snapshot, *source);
  // Another run of the node must not be asked: it holds other data (W1).
  if (context_.runtime.Observe(work.node_id).process_id != work.process_id) {
    return AskAgain(snapshot, *source, "the process of its node ended");
  }
  const SnapshotFile file =
      context_.runtime.SaveSnapshot(work.node_id, snapshot.record.incarnation, work.attempt);
  if (file.state == State::kDone) return Finish(snapshot, *source, file);
  if (file.state == State::kFailed) return AskAgain(snapshot, *source, file.error);
  return false;
}

bool SnapshotWorkflow::IsOrphaned(const Source& source) const {
  if (source.group == nullptr || source.shard == nullptr) return false;
  return source.group->record.status == kStatusDeleting &&
         context_.runtime.Observe(source.shard->primary).Gone();
}

bool SnapshotWorkflow::IsLost(const Source& source) const {
  if (source.group == nullptr) {
    const CacheCluster& cluster = source.clusters.front()->record;
    return cluster.status == kStatusDeleting &&
           context_.runtime.Observe(cluster.NodeId(cluster.nodes.front())).Gone();
  }
  return IsOrphaned(source) &&
         std::all_of(source.shard->in_sync.begin(), source.shard->in_sync.end(),
                     [&](const auto& id) { return context_.runtime.Observe(id).Gone(); });
}

// A replica if there is one that holds the data, as ElastiCache prefers; the member that was asked
// for, if one was.
Loaded<CacheCluster>* SnapshotWorkflow::CandidateOf(const Snapshot& snapshot,
                                                    const Source& source) const {
  Loaded<CacheCluster>* primary = nullptr;
  Loaded<CacheCluster>* replica = nullptr;
  int64_t furthest = -1;
  const bool orphaned = IsOrphaned(source);
  const auto wanted = [&](const Loaded<CacheCluster>& cluster) {
    return source.group != nullptr &&
           cluster.record.id == source.group->record.snapshotting_cluster;
  };
  for (Loaded<CacheCluster>* cluster : source.clusters) {
    const bool asked_for = cluster->record.id == snapshot.cache_cluster;
    if (!snapshot.cache_cluster.empty() && !asked_for) continue;
    const std::string id = cluster->record.NodeId(cluster->record.nodes.front());
    const NodeObservation seen = context_.runtime.Observe(id);
    if (seen.Gone() || !seen.answering || seen.loading) continue;
    if (source.group == nullptr) return cluster;
    if (source.shard == nullptr || !source.shard->IsInSync(id)) continue;
    if (id == source.shard->primary) {
      if (seen.is_primary) primary = cluster;
    } else if (orphaned) {
      const auto position = context_.runtime.Position(id);
      if (!position.ok() || position->offset <= furthest) continue;
      furthest = position->offset;
      replica = cluster;
    } else if (seen.link_up && (replica == nullptr || wanted(*cluster))) {
      replica = cluster;
    }
  }
  return replica != nullptr ? replica : primary;
}

Result<bool> SnapshotWorkflow::Choose(Loaded<Snapshot>& snapshot, Source& source) {
  Loaded<CacheCluster>* cluster = CandidateOf(snapshot.record, source);
  if (cluster == nullptr) {
    // By either sign: a clock that was put back must not make it wait for as long.
    const UnixMillis waited = std::abs(context_.clock.NowMillis() - snapshot.record.created_at);
    if (waited < kWaitMax && !IsLost(source)) return false;
    return Fail(snapshot, &source, "no node that holds the data can be asked");
  }
  const CacheNode& node = cluster->record.nodes.front();
  SnapshotWork& work = snapshot.record.work;
  ++work.attempt;
  work.node_id = cluster->record.NodeId(node);
  work.process_id = context_.runtime.Observe(work.node_id).process_id;
  if (source.shard != nullptr) {
    work.epoch = source.shard->epoch;
    work.primary_run = context_.runtime.Observe(source.shard->primary).process_id;
  }
  NodeSnapshot& made = snapshot.record.nodes.front();
  made.cluster_id = cluster->record.id;
  made.cache_node_id = node.id;
  made.node_created_at = node.created_at;
  cluster->record.active_snapshot = snapshot.record.name;
  if (cluster->record.status == kStatusAvailable) cluster->record.status = kStatusSnapshotting;
  return Store({snapshot.Unchanged(), cluster->Unchanged()}, {snapshot.Put(), cluster->Put()},
               false);
}

// W1. Of a group the data live on if the primary that had them then has them still, or another was
// chosen in its place.
Result<bool> SnapshotWorkflow::AskAgain(Loaded<Snapshot>& snapshot, Source& source,
                                        const std::string& reason) {
  SnapshotWork& work = snapshot.record.work;
  if (work.attempt >= kAttemptsMax) return Fail(snapshot, &source, reason);
  if (source.shard == nullptr) {
    const NodeObservation seen = context_.runtime.Observe(work.node_id);
    if (seen.process_id != work.process_id) return Fail(snapshot, &source, reason);
  } else if (source.shard->epoch == work.epoch) {
    const NodeObservation primary = context_.runtime.Observe(source.shard->primary);
    // Another one is chosen, or the same is started again without its data.
    if (primary.Gone() && !IsOrphaned(source)) return false;
    if (!primary.Gone() && primary.process_id != work.primary_run)
      return Fail(snapshot, &source, reason);
  }
  work.node_id.clear();
  work.process_id.clear();
  std::vector<Compare> compares = {snapshot.Unchanged()};
  std::vector<Write> writes = {snapshot.Put()};
  for (Loaded<CacheCluster>* cluster : source.clusters) {
    if (cluster->record.active_snapshot.empty()) continue;
    cluster->record.active_snapshot.clear();
    if (cluster->record.status == kStatusSnapshotting) cluster->record.status = kStatusAvailable;
    compares.push_back(cluster->Unchanged());
    writes.push_back(cluster->Put());
  }
  Log(LogLevel::kWarning, "reconciler", "{}: taken again: {}", About(snapshot.record), reason);
  return Store(compares, writes, false);
}

void SnapshotWorkflow::Release(Source& source, bool cancels, std::vector<Compare>& compares,
                               std::vector<Write>& writes) const {
  const auto free = [&](auto& loaded) {
    std::string& status = loaded.record.status;
    const bool cancelled = cancels && status == kStatusDeleting;
    const bool is_active = !loaded.record.active_snapshot.empty();
    if (!is_active && !cancelled) return false;
    loaded.record.active_snapshot.clear();
    if (cancelled || status == kStatusSnapshotting) status = kStatusAvailable;
    compares.push_back(loaded.Unchanged());
    return true;
  };
  for (Loaded<CacheCluster>* cluster : source.clusters) {
    if (!free(*cluster)) continue;
    for (CacheNode& node : cluster->record.nodes) {
      if (node.status == kStatusDeleting && cancels) node.status = kStatusAvailable;
    }
    writes.push_back(cluster->Put());
  }
  if (source.group != nullptr && free(*source.group)) writes.push_back(source.group->Put());
}

Write SnapshotWorkflow::EventOf(const Snapshot& snapshot, const std::string& message) const {
  if (snapshot.replication_group.empty()) {
    return context_.events.OfCluster(snapshot.account, snapshot.region, snapshot.cache_cluster,
                                     message);
  }
  ReplicationGroup group;
  group.account = snapshot.account;
  group.region = snapshot.region;
  group.id = snapshot.replication_group;
  // Where it tells of itself, while it is there.
  const auto stored =
      context_.store.Get(ReplicationGroupKey(group.account, group.region, group.id));
  if (stored.ok() && stored->has_value()) {
    const auto source = ReplicationGroupFromJson((*stored)->value);
    if (source.ok()) group.topic = source->topic;
  }
  return context_.events.Of(group, message);
}

Result<bool> SnapshotWorkflow::Finish(Loaded<Snapshot>& snapshot, Source& source,
                                      const SnapshotFile& file) {
  Snapshot& record = snapshot.record;
  record.status = kStatusAvailable;
  record.nodes.front().bytes = file.bytes;
  record.nodes.front().made_at = file.made_at;
  record.work = {};
  std::vector<Compare> compares = {snapshot.Unchanged()};
  std::vector<Write> writes = {snapshot.Put(),
                               EventOf(record, "Snapshot succeeded for " + About(record))};
  Release(source, false, compares, writes);
  return Store(compares, writes, true);
}

Result<bool> SnapshotWorkflow::Fail(Loaded<Snapshot>& snapshot, Source* source,
                                    const std::string& reason) {
  Snapshot& record = snapshot.record;
  RETURN_IF_ERROR(context_.runtime.RemoveSnapshot(record.incarnation));
  record.status = kStatusFailed;
  record.failure = reason;
  record.work = {};
  std::vector<Compare> compares = {snapshot.Unchanged()};
  std::string message = fmt::format("Snapshot failed for {}: {}", About(record), reason);
  if (source != nullptr) {
    const std::string_view status = source->group != nullptr
                                        ? source->group->record.status
                                        : source->clusters.front()->record.status;
    if (status == kStatusDeleting) message += ". It was a final one: nothing is deleted";
  }
  std::vector<Write> writes = {snapshot.Put(), EventOf(record, message)};
  if (source != nullptr) Release(*source, true, compares, writes);
  Log(LogLevel::kWarning, "reconciler", "{}", message);
  return Store(compares, writes, true);
}

Result<bool> SnapshotWorkflow::Copy(Loaded<Snapshot>& snapshot) {
  Snapshot& record = snapshot.record;
  const SnapshotFile file = context_.runtime.CopySnapshot(record.copied_from, record.incarnation);
  if (file.state == State::kWorking) return false;
  if (file.state == State::kFailed) return Fail(snapshot, nullptr, file.error);
  record.status = kStatusAvailable;
  record.copied_from.clear();
  return Store({snapshot.Unchanged()},
               {snapshot.Put(), EventOf(record, "Snapshot succeeded for " + About(record))}, true);
}

// Whether it worked or not, the snapshot is as good as before.
Result<bool> SnapshotWorkflow::Export(Loaded<Snapshot>& snapshot) {
  Snapshot& record = snapshot.record;
  const SnapshotFile file = context_.runtime.ExportSnapshot(record.incarnation, record.export_to);
  if (file.state == State::kWorking) return false;
  const std::string message =
      file.state == State::kDone
          ? fmt::format("Export succeeded for {} to {}", About(record), record.export_to)
          : fmt::format("Export failed for {} to {}: {}", About(record), record.export_to,
                        file.error);
  record.status = kStatusAvailable;
  record.export_to.clear();
  return Store({snapshot.Unchanged()}, {snapshot.Put(), EventOf(record, message)}, true);
}

Result<bool> SnapshotWorkflow::Remove(const Loaded<Snapshot>& snapshot) {
  RETURN_IF_ERROR(context_.runtime.RemoveSnapshot(snapshot.record.incarnation));
  return Store({snapshot.Unchanged()}, {Write::Delete(snapshot.kv.key)}, true);
}

// A lost race is seen by the next pass.
Result<bool> SnapshotWorkflow::Store(const std::vector<Compare>& compares,
                                     const std::vector<Write>& writes, bool idle) {
  ASSIGN_OR_RETURN(const std::optional<Revision> stored, context_.store.Transact(compares, writes));
  return stored.has_value() && idle;
}

}  // namespace mikura::control
