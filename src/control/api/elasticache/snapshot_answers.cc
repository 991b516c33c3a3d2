// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/snapshot_answers.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace mikura::control {
namespace {

constexpr int64_t kMegabyte = 1 << 20;

std::optional<std::string> UnlessEmpty(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

elasticache::NodeSnapshot NodeOf(const NodeSnapshot& node, bool show_configuration) {
  elasticache::NodeSnapshot wire;
  wire.cache_cluster_id = UnlessEmpty(node.cluster_id);
  wire.node_group_id = UnlessEmpty(node.node_group_id);
  wire.cache_node_id = node.cache_node_id;
  wire.cache_node_create_time = node.node_created_at;
  if (node.made_at != 0) {
    // In whole megabytes, as ElastiCache says it.
    wire.cache_size = fmt::format("{} MB", (node.bytes + kMegabyte - 1) / kMegabyte);
    wire.snapshot_create_time = node.made_at;
  }
  if (show_configuration && !node.node_group_id.empty()) {
    elasticache::NodeGroupConfiguration configuration;
    configuration.node_group_id = node.node_group_id;
    configuration.slots = "0-16383";
    wire.node_group_configuration = std::move(configuration);
  }
  return wire;
}

}  // namespace

elasticache::Snapshot ToWire(const Snapshot& snapshot, bool show_configuration) {
  elasticache::Snapshot wire;
  wire.snapshot_name = snapshot.name;
  wire.replication_group_id = UnlessEmpty(snapshot.replication_group);
  wire.replication_group_description = UnlessEmpty(snapshot.replication_group_description);
  wire.cache_cluster_id = UnlessEmpty(snapshot.cache_cluster);
  wire.snapshot_status = snapshot.status;
  wire.snapshot_source = snapshot.source;
  wire.cache_node_type = snapshot.node_type;
  wire.engine = snapshot.engine;
  wire.engine_version = snapshot.engine_version;
  wire.num_cache_nodes = static_cast<int32_t>(snapshot.node_count);
  wire.preferred_availability_zone = UnlessEmpty(snapshot.preferred_zone);
  wire.cache_cluster_create_time = snapshot.cluster_created_at;
  wire.preferred_maintenance_window = UnlessEmpty(snapshot.maintenance_window);
  wire.topic_arn = UnlessEmpty(snapshot.topic_arn);
  wire.port = static_cast<int32_t>(snapshot.port);
  wire.cache_parameter_group_name = UnlessEmpty(snapshot.parameter_group);
  wire.cache_subnet_group_name = UnlessEmpty(snapshot.subnet_group);
  wire.vpc_id = UnlessEmpty(snapshot.vpc_id);
  wire.auto_minor_version_upgrade = snapshot.auto_minor_version_upgrade;
  wire.snapshot_retention_limit = static_cast<int32_t>(snapshot.retention_limit);
  wire.snapshot_window = UnlessEmpty(snapshot.snapshot_window);
  if (!snapshot.replication_group.empty()) {
    wire.num_node_groups = static_cast<int32_t>(snapshot.nodes.size());
  }
  wire.automatic_failover = snapshot.automatic_failover ? "enabled" : "disabled";
  for (const NodeSnapshot& node : snapshot.nodes) {
    wire.node_snapshots.push_back(NodeOf(node, show_configuration));
  }
  wire.arn = snapshot.ArnOf();
  wire.data_tiering = "disabled";
  return wire;
}

}  // namespace mikura::control
