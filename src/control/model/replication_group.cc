// SPDX-License-Identifier: Apache-2.0
#include "control/model/replication_group.h"

#include <fmt/format.h>

#include "control/model/arn.h"
#include "control/model/cache_parameter_group.h"
#include "control/model/identifiers.h"
#include "control/model/maintenance_window.h"
#include "control/model/node_type.h"
#include "control/model/placement.h"
#include "control/model/record_json.h"
#include "control/model/replica_count.h"
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

// Primary and replicas together.
ApiResult<int64_t> NodeCountOf(const NewReplicationGroup& asked) {
  if (asked.cluster_count && (asked.node_group_count || asked.replicas_per_node_group)) {
    return Combination("NumCacheClusters excludes NumNodeGroups and ReplicasPerNodeGroup.");
  }
  if (asked.node_group_count && *asked.node_group_count < 1) {
    return Value("NumNodeGroups must be at least 1.");
  }
  if (asked.node_group_count.value_or(1) > 1) {
    return Value("NumNodeGroups greater than 1 is cluster mode, which is not available yet.");
  }
  const int64_t replicas =
      asked.cluster_count ? *asked.cluster_count - 1 : asked.replicas_per_node_group.value_or(0);
  if (replicas >= 0 && replicas <= kReplicasMax) return replicas + 1;
  if (asked.cluster_count) {
    return Value(fmt::format("NumCacheClusters must be between 1 and {}.", kReplicasMax + 1));
  }
  return Value(fmt::format("ReplicasPerNodeGroup must be between 0 and {}.", kReplicasMax));
}

ApiResult<> SetFailover(const NewReplicationGroup& asked, int64_t node_count,
                        ReplicationGroup& group) {
  group.automatic_failover = asked.automatic_failover.value_or(false);
  group.multi_az = asked.multi_az.value_or(false);
  if (group.automatic_failover && node_count < 2) {
    return Combination("Automatic failover needs at least one replica.");
  }
  if (group.multi_az && !group.automatic_failover) {
    return Combination("MultiAZEnabled needs AutomaticFailoverEnabled.");
  }
  return Ok();
}

ApiResult<EngineVersion> VersionOf(const NewReplicationGroup& asked) {
  const std::string engine = asked.engine.empty() ? "redis" : asked.engine;
  ASSIGN_OR_RETURN(const EngineVersion version, EngineVersionOf(engine, asked.engine_version));
  if (version.kind == EngineKind::kMemcached) {
    return Value("Engine must be redis or valkey for a replication group.");
  }
  return version;
}

// One member as a cluster of its own; the rules were checked for the group.
CacheCluster MemberOf(const ReplicationGroup& group, const NewReplicationGroup& asked,
                      int64_t ordinal, std::string zone) {
  CacheCluster member;
  member.id = MemberClusterId(group.id, ordinal);
  member.incarnation = group.incarnation;
  member.account = group.account;
  member.region = group.region;
  member.status = kStatusCreating;
  member.engine = group.engine;
  member.engine_version = group.engine_version;
  member.node_type = group.node_type;
  member.port = group.port;
  member.replication_group = group.id;
  member.subnet_group = asked.subnet_group;
  member.security_groups = asked.security_groups;
  member.auto_minor_version_upgrade = asked.auto_minor_version_upgrade;
  member.snapshot_window = group.snapshot_window;
  member.snapshot_retention_limit = group.snapshot_retention_limit;
  member.data_source = group.data_source;
  member.tags = group.tags;
  member.topic = group.topic;
  member.created_at = group.created_at;
  member.nodes.push_back({.id = FourDigits(1),
                          .zone = std::move(zone),
                          .status = std::string(kStatusCreating),
                          .created_at = group.created_at});
  return member;
}

}  // namespace

template <typename Visitor>
void VisitFields(Visitor& visit, PendingChanges& pending) {
  visit("node_type", pending.node_type);
  visit("engine", pending.engine);
  visit("engine_version", pending.engine_version);
  visit("parameter_group", pending.parameter_group);
  visit("primary_cluster", pending.primary_cluster);
  visit("automatic_failover", pending.automatic_failover);
}

template <typename Visitor>
void VisitFields(Visitor& visit, ReplicationGroup& group) {
  visit("id", group.id);
  visit("incarnation", group.incarnation);
  visit("account", group.account);
  visit("region", group.region);
  visit("description", group.description);
  visit("status", group.status);
  visit("engine", group.engine);
  visit("engine_version", group.engine_version);
  visit("node_type", group.node_type);
  visit("port", group.port);
  visit("automatic_failover", group.automatic_failover);
  visit("multi_az", group.multi_az);
  visit("snapshot_window", group.snapshot_window);
  visit("maintenance_window", group.maintenance_window);
  visit("snapshot_retention_limit", group.snapshot_retention_limit);
  visit("snapshotting_cluster", group.snapshotting_cluster);
  visit("active_snapshot", group.active_snapshot);
  visit("data_source", group.data_source);
  visit("auto_minor_version_upgrade", group.auto_minor_version_upgrade);
  visit("pending", group.pending);
  visit("applying", group.applying);
  visit("test_failover", group.test_failover);
  visit("tags", group.tags);
  visit("created_at", group.created_at);
  visit("member_clusters", group.member_clusters);
  visit("primary_endpoint", group.primary_endpoint);
  visit("reader_endpoint", group.reader_endpoint);
  visit("held_keys", group.held_keys);
  visit("access", group.access);
  visit("log_deliveries", group.log_deliveries);
  visit("topic", group.topic);
  visit("retained_cluster", group.retained_cluster);
}

std::string ReplicationGroup::ArnOf() const {
  return ArnText({account, region, "replicationgroup", id});
}

std::string ReplicationGroup::ShardKey() const {
  return fmt::format("{}-{}/{}", id, incarnation, kOnlyShard);
}

ApiResult<BuiltReplicationGroup> BuildReplicationGroup(const NewReplicationGroup& asked,
                                                       const CreationContext& context) {
  BuiltReplicationGroup built;
  ReplicationGroup& group = built.group;
  ASSIGN_OR_RETURN(group.id, ReplicationGroupIdOf(asked.id));
  if (asked.description.empty()) {
    return Value("The parameter ReplicationGroupDescription must be given.");
  }
  ASSIGN_OR_RETURN(const EngineVersion version, VersionOf(asked));
  if (asked.node_type.empty()) return Value("The parameter CacheNodeType must be given.");
  ASSIGN_OR_RETURN(const NodeType type, NodeTypeOf(asked.node_type));
  ASSIGN_OR_RETURN(const int64_t node_count, NodeCountOf(asked));
  RETURN_IF_ERROR(SetFailover(asked, node_count, group));
  ASSIGN_OR_RETURN(group.port, PortOf(asked.port, version.kind));
  ASSIGN_OR_RETURN(const std::string parameter_group,
                   ParameterGroupOf(asked.parameter_group, version, asked.parameter_family));
  ASSIGN_OR_RETURN(const std::vector<std::string> zones,
                   PlaceNodes(node_count, asked.preferred_zones, context.zones, true));
  RETURN_IF_ERROR(SetLogDeliveries(asked.log_deliveries, version, group.log_deliveries));
  RETURN_IF_ERROR(SetTopic(asked.topic, context.account, context.region, group.topic));
  if (!asked.maintenance_window.empty()) {
    ASSIGN_OR_RETURN(group.maintenance_window, MaintenanceWindowOf(asked.maintenance_window));
  }
  if (!asked.snapshot_window.empty()) {
    ASSIGN_OR_RETURN(group.snapshot_window, SnapshotWindowOf(asked.snapshot_window));
  }
  ASSIGN_OR_RETURN(group.snapshot_retention_limit,
                   RetentionLimitOf(asked.snapshot_retention_limit));
  if (group.snapshot_retention_limit > 0 && group.snapshot_window.empty()) {
    group.snapshot_window = DefaultSnapshotWindow(group.id);
  }
  group.data_source = asked.data_source;
  group.incarnation = context.incarnation;
  group.account = context.account;
  group.region = context.region;
  group.description = asked.description;
  group.status = kStatusCreating;
  group.engine = version.engine;
  group.engine_version = version.full_version;
  group.node_type = type.name;
  group.auto_minor_version_upgrade = asked.auto_minor_version_upgrade;
  group.tags = asked.tags;
  group.created_at = context.now;
  if (group.maintenance_window.empty()) {
    group.maintenance_window = AssignedMaintenanceWindow(context.incarnation);
  }
  for (int64_t ordinal = 1; ordinal <= node_count; ++ordinal) {
    CacheCluster member = MemberOf(group, asked, ordinal, zones[static_cast<size_t>(ordinal - 1)]);
    member.parameter_group = parameter_group;
    member.maintenance_window = group.maintenance_window;
    group.member_clusters.push_back(member.id);
    built.members.push_back(std::move(member));
  }
  return built;
}

std::string ToJson(const ReplicationGroup& group) { return RecordToJson(group); }

Result<ReplicationGroup> ReplicationGroupFromJson(std::string_view text) {
  return RecordFromJson<ReplicationGroup>("replication group", text);
}

}  // namespace mikura::control
