// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/cache_cluster_actions.h"

#include <fmt/format.h>

#include <utility>

#include "control/api/elasticache/answers.h"
#include "control/api/elasticache/cache_store.h"
#include "control/api/elasticache/capacity.h"
#include "control/api/elasticache/group_access_actions.h"
#include "control/api/elasticache/log_delivery_requests.h"
#include "control/api/elasticache/member_cluster_actions.h"
#include "control/api/elasticache/parameter_group_use.h"
#include "control/api/elasticache/snapshot_request.h"
#include "control/api/elasticache/topic_requests.h"
#include "control/api/elasticache/unavailable.h"
#include "control/api/random_id.h"

namespace mikura::control {
namespace {

NewCacheCluster AskedFor(const elasticache::CreateCacheClusterRequest& request, Tags tags,
                         const CacheNetwork& network) {
  NewCacheCluster asked;
  asked.id = request.cache_cluster_id;
  asked.engine = request.engine.value_or("");
  asked.engine_version = request.engine_version.value_or("");
  asked.node_type = request.cache_node_type.value_or("");
  asked.node_count = request.num_cache_nodes;
  asked.port = request.port;
  asked.az_mode = request.az_mode.value_or("");
  asked.preferred_zone = request.preferred_availability_zone.value_or("");
  asked.preferred_zones = request.preferred_availability_zones;
  asked.parameter_group = request.cache_parameter_group_name.value_or("");
  if (network.subnet_group) asked.subnet_group = network.subnet_group->record.name;
  asked.security_groups = request.security_group_ids;
  asked.maintenance_window = request.preferred_maintenance_window.value_or("");
  asked.snapshot_window = request.snapshot_window.value_or("");
  asked.snapshot_retention_limit = request.snapshot_retention_limit.value_or(0);
  asked.auto_minor_version_upgrade = request.auto_minor_version_upgrade.value_or(true);
  asked.serves_tls = request.transit_encryption_enabled.value_or(false);
  asked.tags = std::move(tags);
  asked.log_deliveries = AskedLogs(request.log_delivery_configurations);
  return asked;
}

ApiResult<std::optional<CacheCluster>> TryCreate(
    ActionContext& context, const elasticache::CreateCacheClusterRequest& request) {
  ASSIGN_OR_RETURN(Tags tags, TagsOf(request.tags));
  ASSIGN_OR_RETURN(const CacheNetwork network, FindNetwork(context, request.cache_subnet_group_name,
                                                           request.security_group_ids));
  Change change;
  NewCacheCluster asked = AskedFor(request, std::move(tags), network);
  ASSIGN_OR_RETURN(asked.topic, TopicOf(context, request.notification_topic_arn));
  ASSIGN_OR_RETURN(asked.parameter_family,
                   HoldParameterGroup(context, request.cache_parameter_group_name, change));
  const CreationContext creation{context.account_id, context.region,
                                 RandomText(8, "0123456789abcdef"), context.clock.NowMillis(),
                                 network.zones};
  ASSIGN_OR_RETURN(const Restore restore,
                   RestoreOf(context, request.snapshot_name, request.snapshot_arns));
  if (restore && asked.engine == "memcached") {
    return ApiError{ApiErrorCode::kSnapshotFeatureNotSupportedFault,
                    "Snapshots are not supported for memcached."};
  }
  Inherit(restore, asked);
  if (restore && !asked.node_count) asked.node_count = 1;
  ASSIGN_OR_RETURN(CacheCluster cluster, BuildCacheCluster(asked, creation));
  RETURN_IF_ERROR(CheckEngine(restore, cluster.engine, cluster.engine_version));
  const CacheStore store(context);
  ASSIGN_OR_RETURN(const bool exists, store.Exists(store.KeyOf(cluster)));
  if (exists) {
    return ApiError{ApiErrorCode::kCacheClusterAlreadyExists,
                    fmt::format("Cache cluster already exists: {}", cluster.id)};
  }
  RETURN_IF_ERROR(
      HoldCapacity(context, cluster.node_type, static_cast<int64_t>(cluster.nodes.size()), change));
  std::vector<std::string> zones;
  for (const CacheNode& node : cluster.nodes) zones.push_back(node.zone);
  restore.Hold(change);
  ASSIGN_OR_RETURN(cluster.held_keys,
                   HoldNetwork(context, network, zones, "cluster/" + cluster.id, change));
  change.Create(store.KeyOf(cluster), ToJson(cluster));
  ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
  if (!applied) return std::optional<CacheCluster>();
  return std::optional<CacheCluster>(std::move(cluster));
}

ApiResult<> CheckDeletable(const CacheCluster& cluster,
                           const elasticache::DeleteCacheClusterRequest& request) {
  const bool wants_snapshot = request.final_snapshot_identifier && cluster.engine != "memcached";
  if (cluster.status == kStatusDeleting || !cluster.active_snapshot.empty() ||
      (wants_snapshot && cluster.status != kStatusAvailable)) {
    return ApiError{ApiErrorCode::kInvalidCacheClusterState,
                    fmt::format("Cache cluster {} has status {}.", cluster.id, cluster.status)};
  }
  return Ok();
}

}  // namespace

ApiResult<elasticache::CreateCacheClusterResult> CreateCacheCluster(
    ActionContext& context, const elasticache::CreateCacheClusterRequest& request) {
  RETURN_IF_ERROR(RefuseUnavailable(request));
  if (request.replication_group_id) return JoinGroup(context, request);
  ASSIGN_OR_RETURN(const CacheCluster cluster,
                   UntilApplied([&] { return TryCreate(context, request); }));
  return elasticache::CreateCacheClusterResult{ToWire(cluster, false)};
}

ApiResult<elasticache::DescribeCacheClustersResult> DescribeCacheClusters(
    ActionContext& context, const elasticache::DescribeCacheClustersRequest& request) {
  const CacheStore store(context);
  Page<Stored<CacheCluster>> page;
  const bool alone = request.show_cache_clusters_not_in_replication_groups.value_or(false);
  if (request.cache_cluster_id || alone) {
    std::vector<Stored<CacheCluster>> clusters;
    if (request.cache_cluster_id) {
      ASSIGN_OR_RETURN(auto cluster, store.Cluster(*request.cache_cluster_id));
      clusters.push_back(std::move(cluster));
    } else {
      ASSIGN_OR_RETURN(clusters, store.Clusters());
    }
    std::erase_if(clusters, [&](const auto& each) {
      return alone && !each.record.replication_group.empty();
    });
    ASSIGN_OR_RETURN(page,
                     PageOf(
                         std::move(clusters), [](const auto& cluster) { return cluster.record.id; },
                         request.max_records, request.marker));
  } else {
    ASSIGN_OR_RETURN(page, store.ClusterPage({request.max_records, request.marker}));
  }
  elasticache::DescribeCacheClustersResult result;
  result.marker = page.next_token;
  const bool show_nodes = request.show_cache_node_info.value_or(false);
  ParameterStatusReader parameters(context);
  for (const auto& cluster : page.items) {
    result.cache_clusters.push_back(ToWire(cluster.record, show_nodes));
    RETURN_IF_ERROR(parameters.Add(cluster.record, result.cache_clusters.back()));
  }
  RETURN_IF_ERROR(ShowAccess(context, result.cache_clusters));
  return result;
}

ApiResult<elasticache::DeleteCacheClusterResult> DeleteCacheCluster(
    ActionContext& context, const elasticache::DeleteCacheClusterRequest& request) {
  using Result = elasticache::DeleteCacheClusterResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    ASSIGN_OR_RETURN(auto cluster, CacheStore(context).Cluster(request.cache_cluster_id));
    RETURN_IF_ERROR(CheckDeletable(cluster.record, request));
    if (!cluster.record.replication_group.empty()) {
      if (request.final_snapshot_identifier) {
        return ApiError{ApiErrorCode::kInvalidParameterCombination,
                        "A final snapshot is made of a replication group, not of its member."};
      }
      ASSIGN_OR_RETURN(Result left, LeaveGroup(context, cluster.record));
      return std::optional<Result>(std::move(left));
    }
    Change change;
    if (request.final_snapshot_identifier) {
      ASSIGN_OR_RETURN(
          const Snapshot last,
          AddSnapshotOf(context, cluster.record,
                        {"FinalSnapshotIdentifier", *request.final_snapshot_identifier, {}},
                        change));
      cluster.record.active_snapshot = last.name;
    }
    cluster.record.status = kStatusDeleting;
    for (CacheNode& node : cluster.record.nodes) node.status = kStatusDeleting;
    change.Replace(cluster.kv, ToJson(cluster.record));
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{ToWire(cluster.record, false)});
  });
}

}  // namespace mikura::control
