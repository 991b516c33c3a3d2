// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/snapshot_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "control/api/random_id.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/engine_version.h"
#include "control/model/identifiers.h"

namespace mikura::control {
namespace {

constexpr UnixMillis kDay = 24LL * 3600 * 1000;
constexpr std::string_view kS3 = "arn:aws:s3:::";
constexpr std::string_view kFile = "file://";

ApiResult<> CheckQuota(const CacheStore& store, const std::string& source, UnixMillis now) {
  ASSIGN_OR_RETURN(const auto snapshots, store.Snapshots());
  const auto count = std::count_if(snapshots.begin(), snapshots.end(), [&](const auto& each) {
    return each.record.source == kSourceManual && each.record.SourceId() == source &&
           now - each.record.created_at < kDay;
  });
  if (count < kSnapshotsPerDayMax) return Ok();
  return ApiError{ApiErrorCode::kSnapshotQuotaExceededFault,
                  fmt::format("{} has {} manual snapshots of the last 24 hours; no more than {} "
                              "are allowed.",
                              source, count, kSnapshotsPerDayMax)};
}

ApiResult<NewSnapshot> NewOf(const ActionContext& context, const std::string& source,
                             const std::string& subnet_group, const NewSnapshotName& name) {
  const CacheStore store(context);
  NewSnapshot asked;
  ASSIGN_OR_RETURN(asked.name, FreeSnapshotName(context, name));
  RETURN_IF_ERROR(CheckQuota(store, source, context.clock.NowMillis()));
  if (!subnet_group.empty()) {
    ASSIGN_OR_RETURN(const auto group, store.SubnetGroup(subnet_group));
    asked.vpc_id = group.record.vpc_id;
  }
  asked.incarnation = RandomText(8, "0123456789abcdef");
  asked.now = context.clock.NowMillis();
  asked.tags = name.tags;
  return asked;
}

// "bucket/folder/file.rdb" of a location.
ApiResult<std::string> KeyOfLocation(const std::string& location, const std::string& folder) {
  const auto refused = [&](std::string_view why) {
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    fmt::format("The snapshot location {} {}", location, why)};
  };
  if (folder.empty()) {
    return refused(
        "cannot be read: the service has no folder of buckets. Start it with --bucket-dir.");
  }
  std::string_view rest = location;
  std::filesystem::path key;
  if (rest.substr(0, kS3.size()) == kS3) {
    key = std::filesystem::path(rest.substr(kS3.size())).lexically_normal();
  } else if (rest.substr(0, kFile.size()) == kFile) {
    key = std::filesystem::path(rest.substr(kFile.size())).lexically_normal();
    if (!key.is_absolute()) return refused("must be file:// and an absolute path.");
    key = key.lexically_relative(folder);
  } else {
    return refused("is neither arn:aws:s3:::bucket/key nor a file:// path.");
  }
  if (key.empty() || key.is_absolute() || *key.begin() == ".." || *key.begin() == "." ||
      !key.has_parent_path() || !key.has_filename()) {
    return refused("is not a file in a bucket of this service.");
  }
  return key.string();
}

}  // namespace

ApiResult<std::string> FreeSnapshotName(const ActionContext& context, const NewSnapshotName& name) {
  ASSIGN_OR_RETURN(std::string checked, SnapshotNameOf(name.parameter, name.text));
  ASSIGN_OR_RETURN(const bool exists, CacheStore(context).Exists(SnapshotKey(
                                          context.account_id, context.region, checked)));
  if (!exists) return checked;
  return ApiError{ApiErrorCode::kSnapshotAlreadyExistsFault,
                  fmt::format("Snapshot already exists: {}", checked)};
}

ApiResult<Snapshot> AddSnapshotOf(const ActionContext& context, const ReplicationGroup& group,
                                  const std::vector<CacheCluster>& members, std::string_view wanted,
                                  const NewSnapshotName& name, Change& change) {
  ASSIGN_OR_RETURN(
      const NewSnapshot asked,
      NewOf(context, group.id, members.empty() ? "" : members.front().subnet_group, name));
  Snapshot snapshot = SnapshotOf(group, members, wanted, asked);
  change.Create(CacheStore(context).KeyOf(snapshot), ToJson(snapshot));
  return snapshot;
}

ApiResult<Snapshot> AddSnapshotOf(const ActionContext& context, const CacheCluster& cluster,
                                  const NewSnapshotName& name, Change& change) {
  if (cluster.engine == "memcached") {
    return ApiError{ApiErrorCode::kSnapshotFeatureNotSupportedFault,
                    "Snapshots are not supported for memcached."};
  }
  ASSIGN_OR_RETURN(const NewSnapshot asked, NewOf(context, cluster.id, cluster.subnet_group, name));
  Snapshot snapshot = SnapshotOf(cluster, asked);
  change.Create(CacheStore(context).KeyOf(snapshot), ToJson(snapshot));
  return snapshot;
}

ApiResult<Restore> RestoreOf(const ActionContext& context, const std::optional<std::string>& name,
                             const std::vector<std::string>& arns) {
  if (name && !arns.empty()) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "SnapshotName and SnapshotArns exclude each other."};
  }
  Restore restore;
  if (name) {
    ASSIGN_OR_RETURN(restore.snapshot, CacheStore(context).FindSnapshot(*name));
    const Snapshot& snapshot = restore.snapshot->record;
    if (snapshot.status != kStatusAvailable && snapshot.status != kStatusExporting) {
      return ApiError{ApiErrorCode::kInvalidSnapshotState,
                      fmt::format("Snapshot {} has status {}.", snapshot.name, snapshot.status)};
    }
    restore.data_source = DataOfSnapshot(snapshot.incarnation);
  } else if (!arns.empty()) {
    if (arns.size() > 1) {
      return ApiError{ApiErrorCode::kInvalidParameterCombination,
                      "SnapshotArns must name one file for each node group, which is one."};
    }
    ASSIGN_OR_RETURN(const std::string folder, BucketFolder(context));
    ASSIGN_OR_RETURN(const std::string key, KeyOfLocation(arns.front(), folder));
    restore.data_source = DataOfBucket(key);
  }
  return restore;
}

ApiResult<> CheckEngine(const Restore& restore, std::string_view engine,
                        std::string_view engine_version) {
  if (!restore.snapshot) return Ok();
  const Snapshot& snapshot = restore.snapshot->record;
  const auto refused = [&] {
    return ApiError{
        ApiErrorCode::kInvalidParameterCombination,
        fmt::format("Snapshot {} of {} {} cannot be restored into {} {}.", snapshot.name,
                    snapshot.engine, snapshot.engine_version, engine, engine_version)};
  };
  if (snapshot.engine == "valkey" && engine == "redis") return refused();
  if (snapshot.engine != engine) return Ok();
  // From old to new within an engine.
  for (const EngineVersion& version : AllEngineVersions()) {
    if (version.engine != engine) continue;
    if (version.full_version == snapshot.engine_version) return Ok();
    if (version.full_version == engine_version) return refused();
  }
  return Ok();
}

ApiResult<std::string> BucketFolder(const ActionContext& context) {
  const auto found = context.store.Get(kBucketFolderKey);
  if (!found.ok()) return ApiError{ApiErrorCode::kServiceUnavailable, {}};
  return found->has_value() ? (*found)->value : std::string();
}

}  // namespace mikura::control
