// SPDX-License-Identifier: Apache-2.0
// A snapshot: the data of a replication group, or of a single node, at one moment, as a file, and
// what is needed to create the same cache again. Written by the API (desired: creating, copying,
// exporting, deleting) and by the reconciler, always by compare-and-set.
//
//   N1. The status is available only while the file is whole.
//   N2. While it is creating, its source names it in active_snapshot; both change together.
//   N3. A snapshot that something is made of (a restore, a copy) is rewritten by whoever begins
//       that, so that it cannot be deleted at the same moment.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/model/api_error.h"
#include "control/model/cache_cluster.h"
#include "control/model/replication_group.h"

namespace mikura::control {

inline constexpr std::string_view kStatusCopying = "copying";
inline constexpr std::string_view kStatusExporting = "exporting";
inline constexpr std::string_view kStatusFailed = "failed";
inline constexpr std::string_view kSourceManual = "manual";
inline constexpr std::string_view kSourceAutomated = "automated";
// So many manual snapshots of one source may begin within a day.
inline constexpr int64_t kSnapshotsPerDayMax = 20;

// The data of one shard.
struct NodeSnapshot {
  std::string cluster_id;
  std::string node_group_id;  // empty for a node in no group
  std::string cache_node_id;
  int64_t bytes = 0;  // of the file
  UnixMillis node_created_at = 0;
  UnixMillis made_at = 0;  // when the file was whole; 0: it is not
};

// How far the making is: the reconciler's notes.
struct SnapshotWork {
  int64_t attempt = 0;      // counted from 1 with each node that is asked
  std::string node_id;      // who is asked for the data; empty: nobody yet
  std::string process_id;   // its run: another one may hold other data
  int64_t epoch = 0;        // of the shard when it was asked
  std::string primary_run;  // of the shard's primary when it was asked
};

struct Snapshot {
  std::string name;
  std::string incarnation;  // names its files: another snapshot of the same name has others
  std::string account;
  std::string region;
  std::string status;
  std::string source;  // "manual" or "automated"
  UnixMillis created_at = 0;
  std::map<std::string, std::string> tags;

  // What was saved, as it was then.
  std::string replication_group;
  std::string replication_group_description;
  std::string cache_cluster;       // asked for, or a node in no group; else empty
  std::string source_incarnation;  // of the group or the cluster
  std::string node_type;
  std::string engine;
  std::string engine_version;
  int64_t node_count = 0;
  std::string preferred_zone;
  UnixMillis cluster_created_at = 0;
  std::string maintenance_window;
  std::string topic_arn;  // of its source; empty: none
  int64_t port = 0;
  std::string parameter_group;
  std::string subnet_group;
  std::string vpc_id;
  bool auto_minor_version_upgrade = true;
  int64_t retention_limit = 0;
  std::string snapshot_window;
  bool automatic_failover = false;
  std::vector<NodeSnapshot> nodes;  // of each shard

  SnapshotWork work;
  std::string copied_from;  // copying: the incarnation of the original
  std::string export_to;    // exporting: "bucket/key"
  std::string failure;      // why it failed, in words

  std::string ArnOf() const;
  // The group or cluster that it is a snapshot of, for messages and counts.
  const std::string& SourceId() const {
    return replication_group.empty() ? cache_cluster : replication_group;
  }
  bool IsOf(const ReplicationGroup& group) const {
    return replication_group == group.id && source_incarnation == group.incarnation;
  }
  bool IsOf(const CacheCluster& cluster) const {
    return replication_group.empty() && cache_cluster == cluster.id &&
           source_incarnation == cluster.incarnation;
  }
};

// What is not known from the source.
struct NewSnapshot {
  std::string name;
  std::string_view source = kSourceManual;
  std::string incarnation;
  UnixMillis now = 0;
  std::string vpc_id;
  std::map<std::string, std::string> tags;
};

// A snapshot of the source as it is, status creating.
// members: of the group, in its order. wanted: which of them is to be asked; empty: any.
Snapshot SnapshotOf(const ReplicationGroup& group, const std::vector<CacheCluster>& members,
                    std::string_view wanted, const NewSnapshot& asked);
Snapshot SnapshotOf(const CacheCluster& cluster, const NewSnapshot& asked);

// 0 to 35 days. Errors: kInvalidParameterValue.
ApiResult<int64_t> RetentionLimitOf(int64_t days);

// Where a restore takes its data: NodeSpec::data_source.
std::string DataOfSnapshot(std::string_view incarnation);  // "snapshot:1f2e3d4c"
std::string DataOfBucket(std::string_view key);            // "bucket:name/folder/file.rdb"

std::string ToJson(const Snapshot& snapshot);
Result<Snapshot> SnapshotFromJson(std::string_view text);

}  // namespace mikura::control
