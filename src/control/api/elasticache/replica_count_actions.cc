// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/replica_count_actions.h"

#include <algorithm>
#include <utility>

#include "control/api/elasticache/cache_store.h"
#include "control/api/elasticache/group_view.h"
#include "control/api/random_id.h"
#include "control/model/replica_count.h"

namespace mikura::control {
namespace {

template <typename Request>
AskedReplicas AskedBy(const Request& request) {
  AskedReplicas asked;
  asked.count = request.new_replica_count;
  asked.apply_immediately = request.apply_immediately;
  for (const elasticache::ConfigureShard& shard : request.replica_configuration) {
    asked.shards.push_back(
        {shard.node_group_id, shard.new_replica_count, shard.preferred_availability_zones});
  }
  return asked;
}

// The network of the group as its members name it.
ApiResult<CacheNetwork> NetworkOf(const ActionContext& context, const CacheCluster& member) {
  std::optional<std::string> subnet_group;
  if (!member.subnet_group.empty()) subnet_group = member.subnet_group;
  return FindNetwork(context, subnet_group, member.security_groups);
}

ApiResult<> HoldFor(const ActionContext& context, const CacheNetwork& network,
                    const std::vector<CacheCluster>& joining, ReplicationGroup& group,
                    Change& change) {
  std::vector<std::string> zones;
  for (const CacheCluster& cluster : joining) zones.push_back(cluster.nodes.front().zone);
  ASSIGN_OR_RETURN(const std::vector<std::string> held,
                   HoldNetwork(context, network, zones, "replicationgroup/" + group.id, change));
  for (const std::string& key : held) {
    if (std::find(group.held_keys.begin(), group.held_keys.end(), key) == group.held_keys.end()) {
      group.held_keys.push_back(key);
    }
  }
  return Ok();
}

}  // namespace

ApiResult<elasticache::IncreaseReplicaCountResult> IncreaseReplicaCount(
    ActionContext& context, const elasticache::IncreaseReplicaCountRequest& request) {
  using Result = elasticache::IncreaseReplicaCountResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    ASSIGN_OR_RETURN(WholeGroup whole, FindWholeGroup(context, request.replication_group_id));
    ReplicationGroup& group = whole.group.record;
    RETURN_IF_ERROR(CheckAvailable(group));
    ASSIGN_OR_RETURN(const CacheNetwork network, NetworkOf(context, whole.clusters.front().record));
    const CreationContext creation{context.account_id, context.region,
                                   RandomText(8, "0123456789abcdef"), context.clock.NowMillis(),
                                   network.zones};
    ASSIGN_OR_RETURN(
        const std::vector<CacheCluster> joining,
        PlanIncrease(AskedBy(request), {group, whole.Records(), whole.Primary()}, creation));
    const CacheStore store(context);
    Change change;
    for (const CacheCluster& cluster : joining) {
      ASSIGN_OR_RETURN(const bool exists, store.Exists(store.KeyOf(cluster)));
      if (exists) {
        return ApiError{ApiErrorCode::kInvalidParameterValue,
                        "A new member would be named " + cluster.id +
                            ", and a cache cluster of that name already exists."};
      }
      change.Create(store.KeyOf(cluster), ToJson(cluster));
      group.member_clusters.push_back(cluster.id);
      whole.clusters.push_back({cluster, {}});
    }
    RETURN_IF_ERROR(HoldFor(context, network, joining, group, change));
    group.status = kStatusModifying;
    change.Replace(whole.group.kv, ToJson(group));
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{whole.Answer()});
  });
}

ApiResult<elasticache::DecreaseReplicaCountResult> DecreaseReplicaCount(
    ActionContext& context, const elasticache::DecreaseReplicaCountRequest& request) {
  using Result = elasticache::DecreaseReplicaCountResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    ASSIGN_OR_RETURN(WholeGroup whole, FindWholeGroup(context, request.replication_group_id));
    ReplicationGroup& group = whole.group.record;
    RETURN_IF_ERROR(CheckAvailable(group));
    AskedReplicas asked = AskedBy(request);
    asked.to_remove = request.replicas_to_remove;
    ASSIGN_OR_RETURN(const std::vector<std::string> leaving,
                     PlanDecrease(asked, {group, whole.Records(), whole.Primary()}));
    Change change;
    for (Stored<CacheCluster>& cluster : whole.clusters) {
      if (std::find(leaving.begin(), leaving.end(), cluster.record.id) == leaving.end()) continue;
      cluster.record.status = kStatusDeleting;
      for (CacheNode& node : cluster.record.nodes) node.status = kStatusDeleting;
      change.Replace(cluster.kv, ToJson(cluster.record));
    }
    group.status = kStatusModifying;
    change.Replace(whole.group.kv, ToJson(group));
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{whole.Answer()});
  });
}

}  // namespace mikura::control
