// SPDX-License-Identifier: Apache-2.0
// A cache cluster: a memcached cluster, a single Redis or Valkey node, or one member of a
// replication group. Written by the API (desired state, status creating or deleting) and by the
// reconciler (endpoints and observed statuses), always by compare-and-set.
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
#include "control/model/endpoint.h"
#include "control/model/engine_version.h"
#include "control/model/group_access.h"
#include "control/model/log_delivery.h"
#include "control/model/notification.h"

namespace mikura::control {

// The statuses a cluster, a node or a group shows. Tools wait on these words; no others exist.
inline constexpr std::string_view kStatusCreating = "creating";
inline constexpr std::string_view kStatusAvailable = "available";
inline constexpr std::string_view kStatusModifying = "modifying";
inline constexpr std::string_view kStatusRebooting = "rebooting cluster nodes";
inline constexpr std::string_view kStatusDeleting = "deleting";
inline constexpr std::string_view kStatusSnapshotting = "snapshotting";
inline constexpr std::string_view kStatusCreateFailed = "create-failed";    // groups
inline constexpr std::string_view kStatusRestoreFailed = "restore-failed";  // clusters

inline constexpr int64_t kMemcachedNodesMax = 60;

inline constexpr std::string_view kRebootAsked = "asked";
inline constexpr std::string_view kVersionChangeAsked = "asked";
// Of memcached nodes, which change one batch after the other.
inline constexpr std::string_view kVersionChangeWaits = "waiting";
inline constexpr std::string_view kVersionChangeDone = "done";

struct CacheNode {
  std::string id;  // "0001"
  std::string zone;
  std::string status;
  Endpoint endpoint;  // empty until the node has an address
  UnixMillis created_at = 0;
  int64_t generation = 1;  // of its process: one of another size is another
  // Of RebootCacheCluster: how far that is (reconciler/node_reboot.h); empty: none is under way.
  std::string reboot;
  // Of another engine version or node type: the same (reconciler/version_change.h).
  std::string version_change;
};

// Asked for and not applied yet.
struct PendingNodes {
  int64_t count = 0;                 // 0: nothing
  std::vector<std::string> removed;  // ids of those that leave
  std::vector<std::string> zones;    // of those that are added
};

// How nodes of memcached get another type: so many of them at a time, with a pause in between.
struct ScaleConfig {
  int64_t percentage = 0;  // 0: nothing is pending
  int64_t interval_minutes = 0;
};

struct CacheCluster {
  std::string id;
  std::string incarnation;  // 8 hex digits; another cluster of the same id has another
  std::string account;
  std::string region;
  std::string status;
  std::string engine;
  std::string engine_version;  // as shown: "7.1.0"
  std::string node_type;
  int64_t port = 0;
  std::string replication_group;  // empty when it stands alone
  std::string parameter_group;
  std::string subnet_group;
  std::vector<std::string> security_groups;
  std::string maintenance_window;
  std::string snapshot_window;
  int64_t snapshot_retention_limit = 0;  // days; 0: no automated snapshots
  std::string active_snapshot;           // the name of the one that its node makes now; else empty
  std::string data_source;               // what it is restored from, until it is available
  bool auto_minor_version_upgrade = true;
  std::string pending_node_type;        // asked for and not in effect; else empty
  ScaleConfig pending_scale;            // comes with that type; memcached only
  std::string pending_engine;           // another one, that comes with the version; else empty
  std::string pending_engine_version;   // asked for and not in effect; else empty
  std::string pending_parameter_group;  // comes with that version; of one that stands alone
  std::map<std::string, std::string> tags;
  UnixMillis created_at = 0;
  std::vector<CacheNode> nodes;
  PendingNodes pending_nodes;
  bool spreads = false;     // new nodes go to different zones
  bool serves_tls = false;  // memcached: TLS alone; fixed at its creation
  // Redis and valkey: what one that stands alone has of the group that it was the primary of.
  AccessWish access;
  UnixMillis auth_token_changed_at = 0;
  Endpoint configuration_endpoint;  // memcached only
  int64_t membership_version = 1;   // what auto discovery shows; rises with each change of nodes
  std::vector<LogDelivery> log_deliveries;  // of one that stands alone
  NotificationTopic topic;
  // Keys of the store that are removed with it: its holds on subnets and security groups.
  std::vector<std::string> held_keys;

  bool IsMemcached() const { return engine == "memcached"; }
  // Whether its nodes are to get another version, engine or type.
  bool HasPendingChange() const {
    return !pending_engine_version.empty() || !pending_node_type.empty();
  }
  // The one zone of its nodes, or "Multiple".
  std::string PreferredZone() const;
  std::string ArnOf() const;
  std::string NodeId(const CacheNode& node) const;
  // Whether a node of that id is this node, or takes its place.
  bool IsNodeId(const CacheNode& node, std::string_view node_id) const;
};

// What CreateCacheCluster was asked for; empty and nullopt mean "not given".
struct NewCacheCluster {
  std::string id;
  std::string engine;
  std::string engine_version;
  std::string node_type;
  std::optional<int64_t> node_count;
  std::optional<int64_t> port;
  std::string az_mode;
  std::string preferred_zone;
  std::vector<std::string> preferred_zones;
  std::string parameter_group;
  std::string parameter_family;  // of the user's group of that name; empty: there is none
  std::string subnet_group;
  std::vector<std::string> security_groups;
  std::string maintenance_window;
  std::string snapshot_window;
  int64_t snapshot_retention_limit = 0;
  std::string data_source;
  bool auto_minor_version_upgrade = true;
  bool serves_tls = false;
  std::map<std::string, std::string> tags;
  std::vector<AskedLogDelivery> log_deliveries;
  AskedTopic topic;
};

// Where and as what a resource is created: all that a rule may not find out by itself.
struct CreationContext {
  std::string account;
  std::string region;
  std::string incarnation;
  UnixMillis now = 0;
  std::vector<std::string> zones;  // of the subnet group, else of the region
};

// The desired cluster, status creating, or the first rule that the request breaks.
ApiResult<CacheCluster> BuildCacheCluster(const NewCacheCluster& asked,
                                          const CreationContext& context);

// Errors: kInvalidParameterValue outside 1024 to 65535.
ApiResult<int64_t> PortOf(std::optional<int64_t> asked, EngineKind kind);

std::string ToJson(const CacheCluster& cluster);
Result<CacheCluster> CacheClusterFromJson(std::string_view text);

}  // namespace mikura::control
