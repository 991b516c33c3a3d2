// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/member_cluster_actions.h"

#include <fmt/format.h>

#include <utility>

#include "base/numbers.h"
#include "control/api/elasticache/answers.h"
#include "control/api/elasticache/group_view.h"
#include "control/api/elasticache/replica_changes.h"
#include "control/api/random_id.h"
#include "control/model/identifiers.h"
#include "control/model/replica_count.h"

namespace mikura::control {
namespace {

// What a replica has from its group may be repeated, not changed.
ApiResult<> CheckLikeGroup(const elasticache::CreateCacheClusterRequest& request,
                           const CacheCluster& member) {
  const auto differs = [](const std::optional<std::string>& asked, const std::string& has) {
    return asked && !EqualsIgnoreCase(*asked, has);
  };
  const std::pair<const char*, bool> rules[] = {
      {"CacheNodeType", differs(request.cache_node_type, member.node_type)},
      {"Engine", differs(request.engine, member.engine)},
      {"EngineVersion", request.engine_version.has_value()},
      {"CacheParameterGroupName",
       differs(request.cache_parameter_group_name, member.parameter_group)},
      {"CacheSubnetGroupName", differs(request.cache_subnet_group_name, member.subnet_group)},
      {"SecurityGroupIds",
       !request.security_group_ids.empty() && request.security_group_ids != member.security_groups},
      {"Port", request.port && *request.port != member.port},
      {"PreferredMaintenanceWindow",
       differs(request.preferred_maintenance_window, member.maintenance_window)},
      {"NotificationTopicArn", differs(request.notification_topic_arn, member.topic.arn)},
      {"SnapshotWindow", differs(request.snapshot_window, member.snapshot_window)},
      {"NumCacheNodes other than 1", request.num_cache_nodes.value_or(1) != 1},
      {"TransitEncryptionEnabled", request.transit_encryption_enabled.has_value()},
      {"AZMode", request.az_mode && *request.az_mode != "single-az"},
      {"LogDeliveryConfigurations", !request.log_delivery_configurations.empty()},
      {"PreferredAvailabilityZones", !request.preferred_availability_zones.empty()},
  };
  for (const auto& [name, broken] : rules) {
    if (!broken) continue;
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    fmt::format("{} cannot be given for a replica: it is that of the replication "
                                "group.",
                                name)};
  }
  return Ok();
}

AskedReplicas OneMore(const elasticache::CreateCacheClusterRequest& request,
                      const WholeGroup& whole) {
  AskedReplicas asked;
  asked.apply_immediately = true;
  const auto count = static_cast<int64_t>(whole.clusters.size());
  if (!request.preferred_availability_zone) {
    asked.count = count;
    return asked;
  }
  ShardReplicas shard{std::string(kOnlyShard), count, {}};
  for (const auto& cluster : whole.clusters) shard.zones.push_back(cluster.record.PreferredZone());
  shard.zones.push_back(*request.preferred_availability_zone);
  asked.shards.push_back(std::move(shard));
  return asked;
}

}  // namespace

ApiResult<elasticache::CreateCacheClusterResult> JoinGroup(
    ActionContext& context, const elasticache::CreateCacheClusterRequest& request) {
  using Result = elasticache::CreateCacheClusterResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    ASSIGN_OR_RETURN(const std::string id, CacheClusterIdOf(request.cache_cluster_id));
    ASSIGN_OR_RETURN(Tags tags, TagsOf(request.tags));
    ASSIGN_OR_RETURN(WholeGroup whole, FindWholeGroup(context, *request.replication_group_id));
    RETURN_IF_ERROR(CheckAvailable(whole.group.record));
    RETURN_IF_ERROR(CheckLikeGroup(request, whole.clusters.front().record));
    const CacheStore store(context);
    ASSIGN_OR_RETURN(const CacheNetwork network, NetworkOf(context, whole));
    const CreationContext creation{context.account_id, context.region,
                                   RandomText(8, "0123456789abcdef"), context.clock.NowMillis(),
                                   network.zones};
    ASSIGN_OR_RETURN(
        std::vector<CacheCluster> joining,
        PlanIncrease(OneMore(request, whole),
                     {whole.group.record, whole.Records(), whole.Primary()}, creation));
    joining.front().id = id;
    joining.front().auto_minor_version_upgrade =
        request.auto_minor_version_upgrade.value_or(joining.front().auto_minor_version_upgrade);
    if (!tags.empty()) joining.front().tags = std::move(tags);
    ASSIGN_OR_RETURN(const bool exists, store.Exists(store.KeyOf(joining.front())));
    if (exists) {
      return ApiError{ApiErrorCode::kCacheClusterAlreadyExists,
                      fmt::format("Cache cluster already exists: {}", id)};
    }
    ASSIGN_OR_RETURN(const bool applied, StoreJoining(context, network, joining, whole));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{ToWire(joining.front(), false)});
  });
}

ApiResult<elasticache::DeleteCacheClusterResult> LeaveGroup(ActionContext& context,
                                                            const CacheCluster& cluster) {
  using Result = elasticache::DeleteCacheClusterResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    ASSIGN_OR_RETURN(WholeGroup whole, FindWholeGroup(context, cluster.replication_group));
    const ReplicationGroup& group = whole.group.record;
    if (whole.Primary() == cluster.id) {
      return ApiError{ApiErrorCode::kInvalidCacheClusterState,
                      fmt::format("Cache cluster {} is serving as primary for replication group {} "
                                  "and cannot be deleted.",
                                  cluster.id, group.id)};
    }
    if (group.status != kStatusAvailable) {
      return ApiError{ApiErrorCode::kInvalidCacheClusterState,
                      fmt::format("Replication group {} of cache cluster {} has status {}.",
                                  group.id, cluster.id, group.status)};
    }
    AskedReplicas asked;
    asked.apply_immediately = true;
    asked.to_remove = {cluster.id};
    const auto leaving = PlanDecrease(asked, {group, whole.Records(), whole.Primary()});
    if (!leaving.ok()) {
      return ApiError{ApiErrorCode::kInvalidCacheClusterState, leaving.error().message};
    }
    ASSIGN_OR_RETURN(const bool applied, StoreLeaving(context, *leaving, whole));
    if (!applied) return std::optional<Result>();
    CacheCluster shown = cluster;
    shown.status = kStatusDeleting;
    return std::optional<Result>(Result{ToWire(shown, false)});
  });
}

}  // namespace mikura::control
