// SPDX-License-Identifier: Apache-2.0
#include "control/model/cache_cluster.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.h"
#include "control/model/arn.h"
#include "control/model/cache_parameter_group.h"
#include "control/model/identifiers.h"
#include "control/model/maintenance_window.h"
#include "control/model/node.h"
#include "control/model/node_type.h"
#include "control/model/placement.h"
#include "control/model/record_json.h"
#include "control/model/snapshot.h"
#include "control/model/snapshot_schedule.h"

namespace mikura::control {
namespace {

constexpr int64_t kPortMin = 1024;
constexpr int64_t kPortMax = 65535;
constexpr int64_t kFirstMemcachedWithTls = 12;  // 1.6.12

ApiError Value(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

ApiError Combination(std::string message) {
  return {ApiErrorCode::kInvalidParameterCombination, std::move(message)};
}

ApiResult<> CheckNodeCount(int64_t count, EngineKind kind) {
  if (kind == EngineKind::kMemcached) {
    if (count >= 1 && count <= kMemcachedNodesMax) return Ok();
    return Value(
        fmt::format("NumCacheNodes must be between 1 and {} for memcached.", kMemcachedNodesMax));
  }
  if (count == 1) return Ok();
  return Value("NumCacheNodes must be 1 for redis and valkey: use a replication group for more.");
}

// az-mode and the zones of memcached, the one zone of the others.
ApiResult<std::vector<std::string>> PlaceClusterNodes(const NewCacheCluster& asked,
                                                      const CreationContext& context, int64_t count,
                                                      EngineKind kind) {
  if (!asked.az_mode.empty() && asked.az_mode != "single-az" && asked.az_mode != "cross-az") {
    return Value(fmt::format("AZMode must be single-az or cross-az, not {}.", asked.az_mode));
  }
  const bool cross = asked.az_mode == "cross-az";
  if (cross && kind != EngineKind::kMemcached) {
    return Combination("AZMode cross-az is supported for memcached only.");
  }
  if (cross && count == 1) {
    return Combination("AZMode cross-az needs more than one cache node.");
  }
  std::vector<std::string> wanted = asked.preferred_zones;
  if (!wanted.empty() && !asked.preferred_zone.empty()) {
    return Combination(
        "PreferredAvailabilityZone and PreferredAvailabilityZones exclude each other.");
  }
  if (!asked.preferred_zone.empty() && asked.preferred_zone != "Multiple") {
    if (cross) {
      return Combination(
          "AZMode cross-az and a single PreferredAvailabilityZone exclude each other.");
    }
    wanted.assign(static_cast<size_t>(count), asked.preferred_zone);
  }
  const bool differ = std::any_of(wanted.begin(), wanted.end(),
                                  [&](const std::string& zone) { return zone != wanted.front(); });
  if (differ && !cross) return Combination("Several availability zones need AZMode cross-az.");
  if (cross && !wanted.empty() && !differ) {
    return Combination("AZMode cross-az needs more than one availability zone.");
  }
  return PlaceNodes(count, wanted, context.zones, cross);
}

ApiResult<> SetWindows(const NewCacheCluster& asked, EngineKind kind, CacheCluster& cluster) {
  cluster.maintenance_window = AssignedMaintenanceWindow(cluster.id);
  if (!asked.maintenance_window.empty()) {
    ASSIGN_OR_RETURN(cluster.maintenance_window, MaintenanceWindowOf(asked.maintenance_window));
  }
  if (!asked.snapshot_window.empty()) {
    if (kind == EngineKind::kMemcached) {
      return Combination("SnapshotWindow is not supported for memcached.");
    }
    ASSIGN_OR_RETURN(cluster.snapshot_window, SnapshotWindowOf(asked.snapshot_window));
  }
  ASSIGN_OR_RETURN(cluster.snapshot_retention_limit,
                   RetentionLimitOf(asked.snapshot_retention_limit));
  if (cluster.snapshot_retention_limit == 0) return Ok();
  if (kind == EngineKind::kMemcached) {
    return ApiError{ApiErrorCode::kSnapshotFeatureNotSupportedFault,
                    "Snapshots are not supported for memcached."};
  }
  if (cluster.snapshot_window.empty()) cluster.snapshot_window = DefaultSnapshotWindow(cluster.id);
  return Ok();
}

// Of redis and valkey it is a replication group that has TLS, also with a single node.
ApiResult<> CheckTls(const NewCacheCluster& asked, const EngineVersion& version) {
  if (!asked.serves_tls) return Ok();
  if (version.kind != EngineKind::kMemcached) {
    return Value(
        fmt::format("Encryption features are not supported for engine {}: use a "
                    "replication group.",
                    version.engine));
  }
  const auto patch = ParseInt64(version.version.substr(version.version.rfind('.') + 1));
  if (patch && *patch >= kFirstMemcachedWithTls) return Ok();
  return Combination(
      fmt::format("In-transit encryption is supported for memcached 1.6.{} and later, "
                  "not for {}.",
                  kFirstMemcachedWithTls, version.version));
}

}  // namespace

template <typename Visitor>
void VisitFields(Visitor& visit, CacheNode& node) {
  visit("id", node.id);
  visit("zone", node.zone);
  visit("status", node.status);
  visit("endpoint", node.endpoint);
  visit("created_at", node.created_at);
  visit("generation", node.generation);
  visit("reboot", node.reboot);
  visit("version_change", node.version_change);
}

template <typename Visitor>
void VisitFields(Visitor& visit, PendingNodes& pending) {
  visit("count", pending.count);
  visit("removed", pending.removed);
  visit("zones", pending.zones);
}

template <typename Visitor>
void VisitFields(Visitor& visit, ScaleConfig& scale) {
  visit("percentage", scale.percentage);
  visit("interval_minutes", scale.interval_minutes);
}

template <typename Visitor>
void VisitFields(Visitor& visit, CacheCluster& cluster) {
  visit("id", cluster.id);
  visit("incarnation", cluster.incarnation);
  visit("account", cluster.account);
  visit("region", cluster.region);
  visit("status", cluster.status);
  visit("engine", cluster.engine);
  visit("engine_version", cluster.engine_version);
  visit("node_type", cluster.node_type);
  visit("port", cluster.port);
  visit("replication_group", cluster.replication_group);
  visit("parameter_group", cluster.parameter_group);
  visit("subnet_group", cluster.subnet_group);
  visit("security_groups", cluster.security_groups);
  visit("maintenance_window", cluster.maintenance_window);
  visit("snapshot_window", cluster.snapshot_window);
  visit("snapshot_retention_limit", cluster.snapshot_retention_limit);
  visit("active_snapshot", cluster.active_snapshot);
  visit("data_source", cluster.data_source);
  visit("auto_minor_version_upgrade", cluster.auto_minor_version_upgrade);
  visit("pending_node_type", cluster.pending_node_type);
  visit("pending_scale", cluster.pending_scale);
  visit("pending_engine", cluster.pending_engine);
  visit("pending_engine_version", cluster.pending_engine_version);
  visit("pending_parameter_group", cluster.pending_parameter_group);
  visit("tags", cluster.tags);
  visit("created_at", cluster.created_at);
  visit("nodes", cluster.nodes);
  visit("pending_nodes", cluster.pending_nodes);
  visit("spreads", cluster.spreads);
  visit("configuration_endpoint", cluster.configuration_endpoint);
  visit("membership_version", cluster.membership_version);
  visit("held_keys", cluster.held_keys);
  visit("serves_tls", cluster.serves_tls);
  visit("access", cluster.access);
  visit("auth_token_changed_at", cluster.auth_token_changed_at);
  visit("log_deliveries", cluster.log_deliveries);
  visit("topic", cluster.topic);
}

std::string CacheCluster::PreferredZone() const {
  for (const CacheNode& node : nodes) {
    if (node.zone != nodes.front().zone) return "Multiple";
  }
  return nodes.empty() ? std::string() : nodes.front().zone;
}

std::string CacheCluster::ArnOf() const { return ArnText({account, region, "cluster", id}); }

std::string CacheCluster::NodeId(const CacheNode& node) const {
  const std::string first = NodeIdOf(id, node.id, !IsMemcached(), incarnation);
  return node.generation == 1 ? first : fmt::format("{}-{}", first, node.generation);
}

bool CacheCluster::IsNodeId(const CacheNode& node, std::string_view node_id) const {
  CacheNode next = node;
  ++next.generation;
  return node_id == NodeId(node) || node_id == NodeId(next);
}

ApiResult<int64_t> PortOf(std::optional<int64_t> asked, EngineKind kind) {
  const int64_t port = asked.value_or(DefaultPort(kind));
  if (port >= kPortMin && port <= kPortMax) return port;
  return Value(fmt::format("Port must be between {} and {}.", kPortMin, kPortMax));
}

ApiResult<CacheCluster> BuildCacheCluster(const NewCacheCluster& asked,
                                          const CreationContext& context) {
  CacheCluster cluster;
  ASSIGN_OR_RETURN(cluster.id, CacheClusterIdOf(asked.id));
  if (asked.engine.empty()) return Value("The parameter Engine must be given.");
  ASSIGN_OR_RETURN(const EngineVersion version,
                   EngineVersionOf(asked.engine, asked.engine_version));
  if (asked.node_type.empty()) return Value("The parameter CacheNodeType must be given.");
  ASSIGN_OR_RETURN(const NodeType type, NodeTypeOf(asked.node_type));
  if (!asked.node_count) return Value("The parameter NumCacheNodes must be given.");
  RETURN_IF_ERROR(CheckNodeCount(*asked.node_count, version.kind));
  RETURN_IF_ERROR(CheckTls(asked, version));
  RETURN_IF_ERROR(SetLogDeliveries(asked.log_deliveries, version, cluster.log_deliveries));
  RETURN_IF_ERROR(SetTopic(asked.topic, context.account, context.region, cluster.topic));
  ASSIGN_OR_RETURN(cluster.port, PortOf(asked.port, version.kind));
  ASSIGN_OR_RETURN(cluster.parameter_group,
                   ParameterGroupOf(asked.parameter_group, version, asked.parameter_family));
  ASSIGN_OR_RETURN(const std::vector<std::string> zones,
                   PlaceClusterNodes(asked, context, *asked.node_count, version.kind));
  RETURN_IF_ERROR(SetWindows(asked, version.kind, cluster));
  cluster.incarnation = context.incarnation;
  cluster.account = context.account;
  cluster.region = context.region;
  cluster.status = kStatusCreating;
  cluster.engine = version.engine;
  cluster.engine_version = version.full_version;
  cluster.node_type = type.name;
  cluster.subnet_group = asked.subnet_group;
  cluster.security_groups = asked.security_groups;
  cluster.data_source = asked.data_source;
  cluster.spreads = asked.az_mode == "cross-az";
  cluster.serves_tls = asked.serves_tls;
  cluster.auto_minor_version_upgrade = asked.auto_minor_version_upgrade;
  cluster.tags = asked.tags;
  cluster.created_at = context.now;
  for (size_t i = 0; i < zones.size(); ++i) {
    cluster.nodes.push_back({.id = FourDigits(static_cast<int64_t>(i) + 1),
                             .zone = zones[i],
                             .status = std::string(kStatusCreating),
                             .created_at = context.now});
  }
  return cluster;
}

std::string ToJson(const CacheCluster& cluster) { return RecordToJson(cluster); }

Result<CacheCluster> CacheClusterFromJson(std::string_view text) {
  return RecordFromJson<CacheCluster>("cache cluster", text);
}

}  // namespace mikura::control
