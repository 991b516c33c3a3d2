// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/cluster_modification_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/api/elasticache/answers.h"
#include "control/api/elasticache/cache_store.h"
#include "control/api/elasticache/capacity.h"
#include "control/api/elasticache/log_delivery_requests.h"
#include "control/api/elasticache/parameter_group_use.h"
#include "control/api/elasticache/topic_requests.h"
#include "control/api/elasticache/unavailable.h"
#include "control/model/cluster_modification.h"

namespace mikura::control {
namespace {

ClusterModification AskedFor(const elasticache::ModifyCacheClusterRequest& request) {
  ClusterModification asked;
  asked.node_count = request.num_cache_nodes;
  asked.removed_nodes = request.cache_node_ids_to_remove;
  asked.new_zones = request.new_availability_zones;
  asked.az_mode = request.az_mode.value_or("");
  asked.engine = request.engine.value_or("");
  asked.engine_version = request.engine_version.value_or("");
  asked.node_type = request.cache_node_type.value_or("");
  if (request.scale_config) {
    asked.scale_percentage = request.scale_config->scale_percentage;
    asked.scale_interval_minutes = request.scale_config->scale_interval_minutes;
  }
  asked.parameter_group = request.cache_parameter_group_name.value_or("");
  asked.maintenance_window = request.preferred_maintenance_window.value_or("");
  asked.snapshot_window = request.snapshot_window.value_or("");
  asked.snapshot_retention_limit = request.snapshot_retention_limit;
  asked.auto_minor_version_upgrade = request.auto_minor_version_upgrade;
  asked.log_deliveries = AskedLogs(request.log_delivery_configurations);
  asked.immediately = request.apply_immediately.value_or(false);
  return asked;
}

// What the cluster uses of the network from now on, also for nodes that are to be added.
ApiResult<> HoldAnew(const ActionContext& context, const CacheNetwork& network,
                     CacheCluster& cluster, Change& change) {
  const std::string user = "cluster/" + cluster.id;
  std::vector<std::string> zones = cluster.pending_nodes.zones;
  for (const CacheNode& node : cluster.nodes) zones.push_back(node.zone);
  ASSIGN_OR_RETURN(std::vector<std::string> keys,
                   HoldNetwork(context, network, zones, user, change));
  for (const std::string& key : cluster.held_keys) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    change.writes.push_back(Write::Delete(key));
  }
  cluster.held_keys = std::move(keys);
  return Ok();
}

ApiResult<std::optional<CacheCluster>> TryModify(
    ActionContext& context, const elasticache::ModifyCacheClusterRequest& request) {
  ASSIGN_OR_RETURN(auto cluster, CacheStore(context).Cluster(request.cache_cluster_id));
  CacheCluster& record = cluster.record;
  const std::optional<std::string> subnet_group =
      record.subnet_group.empty() ? std::nullopt : std::optional(record.subnet_group);
  const std::vector<std::string> security_groups =
      request.security_group_ids.empty() ? record.security_groups : request.security_group_ids;
  ASSIGN_OR_RETURN(const CacheNetwork network, FindNetwork(context, subnet_group, security_groups));
  const CacheCluster before = record;
  Change change;
  ClusterModification asked = AskedFor(request);
  ASSIGN_OR_RETURN(asked.topic, TopicOf(context, request.notification_topic_arn,
                                        request.notification_topic_status));
  ASSIGN_OR_RETURN(asked.parameter_family,
                   HoldParameterGroup(context, request.cache_parameter_group_name, change));
  RETURN_IF_ERROR(ModifyCluster(asked, network.zones, context.clock.NowMillis(), record));
  record.security_groups = security_groups;
  const int64_t added =
      request.num_cache_nodes.value_or(0) - static_cast<int64_t>(before.nodes.size());
  if (added > 0) RETURN_IF_ERROR(HoldCapacity(context, record.node_type, added, change));
  if (!asked.node_type.empty()) {
    RETURN_IF_ERROR(HoldCapacityForType(context, before, record, change));
  }
  RETURN_IF_ERROR(HoldAnew(context, network, record, change));
  change.Replace(cluster.kv, ToJson(record));
  ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
  if (!applied) return std::optional<CacheCluster>();
  return std::optional<CacheCluster>(std::move(record));
}

// The group of a member that is rebooted is not whole meanwhile: nothing else is begun with it.
ApiResult<> MarkGroup(const ActionContext& context, const CacheCluster& member, Change& change) {
  ASSIGN_OR_RETURN(auto group, CacheStore(context).Group(member.replication_group));
  if (group.record.status != kStatusAvailable) {
    return ApiError{ApiErrorCode::kInvalidCacheClusterState,
                    fmt::format("Replication group {} of cache cluster {} has status {}.",
                                group.record.id, member.id, group.record.status)};
  }
  group.record.status = kStatusModifying;
  change.Replace(group.kv, ToJson(group.record));
  return Ok();
}

}  // namespace

ApiResult<elasticache::ModifyCacheClusterResult> ModifyCacheCluster(
    ActionContext& context, const elasticache::ModifyCacheClusterRequest& request) {
  RETURN_IF_ERROR(RefuseUnavailable(request));
  ASSIGN_OR_RETURN(const CacheCluster cluster,
                   UntilApplied([&] { return TryModify(context, request); }));
  return elasticache::ModifyCacheClusterResult{ToWire(cluster, false)};
}

ApiResult<elasticache::RebootCacheClusterResult> RebootCacheCluster(
    ActionContext& context, const elasticache::RebootCacheClusterRequest& request) {
  using Result = elasticache::RebootCacheClusterResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    ASSIGN_OR_RETURN(auto cluster, CacheStore(context).Cluster(request.cache_cluster_id));
    RETURN_IF_ERROR(RebootNodes(request.cache_node_ids_to_reboot, cluster.record));
    Change change;
    if (!cluster.record.replication_group.empty()) {
      RETURN_IF_ERROR(MarkGroup(context, cluster.record, change));
    }
    change.Replace(cluster.kv, ToJson(cluster.record));
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{ToWire(cluster.record, false)});
  });
}

}  // namespace mikura::control
