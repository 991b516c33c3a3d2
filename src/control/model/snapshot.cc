// SPDX-License-Identifier: Apache-2.0
#include "control/model/snapshot.h"

#include <fmt/format.h>

#include "control/model/arn.h"
#include "control/model/identifiers.h"
#include "control/model/record_json.h"

namespace mikura::control {
namespace {

constexpr int64_t kRetentionDaysMax = 35;

Snapshot Begun(const NewSnapshot& asked) {
  Snapshot snapshot;
  snapshot.name = asked.name;
  snapshot.incarnation = asked.incarnation;
  snapshot.status = kStatusCreating;
  snapshot.source = asked.source;
  snapshot.created_at = asked.now;
  snapshot.vpc_id = asked.vpc_id;
  snapshot.tags = asked.tags;
  return snapshot;
}

void DescribeNode(const CacheCluster& cluster, Snapshot& snapshot) {
  snapshot.account = cluster.account;
  snapshot.region = cluster.region;
  snapshot.node_type = cluster.node_type;
  snapshot.engine = cluster.engine;
  snapshot.engine_version = cluster.engine_version;
  snapshot.node_count = static_cast<int64_t>(cluster.nodes.size());
  snapshot.preferred_zone = cluster.PreferredZone();
  snapshot.cluster_created_at = cluster.created_at;
  snapshot.maintenance_window = cluster.maintenance_window;
  snapshot.topic_arn = cluster.topic.arn;
  snapshot.port = cluster.port;
  snapshot.parameter_group = cluster.parameter_group;
  snapshot.subnet_group = cluster.subnet_group;
  snapshot.auto_minor_version_upgrade = cluster.auto_minor_version_upgrade;
  snapshot.retention_limit = cluster.snapshot_retention_limit;
  snapshot.snapshot_window = cluster.snapshot_window;
}

}  // namespace

template <typename Visitor>
void VisitFields(Visitor& visit, NodeSnapshot& node) {
  visit("cluster_id", node.cluster_id);
  visit("node_group_id", node.node_group_id);
  visit("cache_node_id", node.cache_node_id);
  visit("bytes", node.bytes);
  visit("node_created_at", node.node_created_at);
  visit("made_at", node.made_at);
}

template <typename Visitor>
void VisitFields(Visitor& visit, SnapshotWork& work) {
  visit("attempt", work.attempt);
  visit("node_id", work.node_id);
  visit("process_id", work.process_id);
  visit("epoch", work.epoch);
  visit("primary_run", work.primary_run);
}

template <typename Visitor>
void VisitFields(Visitor& visit, Snapshot& snapshot) {
  visit("name", snapshot.name);
  visit("incarnation", snapshot.incarnation);
  visit("account", snapshot.account);
  visit("region", snapshot.region);
  visit("status", snapshot.status);
  visit("source", snapshot.source);
  visit("created_at", snapshot.created_at);
  visit("tags", snapshot.tags);
  visit("replication_group", snapshot.replication_group);
  visit("replication_group_description", snapshot.replication_group_description);
  visit("cache_cluster", snapshot.cache_cluster);
  visit("source_incarnation", snapshot.source_incarnation);
  visit("node_type", snapshot.node_type);
  visit("engine", snapshot.engine);
  visit("engine_version", snapshot.engine_version);
  visit("node_count", snapshot.node_count);
  visit("preferred_zone", snapshot.preferred_zone);
  visit("cluster_created_at", snapshot.cluster_created_at);
  visit("maintenance_window", snapshot.maintenance_window);
  visit("topic_arn", snapshot.topic_arn);
  visit("port", snapshot.port);
  visit("parameter_group", snapshot.parameter_group);
  visit("subnet_group", snapshot.subnet_group);
  visit("vpc_id", snapshot.vpc_id);
  visit("auto_minor_version_upgrade", snapshot.auto_minor_version_upgrade);
  visit("retention_limit", snapshot.retention_limit);
  visit("snapshot_window", snapshot.snapshot_window);
  visit("automatic_failover", snapshot.automatic_failover);
  visit("nodes", snapshot.nodes);
  visit("work", snapshot.work);
  visit("copied_from", snapshot.copied_from);
  visit("export_to", snapshot.export_to);
  visit("failure", snapshot.failure);
}

std::string Snapshot::ArnOf() const { return ArnText({account, region, "snapshot", name}); }

Snapshot SnapshotOf(const ReplicationGroup& group, const std::vector<CacheCluster>& members,
                    std::string_view wanted, const NewSnapshot& asked) {
  Snapshot snapshot = Begun(asked);
  if (!members.empty()) DescribeNode(members.front(), snapshot);
  snapshot.account = group.account;
  snapshot.region = group.region;
  snapshot.replication_group = group.id;
  snapshot.replication_group_description = group.description;
  snapshot.cache_cluster = wanted;
  snapshot.source_incarnation = group.incarnation;
  snapshot.retention_limit = group.snapshot_retention_limit;
  snapshot.snapshot_window = group.snapshot_window;
  snapshot.automatic_failover = group.automatic_failover;
  snapshot.nodes = {{.cluster_id = std::string(wanted),
                     .node_group_id = std::string(kOnlyShard),
                     .cache_node_id = FourDigits(1)}};
  return snapshot;
}

Snapshot SnapshotOf(const CacheCluster& cluster, const NewSnapshot& asked) {
  Snapshot snapshot = Begun(asked);
  DescribeNode(cluster, snapshot);
  snapshot.cache_cluster = cluster.id;
  snapshot.source_incarnation = cluster.incarnation;
  snapshot.nodes = {{.cluster_id = cluster.id,
                     .node_group_id = "",
                     .cache_node_id = cluster.nodes.front().id,
                     .bytes = 0,
                     .node_created_at = cluster.nodes.front().created_at}};
  return snapshot;
}

ApiResult<int64_t> RetentionLimitOf(int64_t days) {
  if (days >= 0 && days <= kRetentionDaysMax) return days;
  return ApiError{
      ApiErrorCode::kInvalidParameterValue,
      fmt::format("SnapshotRetentionLimit must be between 0 and {} days.", kRetentionDaysMax)};
}

std::string DataOfSnapshot(std::string_view incarnation) {
  return fmt::format("snapshot:{}", incarnation);
}

std::string DataOfBucket(std::string_view key) { return fmt::format("bucket:{}", key); }

std::string ToJson(const Snapshot& snapshot) { return RecordToJson(snapshot); }

Result<Snapshot> SnapshotFromJson(std::string_view text) {
  return RecordFromJson<Snapshot>("snapshot", text);
}

}  // namespace mikura::control
