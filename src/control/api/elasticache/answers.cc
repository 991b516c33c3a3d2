// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/answers.h"

#include <string>
#include <utility>

#include "control/api/elasticache/group_access_actions.h"
#include "control/api/elasticache/log_delivery_requests.h"

namespace mikura::control {
namespace {

constexpr char kIpv4[] = "ipv4";

std::optional<elasticache::Endpoint> EndpointOf(const Endpoint& endpoint) {
  if (endpoint.empty()) return std::nullopt;
  return elasticache::Endpoint{endpoint.address, static_cast<int32_t>(endpoint.port)};
}

std::optional<std::string> UnlessEmpty(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

std::string Switch(bool on) { return on ? "enabled" : "disabled"; }

elasticache::CacheNode NodeOf(const CacheNode& node) {
  elasticache::CacheNode wire;
  wire.cache_node_id = node.id;
  wire.cache_node_status = node.status;
  wire.cache_node_create_time = node.created_at;
  wire.endpoint = EndpointOf(node.endpoint);
  wire.parameter_group_status = "in-sync";
  wire.customer_availability_zone = node.zone;
  return wire;
}

}  // namespace

elasticache::CacheSubnetGroup ToWire(const CacheSubnetGroup& group) {
  elasticache::CacheSubnetGroup wire;
  wire.cache_subnet_group_name = group.name;
  wire.cache_subnet_group_description = group.description;
  wire.vpc_id = group.vpc_id;
  wire.arn = group.ArnOf();
  wire.supported_network_types = {kIpv4};
  for (const GroupSubnet& subnet : group.subnets) {
    elasticache::Subnet each;
    each.subnet_identifier = subnet.id;
    each.subnet_availability_zone = elasticache::AvailabilityZone{subnet.zone};
    each.supported_network_types = {kIpv4};
    wire.subnets.push_back(std::move(each));
  }
  return wire;
}

elasticache::CacheCluster ToWire(const CacheCluster& cluster, bool show_nodes) {
  elasticache::CacheCluster wire;
  wire.cache_cluster_id = cluster.id;
  wire.cache_node_type = cluster.node_type;
  wire.engine = cluster.engine;
  wire.engine_version = cluster.engine_version;
  wire.cache_cluster_status = cluster.status;
  wire.num_cache_nodes = static_cast<int32_t>(cluster.nodes.size());
  wire.preferred_availability_zone = cluster.PreferredZone();
  wire.cache_cluster_create_time = cluster.created_at;
  wire.preferred_maintenance_window = UnlessEmpty(cluster.maintenance_window);
  wire.pending_modified_values = elasticache::PendingModifiedValues{};
  wire.pending_modified_values->cache_node_type = UnlessEmpty(cluster.pending_node_type);
  wire.pending_modified_values->engine_version = UnlessEmpty(cluster.pending_engine_version);
  if (cluster.pending_nodes.count != 0) {
    wire.pending_modified_values->num_cache_nodes =
        static_cast<int32_t>(cluster.pending_nodes.count);
    wire.pending_modified_values->cache_node_ids_to_remove = cluster.pending_nodes.removed;
  }
  if (cluster.pending_scale.percentage != 0) {
    wire.pending_modified_values->scale_config =
        elasticache::ScaleConfig{static_cast<int32_t>(cluster.pending_scale.percentage),
                                 static_cast<int32_t>(cluster.pending_scale.interval_minutes)};
  }
  if (!cluster.topic.arn.empty()) {
    wire.notification_configuration =
        elasticache::NotificationConfiguration{cluster.topic.arn, cluster.topic.status};
  }
  wire.log_delivery_configurations = ShownLogs(cluster.log_deliveries);
  wire.pending_modified_values->log_delivery_configurations = PendingLogs(cluster.log_deliveries);
  elasticache::CacheParameterGroupStatus parameters;
  parameters.cache_parameter_group_name = cluster.parameter_group;
  parameters.parameter_apply_status = "in-sync";
  wire.cache_parameter_group = std::move(parameters);
  wire.cache_subnet_group_name = UnlessEmpty(cluster.subnet_group);
  wire.auto_minor_version_upgrade = cluster.auto_minor_version_upgrade;
  for (const std::string& id : cluster.security_groups) {
    wire.security_groups.push_back({id, "active"});
  }
  wire.replication_group_id = UnlessEmpty(cluster.replication_group);
  wire.snapshot_retention_limit = static_cast<int32_t>(cluster.snapshot_retention_limit);
  wire.snapshot_window = UnlessEmpty(cluster.snapshot_window);
  wire.auth_token_enabled = !cluster.access.auth_token_hashes.empty();
  if (cluster.auth_token_changed_at != 0) {
    wire.auth_token_last_modified_date = cluster.auth_token_changed_at;
  }
  const std::string tls_mode = cluster.serves_tls ? kTlsRequired : cluster.access.tls_mode;
  wire.transit_encryption_enabled = !tls_mode.empty();
  wire.transit_encryption_mode = UnlessEmpty(tls_mode);
  wire.at_rest_encryption_enabled = false;
  wire.arn = cluster.ArnOf();
  wire.replication_group_log_delivery_enabled = false;
  wire.network_type = kIpv4;
  wire.ip_discovery = kIpv4;
  if (cluster.status != kStatusCreating) {
    wire.configuration_endpoint = EndpointOf(cluster.configuration_endpoint);
  }
  if (!show_nodes || cluster.status == kStatusCreating) return wire;
  for (const CacheNode& node : cluster.nodes) wire.cache_nodes.push_back(NodeOf(node));
  return wire;
}

elasticache::ReplicationGroup ToWire(const ReplicationGroup& group) {
  elasticache::ReplicationGroup wire;
  wire.replication_group_id = group.id;
  wire.description = group.description;
  wire.status = group.status;
  wire.pending_modified_values = elasticache::ReplicationGroupPendingModifiedValues{};
  wire.pending_modified_values->primary_cluster_id = UnlessEmpty(group.pending.primary_cluster);
  wire.pending_modified_values->automatic_failover_status =
      UnlessEmpty(group.pending.automatic_failover);
  wire.log_delivery_configurations = ShownLogs(group.log_deliveries);
  wire.pending_modified_values->log_delivery_configurations = PendingLogs(group.log_deliveries);
  wire.member_clusters = group.member_clusters;
  wire.automatic_failover = Switch(group.automatic_failover);
  wire.multi_az = Switch(group.multi_az);
  wire.snapshotting_cluster_id = UnlessEmpty(group.snapshotting_cluster);
  wire.snapshot_retention_limit = static_cast<int32_t>(group.snapshot_retention_limit);
  wire.snapshot_window = UnlessEmpty(group.snapshot_window);
  wire.cluster_enabled = false;
  wire.cache_node_type = group.node_type;
  ShowAccess(group.access, wire);
  wire.storage_encryption_type = "none";
  wire.arn = group.ArnOf();
  wire.replication_group_create_time = group.created_at;
  wire.data_tiering = Switch(false);
  wire.auto_minor_version_upgrade = group.auto_minor_version_upgrade;
  wire.network_type = kIpv4;
  wire.ip_discovery = kIpv4;
  wire.engine = group.engine;
  wire.cluster_mode = Switch(false);
  return wire;
}

void AddNodeGroup(const ReplicationGroup& group, const std::vector<CacheCluster>& members,
                  const std::optional<ShardState>& shard, elasticache::ReplicationGroup& wire) {
  const bool known = group.status != kStatusCreating && shard.has_value();
  elasticache::NodeGroup node_group;
  node_group.node_group_id = std::string(kOnlyShard);
  node_group.status = group.status;
  std::string primary;
  if (known) {
    // Observed before announced: a new primary is one when it serves the endpoint.
    primary = shard->failover_from.empty() ? shard->primary : shard->failover_from;
    node_group.primary_endpoint = EndpointOf(group.primary_endpoint);
    node_group.reader_endpoint = EndpointOf(group.reader_endpoint);
  }
  for (const CacheCluster& cluster : members) {
    const CacheNode& node = cluster.nodes.front();
    elasticache::NodeGroupMember member;
    member.cache_cluster_id = cluster.id;
    member.cache_node_id = node.id;
    member.preferred_availability_zone = node.zone;
    if (known) {
      member.read_endpoint = EndpointOf(node.endpoint);
      member.current_role = cluster.IsNodeId(node, primary) ? "primary" : "replica";
    }
    node_group.node_group_members.push_back(std::move(member));
  }
  wire.node_groups.push_back(std::move(node_group));
}

std::vector<elasticache::Tag> ToWire(const Tags& tags) {
  std::vector<elasticache::Tag> wire;
  for (const auto& [key, value] : tags) wire.push_back({key, value});
  return wire;
}

}  // namespace mikura::control
