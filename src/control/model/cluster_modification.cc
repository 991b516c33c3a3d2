// SPDX-License-Identifier: Apache-2.0
#include "control/model/cluster_modification.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/numbers.h"
#include "control/model/cache_parameter_group.h"
#include "control/model/engine_version.h"
#include "control/model/identifiers.h"
#include "control/model/node_type.h"
#include "control/model/snapshot.h"
#include "control/model/snapshot_schedule.h"

namespace mikura::control {
namespace {

// As ElastiCache has them.
constexpr int64_t kScalePercentageMin = 10;
constexpr int64_t kScalePercentageDefault = 20;
constexpr int64_t kScaleIntervalMin = 2;
constexpr int64_t kScaleIntervalMax = 30;
constexpr int64_t kScaleIntervalDefault = 5;

ApiError Value(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

ApiError Combination(std::string message) {
  return {ApiErrorCode::kInvalidParameterCombination, std::move(message)};
}

ApiError State(std::string message) {
  return {ApiErrorCode::kInvalidCacheClusterState, std::move(message)};
}

const CacheNode* FindNode(const CacheCluster& cluster, const std::string& id) {
  for (const CacheNode& node : cluster.nodes) {
    if (node.id == id) return &node;
  }
  return nullptr;
}

ApiResult<> CheckAvailable(const CacheCluster& cluster) {
  if (cluster.status == kStatusAvailable) return Ok();
  return State(
      fmt::format("Cache cluster {} is not available: it is {}.", cluster.id, cluster.status));
}

ApiResult<> CheckChangeable(const CacheCluster& cluster) {
  if (!cluster.replication_group.empty()) {
    return State(
        fmt::format("Cache cluster {} is a member of replication group {}: that is what "
                    "is changed.",
                    cluster.id, cluster.replication_group));
  }
  return CheckAvailable(cluster);
}

// Only where new nodes go; those that are there stay.
ApiResult<> SetAzMode(const ClusterModification& asked, int64_t count, CacheCluster& cluster) {
  if (asked.az_mode.empty()) return Ok();
  if (asked.az_mode != "single-az" && asked.az_mode != "cross-az") {
    return Value(fmt::format("AZMode must be single-az or cross-az, not {}.", asked.az_mode));
  }
  const bool cross = asked.az_mode == "cross-az";
  if (cross && !cluster.IsMemcached()) {
    return Combination("AZMode cross-az is supported for memcached only.");
  }
  if (cross && count == 1) return Combination("AZMode cross-az needs more than one cache node.");
  if (!cross && cluster.PreferredZone() == "Multiple") {
    return Combination(
        "AZMode single-az is not possible: the cluster has nodes in different availability zones.");
  }
  cluster.spreads = cross;
  return Ok();
}

// One zone for each node that is added: as named, or the least used, or that of the others.
ApiResult<std::vector<std::string>> PlaceAdded(const std::vector<std::string>& wanted, size_t count,
                                               const std::vector<std::string>& zones,
                                               const CacheCluster& cluster) {
  if (!wanted.empty() && wanted.size() != count) {
    return Combination(
        fmt::format("{} availability zones were given for {} new nodes: the counts must be equal.",
                    wanted.size(), count));
  }
  const bool spreads = cluster.spreads || cluster.PreferredZone() == "Multiple";
  std::map<std::string, int> used;
  for (const CacheNode& node : cluster.nodes) ++used[node.zone];
  std::vector<std::string> placed;
  for (size_t i = 0; i < count; ++i) {
    std::string zone = cluster.nodes.front().zone;
    if (!wanted.empty()) {
      zone = wanted[i];
    } else if (spreads) {
      zone = *std::min_element(zones.begin(), zones.end(),
                               [&](const auto& a, const auto& b) { return used[a] < used[b]; });
    }
    if (std::find(zones.begin(), zones.end(), zone) == zones.end()) {
      return Value(
          fmt::format("{} is not a valid availability zone here: the subnet group or "
                      "region has {}.",
                      zone, fmt::join(zones, ", ")));
    }
    if (!spreads && zone != cluster.nodes.front().zone) {
      return Combination("Several availability zones need AZMode cross-az.");
    }
    ++used[zone];
    placed.push_back(zone);
  }
  return placed;
}

ApiResult<> CheckRemoved(const ClusterModification& asked, size_t surplus,
                         const CacheCluster& cluster) {
  const std::set<std::string> distinct(asked.removed_nodes.begin(), asked.removed_nodes.end());
  for (const std::string& id : distinct) {
    if (FindNode(cluster, id) != nullptr) continue;
    return Value(fmt::format("Cache cluster {} has no cache node {}.", cluster.id, id));
  }
  if (distinct.size() == surplus && asked.removed_nodes.size() == surplus) return Ok();
  return Combination(
      fmt::format("CacheNodeIdsToRemove must name as many nodes as NumCacheNodes is less than the "
                  "number of nodes: {} different ones, not {}.",
                  surplus, asked.removed_nodes.size()));
}

ApiResult<> CheckCount(int64_t count, const CacheCluster& cluster) {
  if (!cluster.IsMemcached()) {
    if (count == 1) return Ok();
    return Value(fmt::format("NumCacheNodes must be 1 for {}: use a replication group for more.",
                             cluster.engine));
  }
  if (count >= 1 && count <= kMemcachedNodesMax) return Ok();
  return Value(
      fmt::format("NumCacheNodes must be between 1 and {} for memcached.", kMemcachedNodesMax));
}

// Replaces what was pending.
ApiResult<> SetPendingNodes(const ClusterModification& asked, const std::vector<std::string>& zones,
                            CacheCluster& cluster) {
  const auto now = static_cast<int64_t>(cluster.nodes.size());
  const int64_t wanted = asked.node_count.value_or(now);
  if (asked.node_count) RETURN_IF_ERROR(CheckCount(wanted, cluster));
  RETURN_IF_ERROR(SetAzMode(asked, wanted, cluster));
  if (!asked.new_zones.empty() && wanted <= now) {
    return Combination("NewAvailabilityZones needs a NumCacheNodes that adds cache nodes.");
  }
  if (!asked.removed_nodes.empty() && wanted >= now) {
    return Combination("CacheNodeIdsToRemove needs a NumCacheNodes that removes cache nodes.");
  }
  if (!asked.node_count) return Ok();
  PendingNodes pending;
  if (wanted != now) pending.count = wanted;
  if (wanted < now) {
    RETURN_IF_ERROR(CheckRemoved(asked, static_cast<size_t>(now - wanted), cluster));
    pending.removed = asked.removed_nodes;
  } else if (wanted > now) {
    ASSIGN_OR_RETURN(pending.zones, PlaceAdded(asked.new_zones, static_cast<size_t>(wanted - now),
                                               zones, cluster));
  }
  cluster.pending_nodes = std::move(pending);
  return Ok();
}

ApiResult<> SetRetention(const ClusterModification& asked, CacheCluster& cluster) {
  if (!asked.snapshot_retention_limit) return Ok();
  ASSIGN_OR_RETURN(const int64_t days, RetentionLimitOf(*asked.snapshot_retention_limit));
  if (days > 0 && cluster.IsMemcached()) {
    return Combination("SnapshotRetentionLimit is not supported for memcached.");
  }
  cluster.snapshot_retention_limit = days;
  if (days > 0 && cluster.snapshot_window.empty()) {
    cluster.snapshot_window = DefaultSnapshotWindow(cluster.id);
  }
  return Ok();
}

ApiResult<> SetAttributes(const ClusterModification& asked, CacheCluster& cluster) {
  if (!asked.maintenance_window.empty()) {
    ASSIGN_OR_RETURN(cluster.maintenance_window, MaintenanceWindowOf(asked.maintenance_window));
  }
  if (!asked.snapshot_window.empty()) {
    if (cluster.IsMemcached()) {
      return Combination("SnapshotWindow is not supported for memcached.");
    }
    ASSIGN_OR_RETURN(cluster.snapshot_window, SnapshotWindowOf(asked.snapshot_window));
  }
  if (asked.auto_minor_version_upgrade) {
    cluster.auto_minor_version_upgrade = *asked.auto_minor_version_upgrade;
  }
  RETURN_IF_ERROR(SetTopic(asked.topic, cluster.account, cluster.region, cluster.topic));
  return SetRetention(asked, cluster);
}

ApiResult<> SetScale(const ClusterModification& asked, CacheCluster& cluster) {
  const bool is_asked = asked.scale_percentage || asked.scale_interval_minutes;
  if (is_asked && !cluster.IsMemcached()) {
    return Combination("ScaleConfig is supported for memcached only.");
  }
  if (is_asked && asked.node_type.empty()) {
    return Combination("ScaleConfig needs a CacheNodeType that the cache nodes are to get.");
  }
  if (cluster.pending_node_type.empty() || !cluster.IsMemcached()) {
    cluster.pending_scale = {};
    return Ok();
  }
  if (asked.node_type.empty()) return Ok();
  const ScaleConfig scale{asked.scale_percentage.value_or(kScalePercentageDefault),
                          asked.scale_interval_minutes.value_or(kScaleIntervalDefault)};
  if (scale.percentage < kScalePercentageMin || scale.percentage > 100) {
    return Value(fmt::format("ScalePercentage must be between {} and 100.", kScalePercentageMin));
  }
  if (scale.interval_minutes < kScaleIntervalMin || scale.interval_minutes > kScaleIntervalMax) {
    return Value(fmt::format("ScaleIntervalMinutes must be between {} and {}.", kScaleIntervalMin,
                             kScaleIntervalMax));
  }
  cluster.pending_scale = scale;
  return Ok();
}

ApiResult<> SetNodeType(const ClusterModification& asked, CacheCluster& cluster) {
  if (!asked.node_type.empty()) {
    ASSIGN_OR_RETURN(const NodeType type, NodeTypeOf(asked.node_type));
    const bool changes = type.name != cluster.node_type;
    const auto count = static_cast<int64_t>(cluster.nodes.size());
    if (changes && asked.node_count.value_or(count) != count) {
      return Combination(
          "CacheNodeType and NumCacheNodes cannot be modified at once: modify one, then the "
          "other.");
    }
    cluster.pending_node_type = changes ? type.name : "";
  }
  return SetScale(asked, cluster);
}

// Replaces what was pending. Another engine without a version is the newest one of it.
ApiResult<> SetPendingVersion(const ClusterModification& asked, const EngineVersion& now,
                              CacheCluster& cluster) {
  if (asked.engine.empty() && asked.engine_version.empty()) return Ok();
  const std::string engine = asked.engine.empty() ? cluster.engine : ToLower(asked.engine);
  const bool stays = engine == cluster.engine && asked.engine_version.empty();
  ASSIGN_OR_RETURN(const EngineVersion wanted,
                   EngineVersionOf(engine, stays ? now.full_version : asked.engine_version));
  RETURN_IF_ERROR(CheckUpgrade(now, wanted));
  const bool changes = wanted.full_version != now.full_version || wanted.kind != now.kind;
  cluster.pending_engine = wanted.kind != now.kind ? wanted.engine : "";
  cluster.pending_engine_version = changes ? wanted.full_version : "";
  cluster.pending_parameter_group.clear();
  return Ok();
}

// A version of another family comes with a parameter group of that family: the one named, or its
// default.
ApiResult<> SetVersion(const ClusterModification& asked, CacheCluster& cluster) {
  ASSIGN_OR_RETURN(const EngineVersion now,
                   EngineVersionOf(cluster.engine, cluster.engine_version));
  RETURN_IF_ERROR(SetPendingVersion(asked, now, cluster));
  const std::string& pending = cluster.pending_engine_version;
  ASSIGN_OR_RETURN(
      const EngineVersion next,
      EngineVersionOf(cluster.pending_engine.empty() ? cluster.engine : cluster.pending_engine,
                      pending.empty() ? now.full_version : pending));
  std::string& group = pending.empty() ? cluster.parameter_group : cluster.pending_parameter_group;
  if (!asked.parameter_group.empty()) {
    ASSIGN_OR_RETURN(group, ParameterGroupOf(asked.parameter_group, next, asked.parameter_family));
    return Ok();
  }
  if (next.parameter_family == now.parameter_family || !group.empty()) return Ok();
  if (cluster.parameter_group != DefaultParameterGroup(now)) {
    return Combination(
        fmt::format("The parameter group {} is not of family {}: name one that is in "
                    "CacheParameterGroupName.",
                    cluster.parameter_group, next.parameter_family));
  }
  group = DefaultParameterGroup(next);
  return Ok();
}

}  // namespace

ApiResult<> ModifyCluster(const ClusterModification& asked, const std::vector<std::string>& zones,
                          UnixMillis now, CacheCluster& cluster) {
  RETURN_IF_ERROR(CheckChangeable(cluster));
  RETURN_IF_ERROR(SetVersion(asked, cluster));
  RETURN_IF_ERROR(SetNodeType(asked, cluster));
  RETURN_IF_ERROR(SetAttributes(asked, cluster));
  RETURN_IF_ERROR(SetPendingNodes(asked, zones, cluster));
  ASSIGN_OR_RETURN(const EngineVersion version,
                   EngineVersionOf(cluster.engine, cluster.engine_version));
  RETURN_IF_ERROR(ChangeLogDeliveries(asked.log_deliveries, asked.immediately, version,
                                      cluster.log_deliveries));
  if (asked.immediately) ApplyPending(cluster, now);
  return Ok();
}

void ApplyPendingNodes(CacheCluster& cluster, UnixMillis now) {
  const PendingNodes pending = std::move(cluster.pending_nodes);
  cluster.pending_nodes = {};
  if (pending.count == 0) return;
  cluster.status = kStatusModifying;
  for (CacheNode& node : cluster.nodes) {
    const bool leaves =
        std::find(pending.removed.begin(), pending.removed.end(), node.id) != pending.removed.end();
    if (leaves) node.status = kStatusDeleting;
  }
  if (!pending.removed.empty()) ++cluster.membership_version;
  int64_t ordinal = 1;
  for (const std::string& zone : pending.zones) {
    while (FindNode(cluster, FourDigits(ordinal)) != nullptr) ++ordinal;
    cluster.nodes.push_back({.id = FourDigits(ordinal),
                             .zone = zone,
                             .status = std::string(kStatusCreating),
                             .endpoint = {},
                             .created_at = now});
  }
  std::sort(cluster.nodes.begin(), cluster.nodes.end(),
            [](const CacheNode& a, const CacheNode& b) { return a.id < b.id; });
}

void ApplyPending(CacheCluster& cluster, UnixMillis now) {
  ApplyPendingNodes(cluster, now);
  if (!cluster.HasPendingChange()) return;
  cluster.status = kStatusModifying;
  for (CacheNode& node : cluster.nodes) {
    if (node.status == kStatusDeleting) continue;
    if (node.status != kStatusCreating) node.status = kStatusModifying;
    node.version_change = cluster.IsMemcached() ? kVersionChangeWaits : kVersionChangeAsked;
  }
}

void TakePendingChange(CacheCluster& cluster) {
  if (!cluster.pending_node_type.empty()) cluster.node_type = cluster.pending_node_type;
  cluster.pending_node_type.clear();
  cluster.pending_scale = {};
  if (cluster.pending_engine_version.empty()) return;
  if (!cluster.pending_engine.empty()) cluster.engine = cluster.pending_engine;
  cluster.engine_version = cluster.pending_engine_version;
  if (!cluster.pending_parameter_group.empty()) {
    cluster.parameter_group = cluster.pending_parameter_group;
  }
  cluster.pending_engine.clear();
  cluster.pending_engine_version.clear();
  cluster.pending_parameter_group.clear();
}

ApiResult<> RebootNodes(const std::vector<std::string>& nodes, CacheCluster& cluster) {
  RETURN_IF_ERROR(CheckAvailable(cluster));
  if (nodes.empty()) return Value("CacheNodeIdsToReboot must name at least one cache node.");
  for (const std::string& id : nodes) {
    if (FindNode(cluster, id) != nullptr) continue;
    return Value(fmt::format("Cache cluster {} has no cache node {}.", cluster.id, id));
  }
  for (CacheNode& node : cluster.nodes) {
    if (std::find(nodes.begin(), nodes.end(), node.id) == nodes.end()) continue;
    node.status = kStatusRebooting;
    node.reboot = kRebootAsked;
  }
  cluster.status = kStatusRebooting;
  return Ok();
}

}  // namespace mikura::control
