// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/node_type_actions.h"

#include <utility>

#include "control/api/elasticache/cache_store.h"
#include "control/model/node_type.h"

namespace mikura::control {

ApiResult<elasticache::ListAllowedNodeTypeModificationsResult> ListAllowedNodeTypeModifications(
    ActionContext& context, const elasticache::ListAllowedNodeTypeModificationsRequest& request) {
  if (request.cache_cluster_id.has_value() == request.replication_group_id.has_value()) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "Either CacheClusterId or ReplicationGroupId must be given, not both."};
  }
  std::string node_type;
  if (request.replication_group_id) {
    ASSIGN_OR_RETURN(const auto group, CacheStore(context).Group(*request.replication_group_id));
    node_type = group.record.node_type;
  } else {
    ASSIGN_OR_RETURN(const auto cluster, CacheStore(context).Cluster(*request.cache_cluster_id));
    node_type = cluster.record.node_type;
  }
  elasticache::ListAllowedNodeTypeModificationsResult result;
  ASSIGN_OR_RETURN(const NodeType type, NodeTypeOf(node_type));
  NodeTypeChoices choices = OtherNodeTypes(type);
  result.scale_up_modifications = std::move(choices.up);
  result.scale_down_modifications = std::move(choices.down);
  return result;
}

}  // namespace mikura::control
