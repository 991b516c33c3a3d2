// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/snapshot_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/numbers.h"
#include "control/api/elasticache/cache_store.h"
#include "control/api/elasticache/snapshot_answers.h"
#include "control/api/elasticache/snapshot_request.h"
#include "control/api/random_id.h"
#include "control/model/identifiers.h"

namespace mikura::control {
namespace {

ApiError InvalidSnapshotState(const Snapshot& snapshot) {
  return {ApiErrorCode::kInvalidSnapshotState,
          fmt::format("Snapshot {} has status {}.", snapshot.name, snapshot.status)};
}

ApiResult<> CheckRequest(const elasticache::CreateSnapshotRequest& request) {
  if (request.replication_group_id.has_value() == request.cache_cluster_id.has_value()) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "Either ReplicationGroupId or CacheClusterId must be given."};
  }
  if (request.kms_key_id) {
    return ApiError{ApiErrorCode::kInvalidParameterValue, "KmsKeyId is not available yet."};
  }
  return Ok();
}

// wanted: the member that is asked for its data; empty: any.
ApiResult<Snapshot> SnapshotOfGroup(const ActionContext& context, const std::string& id,
                                    const std::string& wanted, const NewSnapshotName& name,
                                    Change& change) {
  const CacheStore store(context);
  ASSIGN_OR_RETURN(auto group, store.Group(id));
  if (group.record.status != kStatusAvailable || !group.record.active_snapshot.empty()) {
    return ApiError{
        ApiErrorCode::kInvalidReplicationGroupState,
        fmt::format("Replication group {} has status {}.", group.record.id, group.record.status)};
  }
  std::vector<CacheCluster> members;
  for (const std::string& member_id : group.record.member_clusters) {
    ASSIGN_OR_RETURN(auto member, store.Cluster(member_id));
    members.push_back(std::move(member.record));
  }
  ASSIGN_OR_RETURN(Snapshot snapshot,
                   AddSnapshotOf(context, group.record, members, wanted, name, change));
  group.record.active_snapshot = snapshot.name;
  group.record.status = kStatusSnapshotting;
  change.Replace(group.kv, ToJson(group.record));
  return snapshot;
}

ApiResult<Snapshot> SnapshotOfCluster(const ActionContext& context, const std::string& id,
                                      const NewSnapshotName& name, Change& change) {
  ASSIGN_OR_RETURN(auto cluster, CacheStore(context).Cluster(id));
  CacheCluster& record = cluster.record;
  if (record.engine != "memcached" &&
      (record.status != kStatusAvailable || !record.active_snapshot.empty())) {
    return ApiError{ApiErrorCode::kInvalidCacheClusterState,
                    fmt::format("Cache cluster {} has status {}.", record.id, record.status)};
  }
  if (!record.replication_group.empty()) {
    return SnapshotOfGroup(context, record.replication_group, record.id, name, change);
  }
  ASSIGN_OR_RETURN(Snapshot snapshot, AddSnapshotOf(context, record, name, change));
  record.active_snapshot = snapshot.name;
  record.status = kStatusSnapshotting;
  change.Replace(cluster.kv, ToJson(record));
  return snapshot;
}

bool IsBucketName(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

ApiResult<> BeginExport(const ActionContext& context, const std::string& bucket,
                        const NewSnapshotName& target, Snapshot& snapshot) {
  ASSIGN_OR_RETURN(const std::string folder, BucketFolder(context));
  if (folder.empty()) {
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    "TargetBucket cannot be written: the service has no folder of buckets. Start "
                    "it with --bucket-dir."};
  }
  if (!IsBucketName(bucket)) {
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    fmt::format("{} is not the name of a bucket.", bucket)};
  }
  ASSIGN_OR_RETURN(const std::string name, SnapshotNameOf(target.parameter, target.text));
  snapshot.status = kStatusExporting;
  snapshot.export_to = fmt::format("{}/{}-0001.rdb", bucket, name);
  return Ok();
}

Snapshot CopyOf(const Snapshot& original, std::string name, Tags tags, UnixMillis now) {
  Snapshot copy = original;
  copy.name = std::move(name);
  copy.incarnation = RandomText(8, "0123456789abcdef");
  copy.status = kStatusCopying;
  copy.source = kSourceManual;
  copy.created_at = now;
  copy.tags = std::move(tags);
  copy.copied_from = original.incarnation;
  return copy;
}

ApiResult<> CheckDeletable(const CacheStore& store, const Snapshot& snapshot) {
  const bool settled = snapshot.status == kStatusAvailable || snapshot.status == kStatusFailed;
  if (!settled) return InvalidSnapshotState(snapshot);
  if (snapshot.source == kSourceAutomated && snapshot.status == kStatusAvailable) {
    return ApiError{ApiErrorCode::kInvalidSnapshotState,
                    fmt::format("Snapshot {} is an automated one: it is removed when its "
                                "retention ends, or with its source.",
                                snapshot.name)};
  }
  const ApiError in_use{
      ApiErrorCode::kInvalidSnapshotState,
      fmt::format("Snapshot {} is in use: a cache or a copy is being made of it.", snapshot.name)};
  const std::string data = DataOfSnapshot(snapshot.incarnation);
  ASSIGN_OR_RETURN(const auto clusters, store.Clusters());
  for (const auto& cluster : clusters) {
    if (cluster.record.data_source == data) return in_use;
  }
  ASSIGN_OR_RETURN(const auto snapshots, store.Snapshots());
  for (const auto& other : snapshots) {
    if (other.record.copied_from == snapshot.incarnation) return in_use;
  }
  return Ok();
}

// Whether the request's filters let it through.
ApiResult<bool> Matches(const elasticache::DescribeSnapshotsRequest& request,
                        const Snapshot& snapshot) {
  if (request.snapshot_source) {
    const std::string source = ToLower(*request.snapshot_source);
    if (source != "system" && source != "user") {
      return ApiError{ApiErrorCode::kInvalidParameterValue,
                      "SnapshotSource must be system or user."};
    }
    if ((source == "system") != (snapshot.source == kSourceAutomated)) return false;
  }
  if (request.replication_group_id &&
      !EqualsIgnoreCase(*request.replication_group_id, snapshot.replication_group)) {
    return false;
  }
  return !request.cache_cluster_id ||
         EqualsIgnoreCase(*request.cache_cluster_id, snapshot.cache_cluster) ||
         std::any_of(snapshot.nodes.begin(), snapshot.nodes.end(), [&](const NodeSnapshot& node) {
           return EqualsIgnoreCase(*request.cache_cluster_id, node.cluster_id);
         });
}

}  // namespace

ApiResult<elasticache::CreateSnapshotResult> CreateSnapshot(
    ActionContext& context, const elasticache::CreateSnapshotRequest& request) {
  using Result = elasticache::CreateSnapshotResult;
  RETURN_IF_ERROR(CheckRequest(request));
  NewSnapshotName name{"SnapshotName", request.snapshot_name, {}};
  ASSIGN_OR_RETURN(name.tags, TagsOf(request.tags));
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    Change change;
    ASSIGN_OR_RETURN(const Snapshot snapshot,
                     request.replication_group_id
                         ? SnapshotOfGroup(context, *request.replication_group_id, "", name, change)
                         : SnapshotOfCluster(context, *request.cache_cluster_id, name, change));
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{ToWire(snapshot)});
  });
}

ApiResult<elasticache::CopySnapshotResult> CopySnapshot(
    ActionContext& context, const elasticache::CopySnapshotRequest& request) {
  using Result = elasticache::CopySnapshotResult;
  if (request.kms_key_id) {
    return ApiError{ApiErrorCode::kInvalidParameterValue, "KmsKeyId is not available yet."};
  }
  const NewSnapshotName name{"TargetSnapshotName", request.target_snapshot_name, {}};
  ASSIGN_OR_RETURN(const Tags tags, TagsOf(request.tags));
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    const CacheStore store(context);
    ASSIGN_OR_RETURN(auto original, store.FindSnapshot(request.source_snapshot_name));
    if (original.record.status != kStatusAvailable) return InvalidSnapshotState(original.record);
    Change change;
    Snapshot shown;
    if (request.target_bucket) {
      RETURN_IF_ERROR(BeginExport(context, *request.target_bucket, name, original.record));
      change.Replace(original.kv, ToJson(original.record));
      shown = original.record;
    } else {
      ASSIGN_OR_RETURN(const std::string target, FreeSnapshotName(context, name));
      shown = CopyOf(original.record, target, tags, context.clock.NowMillis());
      change.Touch(original.kv);  // N3
      change.Create(store.KeyOf(shown), ToJson(shown));
    }
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{ToWire(shown)});
  });
}

ApiResult<elasticache::DescribeSnapshotsResult> DescribeSnapshots(
    ActionContext& context, const elasticache::DescribeSnapshotsRequest& request) {
  const CacheStore store(context);
  std::vector<Stored<Snapshot>> snapshots;
  if (request.snapshot_name) {
    ASSIGN_OR_RETURN(auto snapshot, store.FindSnapshot(*request.snapshot_name));
    snapshots.push_back(std::move(snapshot));
  } else {
    ASSIGN_OR_RETURN(snapshots, store.Snapshots());
  }
  // A filter that is wrong is wrong also when there is nothing to filter.
  RETURN_IF_ERROR(Matches(request, Snapshot()));
  std::erase_if(snapshots, [&](const auto& each) { return !*Matches(request, each.record); });
  // AWS: 20 to 50 in a page.
  ASSIGN_OR_RETURN(const size_t size, PageSize(request.max_records, 20, 50, "MaxRecords"));
  auto page = Paginate(
      std::move(snapshots), [](const auto& each) { return each.record.name; }, request.marker,
      size);
  if (!page) return ApiError{ApiErrorCode::kInvalidParameterValue, "The Marker is not valid."};
  elasticache::DescribeSnapshotsResult result;
  result.marker = page->next_token;
  for (const auto& each : page->items) {
    result.snapshots.push_back(ToWire(each.record, request.show_node_group_config.value_or(false)));
  }
  return result;
}

ApiResult<elasticache::DeleteSnapshotResult> DeleteSnapshot(
    ActionContext& context, const elasticache::DeleteSnapshotRequest& request) {
  using Result = elasticache::DeleteSnapshotResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    const CacheStore store(context);
    ASSIGN_OR_RETURN(auto snapshot, store.FindSnapshot(request.snapshot_name));
    RETURN_IF_ERROR(CheckDeletable(store, snapshot.record));
    snapshot.record.status = kStatusDeleting;
    Change change;
    change.Replace(snapshot.kv, ToJson(snapshot.record));
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{ToWire(snapshot.record)});
  });
}

}  // namespace mikura::control
