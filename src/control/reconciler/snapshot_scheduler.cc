// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/snapshot_scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "control/metadata/metadata_keys.h"
#include "control/model/cache_subnet_group.h"
#include "control/model/snapshot_schedule.h"

namespace mikura::control {
namespace {

constexpr UnixMillis kDay = 24 * 3'600'000;

// Whether a daily snapshot of the source is due: it is in its window, and has none of this window.
// One of a time to come was made while the clock was wrong, and says nothing of today.
template <typename Source>
bool IsDue(const Source& source, const Inventory& inventory, UnixMillis now) {
  if (source.snapshot_retention_limit == 0 || source.status != kStatusAvailable) return false;
  const std::optional<UnixMillis> begin = WindowBeginAt(source.snapshot_window, now);
  if (!begin) return false;
  return std::none_of(
      inventory.snapshots.begin(), inventory.snapshots.end(), [&](const Loaded<Snapshot>& each) {
        return each.record.source == kSourceAutomated && each.record.account == source.account &&
               each.record.region == source.region && each.record.IsOf(source) &&
               each.record.created_at >= *begin && each.record.created_at < *begin + kDay;
      });
}

// Whether no other automated snapshot of its source is as young.
bool IsLatest(const Snapshot& snapshot, const Inventory& inventory) {
  if (snapshot.status != kStatusAvailable) return false;
  return std::none_of(
      inventory.snapshots.begin(), inventory.snapshots.end(), [&](const Loaded<Snapshot>& each) {
        const Snapshot& other = each.record;
        return other.source == kSourceAutomated && other.status == kStatusAvailable &&
               other.account == snapshot.account && other.region == snapshot.region &&
               other.SourceId() == snapshot.SourceId() &&
               other.source_incarnation == snapshot.source_incarnation &&
               other.created_at > snapshot.created_at;
      });
}

std::string NewIncarnation() { return fmt::format("{:08x}", std::random_device{}()); }

}  // namespace

Result<bool> SnapshotScheduler::Step(Inventory& inventory) {
  bool idle = true;
  for (Loaded<ReplicationGroup>& group : inventory.groups) {
    if (!IsDue(group.record, inventory, context_.clock.NowMillis())) continue;
    ASSIGN_OR_RETURN(const bool begun, Begin(group, inventory));
    idle = idle && !begun;
  }
  for (auto& [key, cluster] : inventory.clusters) {
    if (!cluster.record.replication_group.empty() ||
        !IsDue(cluster.record, inventory, context_.clock.NowMillis())) {
      continue;
    }
    ASSIGN_OR_RETURN(const bool begun, Begin(cluster));
    idle = idle && !begun;
  }
  for (Loaded<Snapshot>& snapshot : inventory.snapshots) {
    ASSIGN_OR_RETURN(const bool expired, Expire(snapshot, inventory));
    idle = idle && !expired;
  }
  return idle;
}

Result<std::string> SnapshotScheduler::VpcOf(const CacheCluster& cluster) {
  if (cluster.subnet_group.empty()) return std::string();
  ASSIGN_OR_RETURN(
      const std::optional<KeyValue> kv,
      context_.store.Get(SubnetGroupKey(cluster.account, cluster.region, cluster.subnet_group)));
  if (!kv) return std::string();
  const auto group = CacheSubnetGroupFromJson(kv->value);
  return group.ok() ? group->vpc_id : std::string();
}

Result<bool> SnapshotScheduler::Begin(Loaded<ReplicationGroup>& group, Inventory& inventory) {
  std::vector<CacheCluster> members;
  for (const std::string& id : group.record.member_clusters) {
    const auto* cluster = inventory.FindCluster(group.record, id);
    if (cluster != nullptr) members.push_back(cluster->record);
  }
  if (members.empty()) return false;
  const UnixMillis now = context_.clock.NowMillis();
  NewSnapshot asked{.name = AutomaticSnapshotName(group.record.id, now),
                    .source = kSourceAutomated,
                    .incarnation = NewIncarnation(),
                    .now = now};
  ASSIGN_OR_RETURN(asked.vpc_id, VpcOf(members.front()));
  const Snapshot snapshot = SnapshotOf(group.record, members, "", asked);
  const std::string key = SnapshotKey(snapshot.account, snapshot.region, snapshot.name);
  group.record.active_snapshot = snapshot.name;
  group.record.status = kStatusSnapshotting;
  ASSIGN_OR_RETURN(const std::optional<Revision> begun,
                   context_.store.Transact({group.Unchanged(), Compare::Absent(key)},
                                           {group.Put(), Write::Put(key, ToJson(snapshot))}));
  return begun.has_value();
}

Result<bool> SnapshotScheduler::Begin(Loaded<CacheCluster>& cluster) {
  const UnixMillis now = context_.clock.NowMillis();
  NewSnapshot asked{.name = AutomaticSnapshotName(cluster.record.id, now),
                    .source = kSourceAutomated,
                    .incarnation = NewIncarnation(),
                    .now = now};
  ASSIGN_OR_RETURN(asked.vpc_id, VpcOf(cluster.record));
  const Snapshot snapshot = SnapshotOf(cluster.record, asked);
  const std::string key = SnapshotKey(snapshot.account, snapshot.region, snapshot.name);
  cluster.record.active_snapshot = snapshot.name;
  cluster.record.status = kStatusSnapshotting;
  ASSIGN_OR_RETURN(const std::optional<Revision> begun,
                   context_.store.Transact({cluster.Unchanged(), Compare::Absent(key)},
                                           {cluster.Put(), Write::Put(key, ToJson(snapshot))}));
  return begun.has_value();
}

// Automated snapshots go with their source, as in ElastiCache; one that something is made of stays
// until that is done.
Result<bool> SnapshotScheduler::Expire(Loaded<Snapshot>& snapshot, const Inventory& inventory) {
  Snapshot& record = snapshot.record;
  if (record.source != kSourceAutomated) return false;
  if (record.status != kStatusAvailable && record.status != kStatusFailed) return false;
  if (inventory.IsInUse(record)) return false;
  std::optional<int64_t> limit;
  const auto look = [&](const auto& source) {
    if (source.account == record.account && source.region == record.region && record.IsOf(source)) {
      limit = source.snapshot_retention_limit;
    }
  };
  for (const auto& group : inventory.groups) look(group.record);
  for (const auto& [key, cluster] : inventory.clusters) {
    if (cluster.record.replication_group.empty()) look(cluster.record);
  }
  // What is left when the clock jumps is the latest: it goes when another has taken its place.
  if (limit.value_or(0) > 0 && IsLatest(record, inventory)) return false;
  if (limit && !IsExpired(record, *limit, context_.clock.NowMillis())) return false;
  record.status = kStatusDeleting;
  ASSIGN_OR_RETURN(const std::optional<Revision> stored,
                   context_.store.Transact({snapshot.Unchanged()}, {snapshot.Put()}));
  return stored.has_value();
}

}  // namespace mikura::control
