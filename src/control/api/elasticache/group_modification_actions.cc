// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/group_modification_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/api/elasticache/cache_store.h"
#include "control/api/elasticache/capacity.h"
#include "control/api/elasticache/group_access_actions.h"
#include "control/api/elasticache/group_view.h"
#include "control/api/elasticache/log_delivery_requests.h"
#include "control/api/elasticache/parameter_group_use.h"
#include "control/api/elasticache/topic_requests.h"
#include "control/api/elasticache/unavailable.h"
#include "control/model/group_modification.h"

namespace mikura::control {
namespace {

GroupModification AskedBy(const elasticache::ModifyReplicationGroupRequest& request) {
  GroupModification asked;
  asked.description = request.replication_group_description;
  asked.primary_cluster = request.primary_cluster_id;
  asked.automatic_failover = request.automatic_failover_enabled;
  asked.multi_az = request.multi_az_enabled;
  if (!request.security_group_ids.empty()) asked.security_groups = request.security_group_ids;
  asked.maintenance_window = request.preferred_maintenance_window;
  asked.snapshot_window = request.snapshot_window;
  asked.snapshot_retention_limit = request.snapshot_retention_limit;
  asked.snapshotting_cluster = request.snapshotting_cluster_id;
  asked.auto_minor_version_upgrade = request.auto_minor_version_upgrade;
  asked.parameter_group = request.cache_parameter_group_name;
  asked.node_type = request.cache_node_type;
  asked.engine = request.engine;
  asked.engine_version = request.engine_version;
  asked.log_deliveries = AskedLogs(request.log_delivery_configurations);
  asked.apply_immediately = request.apply_immediately.value_or(false);
  return asked;
}

// The group holds the security groups that it has from now on, and no others.
ApiResult<> HoldSecurityGroups(const ActionContext& context, WholeGroup& whole, Change& change) {
  ReplicationGroup& group = whole.group.record;
  const CacheCluster& member = whole.clusters.front().record;
  std::optional<std::string> subnet_group;
  if (!member.subnet_group.empty()) subnet_group = member.subnet_group;
  ASSIGN_OR_RETURN(const CacheNetwork network,
                   FindNetwork(context, subnet_group, member.security_groups));
  std::vector<std::string> zones;
  for (const auto& cluster : whole.clusters) zones.push_back(cluster.record.nodes.front().zone);
  ASSIGN_OR_RETURN(std::vector<std::string> held,
                   HoldNetwork(context, network, zones, "replicationgroup/" + group.id, change));
  for (const std::string& key : group.held_keys) {
    if (std::find(held.begin(), held.end(), key) == held.end()) {
      change.writes.push_back(Write::Delete(key));
    }
  }
  group.held_keys = std::move(held);
  return Ok();
}

ApiResult<> CheckNodeGroup(const elasticache::ModifyReplicationGroupRequest& request) {
  if (!request.node_group_id || *request.node_group_id == kOnlyShard) return Ok();
  return ApiError{ApiErrorCode::kInvalidParameterValue,
                  fmt::format("The node group {} does not exist.", *request.node_group_id)};
}

}  // namespace

ApiResult<elasticache::ModifyReplicationGroupResult> ModifyReplicationGroup(
    ActionContext& context, const elasticache::ModifyReplicationGroupRequest& request) {
  using Result = elasticache::ModifyReplicationGroupResult;
  RETURN_IF_ERROR(RefuseUnavailable(request));
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    ASSIGN_OR_RETURN(WholeGroup whole, FindWholeGroup(context, request.replication_group_id));
    RETURN_IF_ERROR(CheckNodeGroup(request));
    RETURN_IF_ERROR(CheckAvailable(whole.group.record));
    GroupModification asked = AskedBy(request);
    std::vector<CacheCluster> clusters = whole.Records();
    Change change;
    ASSIGN_OR_RETURN(asked.topic, TopicOf(context, request.notification_topic_arn,
                                          request.notification_topic_status));
    ASSIGN_OR_RETURN(asked.parameter_family,
                     HoldParameterGroup(context, request.cache_parameter_group_name, change));
    ASSIGN_OR_RETURN(const bool changes_access,
                     ModifyGroupAccess(context, request, whole.group.record, change));
    if (!changes_access || !asked.Empty()) {
      RETURN_IF_ERROR(Modify(asked, whole.group.record, clusters, whole.Primary()));
      if (asked.node_type && !whole.group.record.pending.node_type.empty()) {
        // The new nodes run beside those that they replace.
        RETURN_IF_ERROR(HoldCapacity(context, whole.group.record.pending.node_type,
                                     static_cast<int64_t>(clusters.size()), change));
      }
    }
    for (size_t i = 0; i < clusters.size(); ++i) {
      whole.clusters[i].record = std::move(clusters[i]);
      change.Replace(whole.clusters[i].kv, ToJson(whole.clusters[i].record));
    }
    if (asked.security_groups) RETURN_IF_ERROR(HoldSecurityGroups(context, whole, change));
    change.Replace(whole.group.kv, ToJson(whole.group.record));
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{whole.Answer()});
  });
}

}  // namespace mikura::control
