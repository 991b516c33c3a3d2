// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/replica_count_actions.h"

#include <utility>

#include "control/api/elasticache/cache_store.h"
#include "control/api/elasticache/group_view.h"
#include "control/api/elasticache/replica_changes.h"
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

template <typename Request>
ApiResult<> RefuseOutposts(const Request& request) {
  for (const elasticache::ConfigureShard& shard : request.replica_configuration) {
    if (shard.preferred_outpost_arns.empty()) continue;
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    "PreferredOutpostArns is not available yet."};
  }
  return Ok();
}

}  // namespace

ApiResult<elasticache::IncreaseReplicaCountResult> IncreaseReplicaCount(
    ActionContext& context, const elasticache::IncreaseReplicaCountRequest& request) {
  using Result = elasticache::IncreaseReplicaCountResult;
  RETURN_IF_ERROR(RefuseOutposts(request));
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    ASSIGN_OR_RETURN(WholeGroup whole, FindWholeGroup(context, request.replication_group_id));
    const ReplicationGroup& group = whole.group.record;
    RETURN_IF_ERROR(CheckAvailable(group));
    ASSIGN_OR_RETURN(const CacheNetwork network, NetworkOf(context, whole));
    const CreationContext creation{context.account_id, context.region,
                                   RandomText(8, "0123456789abcdef"), context.clock.NowMillis(),
                                   network.zones};
    ASSIGN_OR_RETURN(
        const std::vector<CacheCluster> joining,
        PlanIncrease(AskedBy(request), {group, whole.Records(), whole.Primary()}, creation));
    ASSIGN_OR_RETURN(const bool applied, StoreJoining(context, network, joining, whole));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{whole.Answer()});
  });
}

ApiResult<elasticache::DecreaseReplicaCountResult> DecreaseReplicaCount(
    ActionContext& context, const elasticache::DecreaseReplicaCountRequest& request) {
  using Result = elasticache::DecreaseReplicaCountResult;
  RETURN_IF_ERROR(RefuseOutposts(request));
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    ASSIGN_OR_RETURN(WholeGroup whole, FindWholeGroup(context, request.replication_group_id));
    const ReplicationGroup& group = whole.group.record;
    RETURN_IF_ERROR(CheckAvailable(group));
    AskedReplicas asked = AskedBy(request);
    asked.to_remove = request.replicas_to_remove;
    ASSIGN_OR_RETURN(const std::vector<std::string> leaving,
                     PlanDecrease(asked, {group, whole.Records(), whole.Primary()}));
    ASSIGN_OR_RETURN(const bool applied, StoreLeaving(context, leaving, whole));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{whole.Answer()});
  });
}

}  // namespace mikura::control
