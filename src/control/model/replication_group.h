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
#include "control/model/group_access.h"

namespace mikura::control {

// The one shard that a group without cluster mode has.
inline constexpr std::string_view kOnlyShard = "0001";

// Changes that were asked for and are not in effect; what is empty does not change.
struct PendingChanges {
  // Of every node. An engine always comes with its version and parameter group.
  std::string node_type;
  std::string engine;
  std::string engine_version;
  std::string parameter_group;
  std::string primary_cluster;     // who is to be the primary
  std::string automatic_failover;  // "enabled" or "disabled"

  bool ChangesNodes() const { return !node_type.empty() || !engine_version.empty(); }
  bool operator==(const PendingChanges&) const = default;
  bool empty() const { return *this == PendingChanges(); }
};

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
  std::string maintenance_window;
  int64_t snapshot_retention_limit = 0;  // days; 0: no automated snapshots
  std::string snapshotting_cluster;  // the member that makes the automated ones; empty: any replica
  std::string active_snapshot;       // the name of the one that is made of it now; else empty
  std::string data_source;           // what it is restored from, until it is available
  bool auto_minor_version_upgrade = true;
  PendingChanges pending;
  bool applying = false;       // pending: now, rather than in the maintenance window
  bool test_failover = false;  // the primary of this moment is to be ended
  std::map<std::string, std::string> tags;
  UnixMillis created_at = 0;
  std::vector<std::string> member_clusters;  // primary-first as created
  Endpoint primary_endpoint;                 // empty until given out
  Endpoint reader_endpoint;
  std::vector<std::string> held_keys;  // as CacheCluster::held_keys
  GroupAccess access;
  std::vector<LogDelivery> log_deliveries;
  NotificationTopic topic;  // of its members too
  // Of one that is deleted: the primary's cluster, which goes on alone; empty: nothing stays.
  std::string retained_cluster;

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
  std::string parameter_family;  // of the user's group of that name; empty: there is none
  std::string subnet_group;
  std::vector<std::string> security_groups;
  std::string maintenance_window;
  std::string snapshot_window;
  int64_t snapshot_retention_limit = 0;
  std::string data_source;
  bool auto_minor_version_upgrade = true;
  std::map<std::string, std::string> tags;
  std::vector<AskedLogDelivery> log_deliveries;
  AskedTopic topic;
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
