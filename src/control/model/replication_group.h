// SPDX-License-Identifier: Apache-2.0
// A replication group: one shard of a primary and up to five replicas, each a cache cluster.
// Written as cache_cluster.h says.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/model/api_error.h"
#include "control/model/cache_cluster.h"
#include "control/model/endpoint.h"

namespace mikura::control {

// The one shard that a group without cluster mode has.
inline constexpr std::string_view kOnlyShard = "0001";

struct ReplicationGroup {
  std::string id;
  std::string incarnation;
  std::string account;
  std::string region;
  std::string description;
  std::string status;
  std::string engine;
  std::string engine_version;
  std::string node_type;
  int64_t port = 0;
  bool automatic_failover = false;
  bool multi_az = false;
  std::string snapshot_window;
  int64_t snapshot_retention_limit = 0;  // days; 0: no automated snapshots
  std::string snapshotting_cluster;  // the member that makes the automated ones; empty: any replica
  std::string active_snapshot;       // the name of the one that is made of it now; else empty
  std::string data_source;           // what it is restored from, until it is available
  bool auto_minor_version_upgrade = true;
  std::map<std::string, std::string> tags;
  UnixMillis created_at = 0;
  std::vector<std::string> member_clusters;  // primary-first as created
  Endpoint primary_endpoint;                 // empty until given out
  Endpoint reader_endpoint;
  std::vector<std::string> held_keys;  // as CacheCluster::held_keys

  std::string ArnOf() const;
  // The status of a group whose nodes are all as they should be.
  std::string_view SettledStatus() const {
    return active_snapshot.empty() ? kStatusAvailable : kStatusSnapshotting;
  }
  // The name of its shard in the store: unlike the group's id it is never used again.
  std::string ShardKey() const;
};

// What CreateReplicationGroup was asked for; empty and nullopt mean "not given".
struct NewReplicationGroup {
  std::string id;
  std::string description;
  std::string engine;
  std::string engine_version;
  std::string node_type;
  std::optional<int64_t> cluster_count;
  std::optional<int64_t> node_group_count;
  std::optional<int64_t> replicas_per_node_group;
  std::vector<std::string> preferred_zones;
  std::optional<int64_t> port;
  std::optional<bool> automatic_failover;
  std::optional<bool> multi_az;
  std::string parameter_group;
  std::string subnet_group;
  std::vector<std::string> security_groups;
  std::string maintenance_window;
  std::string snapshot_window;
  int64_t snapshot_retention_limit = 0;
  std::string data_source;
  bool auto_minor_version_upgrade = true;
  std::map<std::string, std::string> tags;
};

struct BuiltReplicationGroup {
  ReplicationGroup group;
  std::vector<CacheCluster> members;  // primary first
};

// The desired group and its clusters, status creating, or the first rule the request breaks.
ApiResult<BuiltReplicationGroup> BuildReplicationGroup(const NewReplicationGroup& asked,
                                                       const CreationContext& context);

std::string ToJson(const ReplicationGroup& group);
Result<ReplicationGroup> ReplicationGroupFromJson(std::string_view text);

}  // namespace mikura::control
