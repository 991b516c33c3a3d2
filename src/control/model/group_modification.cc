// SPDX-License-Identifier: Apache-2.0
#include "control/model/group_modification.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/numbers.h"
#include "control/model/cache_parameter_group.h"
#include "control/model/engine_version.h"
#include "control/model/identifiers.h"
#include "control/model/maintenance_window.h"
#include "control/model/node_type.h"
#include "control/model/snapshot.h"
#include "control/model/snapshot_schedule.h"

namespace mikura::control {
namespace {

ApiError Value(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

ApiError Combination(std::string message) {
  return {ApiErrorCode::kInvalidParameterCombination, std::move(message)};
}

// Later versions come later in the list of all.
ApiResult<> SetWindows(const GroupModification& asked, ReplicationGroup& group) {
  if (asked.maintenance_window) {
    ASSIGN_OR_RETURN(group.maintenance_window, MaintenanceWindowOf(*asked.maintenance_window));
  } else if (group.maintenance_window.empty()) {
    group.maintenance_window = AssignedMaintenanceWindow(group.incarnation);
  }
  if (asked.snapshot_window) {
    ASSIGN_OR_RETURN(group.snapshot_window, SnapshotWindowOf(*asked.snapshot_window));
  }
  return Ok();
}

ApiResult<> SetSnapshots(const GroupModification& asked, const std::vector<CacheCluster>& clusters,
                         ReplicationGroup& group) {
  if (asked.snapshotting_cluster) {
    const std::string id = ToLower(*asked.snapshotting_cluster);
    const bool is_member = std::any_of(clusters.begin(), clusters.end(),
                                       [&](const auto& cluster) { return cluster.id == id; });
    if (!is_member) {
      return Value(fmt::format("The cache cluster {} is not a member of replication group {}.",
                               *asked.snapshotting_cluster, group.id));
    }
    group.snapshotting_cluster = id;
  }
  if (!asked.snapshot_retention_limit) return Ok();
  ASSIGN_OR_RETURN(group.snapshot_retention_limit,
                   RetentionLimitOf(*asked.snapshot_retention_limit));
  if (group.snapshot_retention_limit > 0 && group.snapshot_window.empty()) {
    group.snapshot_window = DefaultSnapshotWindow(group.id);
  }
  return Ok();
}

// The rules hold for what the group is going to be.
ApiResult<> SetFailover(const GroupModification& asked, const std::vector<CacheCluster>& clusters,
                        ReplicationGroup& group) {
  PendingChanges& pending = group.pending;
  if (asked.automatic_failover) {
    const bool changes = *asked.automatic_failover != group.automatic_failover;
    pending.automatic_failover =
        !changes ? "" : (*asked.automatic_failover ? "enabled" : "disabled");
  }
  if (asked.multi_az) group.multi_az = *asked.multi_az;
  const bool failover = pending.automatic_failover.empty()
                            ? group.automatic_failover
                            : pending.automatic_failover == "enabled";
  if (asked.automatic_failover.value_or(false) && clusters.size() < 2) {
    return Combination("Automatic failover needs at least one replica.");
  }
  if (group.multi_az && !failover) {
    return Combination(asked.multi_az.value_or(false)
                           ? "MultiAZEnabled needs AutomaticFailoverEnabled."
                           : "Automatic failover cannot be disabled while Multi-AZ is enabled.");
  }
  if (asked.multi_az.value_or(false)) {
    const std::string zone = clusters.front().PreferredZone();
    const bool spread = std::any_of(clusters.begin(), clusters.end(), [&](const auto& cluster) {
      return cluster.PreferredZone() != zone;
    });
    if (!spread) return Combination("Multi-AZ needs nodes in at least two availability zones.");
  }
  return Ok();
}

ApiResult<> SetPrimary(const GroupModification& asked, const std::vector<CacheCluster>& clusters,
                       const std::string& primary, ReplicationGroup& group) {
  if (!asked.primary_cluster) return Ok();
  const std::string id = ToLower(*asked.primary_cluster);
  const bool is_member = std::any_of(clusters.begin(), clusters.end(),
                                     [&](const auto& cluster) { return cluster.id == id; });
  if (!is_member) {
    return Value(fmt::format("The cache cluster {} is not a member of replication group {}.",
                             *asked.primary_cluster, group.id));
  }
  group.pending.primary_cluster = id == primary ? "" : id;
  return Ok();
}

// Returns the version that the group is going to have.
ApiResult<EngineVersion> SetVersion(const GroupModification& asked, ReplicationGroup& group) {
  ASSIGN_OR_RETURN(const EngineVersion now, EngineVersionOf(group.engine, group.engine_version));
  if (!asked.engine && !asked.engine_version) return now;
  const std::string engine = asked.engine ? ToLower(*asked.engine) : group.engine;
  const bool same = engine == group.engine && !asked.engine_version;
  const std::string wanted = same ? group.engine_version : asked.engine_version.value_or("");
  ASSIGN_OR_RETURN(const EngineVersion next, EngineVersionOf(engine, wanted));
  RETURN_IF_ERROR(CheckUpgrade(now, next));
  const bool changes = next.full_version != now.full_version || next.kind != now.kind;
  group.pending.engine = changes ? next.engine : "";
  group.pending.engine_version = changes ? next.full_version : "";
  return next;
}

// A version of another family needs a group of that family: the one named, or its default.
ApiResult<> SetParameterGroup(const GroupModification& asked, const EngineVersion& version,
                              ReplicationGroup& group, std::vector<CacheCluster>& clusters) {
  ASSIGN_OR_RETURN(const EngineVersion now, EngineVersionOf(group.engine, group.engine_version));
  const std::string current = clusters.front().parameter_group;
  const bool stays = now.parameter_family == version.parameter_family;
  std::string name = stays ? current : DefaultParameterGroup(version);
  if (asked.parameter_group) {
    ASSIGN_OR_RETURN(name,
                     ParameterGroupOf(*asked.parameter_group, version, asked.parameter_family));
  } else if (!stays && current != DefaultParameterGroup(now)) {
    return Combination(
        fmt::format("The parameter group {} is not of family {}: name one that is in "
                    "CacheParameterGroupName.",
                    current, version.parameter_family));
  }
  if (!group.pending.engine_version.empty()) {
    group.pending.parameter_group = name;
    return Ok();
  }
  group.pending.parameter_group.clear();
  for (CacheCluster& cluster : clusters) cluster.parameter_group = name;
  return Ok();
}

ApiResult<> SetNodeType(const GroupModification& asked, ReplicationGroup& group) {
  if (!asked.node_type) return Ok();
  ASSIGN_OR_RETURN(const NodeType type, NodeTypeOf(*asked.node_type));
  group.pending.node_type = type.name == group.node_type ? "" : type.name;
  return Ok();
}

// What the members show of it.
void ShowInMembers(const GroupModification& asked, const ReplicationGroup& group,
                   std::vector<CacheCluster>& clusters) {
  for (CacheCluster& cluster : clusters) {
    if (asked.security_groups) cluster.security_groups = *asked.security_groups;
    cluster.maintenance_window = group.maintenance_window;
    cluster.snapshot_window = group.snapshot_window;
    cluster.snapshot_retention_limit = group.snapshot_retention_limit;
    cluster.auto_minor_version_upgrade = group.auto_minor_version_upgrade;
    cluster.pending_node_type = group.pending.node_type;
    cluster.pending_engine_version = group.pending.engine_version;
    cluster.topic = group.topic;
  }
}

}  // namespace

bool GroupModification::Empty() const {
  return !description && !primary_cluster && !automatic_failover && !multi_az && !security_groups &&
         !maintenance_window && !snapshot_window && !snapshot_retention_limit &&
         !snapshotting_cluster && !auto_minor_version_upgrade && !parameter_group && !node_type &&
         !engine && !engine_version && log_deliveries.empty() && topic.Empty();
}

ApiResult<> Modify(const GroupModification& asked, ReplicationGroup& group,
                   std::vector<CacheCluster>& clusters, const std::string& primary) {
  if (asked.Empty()) return Combination("No modifications were requested");
  if (asked.description && asked.description->empty()) {
    return Value("ReplicationGroupDescription must not be empty.");
  }
  RETURN_IF_ERROR(SetWindows(asked, group));
  RETURN_IF_ERROR(SetSnapshots(asked, clusters, group));
  RETURN_IF_ERROR(SetFailover(asked, clusters, group));
  RETURN_IF_ERROR(SetPrimary(asked, clusters, primary, group));
  RETURN_IF_ERROR(SetNodeType(asked, group));
  ASSIGN_OR_RETURN(const EngineVersion version, SetVersion(asked, group));
  RETURN_IF_ERROR(SetParameterGroup(asked, version, group, clusters));
  ASSIGN_OR_RETURN(const EngineVersion now, EngineVersionOf(group.engine, group.engine_version));
  RETURN_IF_ERROR(ChangeLogDeliveries(asked.log_deliveries, asked.apply_immediately, now,
                                      group.log_deliveries));
  RETURN_IF_ERROR(SetTopic(asked.topic, group.account, group.region, group.topic));
  if (asked.description) group.description = *asked.description;
  if (asked.auto_minor_version_upgrade) {
    group.auto_minor_version_upgrade = *asked.auto_minor_version_upgrade;
  }
  ShowInMembers(asked, group, clusters);
  if (!AreSettled(group.log_deliveries)) group.status = kStatusModifying;
  if (!asked.apply_immediately || group.pending.empty()) return Ok();
  group.applying = true;
  group.status = kStatusModifying;
  return Ok();
}

}  // namespace mikura::control
