// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/replication_group_actions.h"

#include <fmt/format.h>

#include <utility>

#include "control/api/elasticache/answers.h"
#include "control/api/elasticache/cache_store.h"
#include "control/api/elasticache/capacity.h"
#include "control/api/elasticache/group_access_actions.h"
#include "control/api/elasticache/group_view.h"
#include "control/api/elasticache/log_delivery_requests.h"
#include "control/api/elasticache/parameter_group_use.h"
#include "control/api/elasticache/snapshot_request.h"
#include "control/api/elasticache/topic_requests.h"
#include "control/api/elasticache/unavailable.h"
#include "control/api/random_id.h"
#include "control/model/identifiers.h"

namespace mikura::control {
namespace {

NewReplicationGroup AskedFor(const elasticache::CreateReplicationGroupRequest& request, Tags tags,
                             const CacheNetwork& network) {
  NewReplicationGroup asked;
  asked.id = request.replication_group_id;
  asked.description = request.replication_group_description;
  asked.engine = request.engine.value_or("");
  asked.engine_version = request.engine_version.value_or("");
  asked.node_type = request.cache_node_type.value_or("");
  asked.cluster_count = request.num_cache_clusters;
  asked.node_group_count = request.num_node_groups;
  asked.replicas_per_node_group = request.replicas_per_node_group;
  asked.preferred_zones = request.preferred_cache_cluster_azs;
  asked.port = request.port;
  asked.automatic_failover = request.automatic_failover_enabled;
  asked.multi_az = request.multi_az_enabled;
  asked.parameter_group = request.cache_parameter_group_name.value_or("");
  if (network.subnet_group) asked.subnet_group = network.subnet_group->record.name;
  asked.security_groups = request.security_group_ids;
  asked.maintenance_window = request.preferred_maintenance_window.value_or("");
  asked.snapshot_window = request.snapshot_window.value_or("");
  asked.snapshot_retention_limit = request.snapshot_retention_limit.value_or(0);
  asked.auto_minor_version_upgrade = request.auto_minor_version_upgrade.value_or(true);
  asked.tags = std::move(tags);
  asked.log_deliveries = AskedLogs(request.log_delivery_configurations);
  return asked;
}

// The names that a new group takes must be free: its own and those of its members.
ApiResult<> CheckNamesFree(const CacheStore& store, const BuiltReplicationGroup& built) {
  ASSIGN_OR_RETURN(const bool group_exists, store.Exists(store.KeyOf(built.group)));
  if (group_exists) {
    return ApiError{
        ApiErrorCode::kReplicationGroupAlreadyExists,
        fmt::format("Replication group already exists. Requested id: {}", built.group.id)};
  }
  for (const CacheCluster& member : built.members) {
    ASSIGN_OR_RETURN(const bool member_exists, store.Exists(store.KeyOf(member)));
    if (!member_exists) continue;
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    fmt::format("A member of the group would be named {}, and a cache cluster of "
                                "that name already exists.",
                                member.id)};
  }
  return Ok();
}

ApiResult<std::optional<BuiltReplicationGroup>> TryCreate(
    ActionContext& context, const elasticache::CreateReplicationGroupRequest& request) {
  ASSIGN_OR_RETURN(Tags tags, TagsOf(request.tags));
  ASSIGN_OR_RETURN(const CacheNetwork network, FindNetwork(context, request.cache_subnet_group_name,
                                                           request.security_group_ids));
  Change change;
  NewReplicationGroup asked = AskedFor(request, std::move(tags), network);
  ASSIGN_OR_RETURN(asked.topic, TopicOf(context, request.notification_topic_arn));
  ASSIGN_OR_RETURN(asked.parameter_family,
                   HoldParameterGroup(context, request.cache_parameter_group_name, change));
  const CreationContext creation{context.account_id, context.region,
                                 RandomText(8, "0123456789abcdef"), context.clock.NowMillis(),
                                 network.zones};
  ASSIGN_OR_RETURN(const Restore restore,
                   RestoreOf(context, request.snapshot_name, request.snapshot_arns));
  Inherit(restore, asked);
  ASSIGN_OR_RETURN(BuiltReplicationGroup built, BuildReplicationGroup(asked, creation));
  RETURN_IF_ERROR(CheckEngine(restore, built.group.engine, built.group.engine_version));
  const CacheStore store(context);
  RETURN_IF_ERROR(SetGroupAccess(context, request, built.group, change));
  RETURN_IF_ERROR(CheckNamesFree(store, built));
  RETURN_IF_ERROR(HoldCapacity(context, built.group.node_type,
                               static_cast<int64_t>(built.members.size()), change));
  restore.Hold(change);
  std::vector<std::string> zones;
  for (const CacheCluster& member : built.members) {
    zones.push_back(member.nodes.front().zone);
    change.Create(store.KeyOf(member), ToJson(member));
  }
  ASSIGN_OR_RETURN(
      built.group.held_keys,
      HoldNetwork(context, network, zones, "replicationgroup/" + built.group.id, change));
  change.Create(store.KeyOf(built.group), ToJson(built.group));
  ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
  if (!applied) return std::optional<BuiltReplicationGroup>();
  return std::optional<BuiltReplicationGroup>(std::move(built));
}

// A final snapshot needs nodes that hold the data.
ApiResult<> CheckDeletable(const ReplicationGroup& group,
                           const elasticache::DeleteReplicationGroupRequest& request) {
  const bool wants_snapshot = request.final_snapshot_identifier.has_value();
  if (group.status != kStatusDeleting && group.active_snapshot.empty() &&
      (!wants_snapshot || group.status == kStatusAvailable)) {
    return Ok();
  }
  return ApiError{ApiErrorCode::kInvalidReplicationGroupState,
                  fmt::format("Replication group {} has status {}.", group.id, group.status)};
}

// Who is to go on alone. It keeps TLS and the AUTH token; user groups are of replication groups.
ApiResult<std::string> RetainedCluster(const ActionContext& context,
                                       const elasticache::DeleteReplicationGroupRequest& request) {
  if (request.final_snapshot_identifier) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "RetainPrimaryCluster and FinalSnapshotIdentifier exclude each other."};
  }
  ASSIGN_OR_RETURN(const WholeGroup whole, FindWholeGroup(context, request.replication_group_id));
  const ReplicationGroup& group = whole.group.record;
  if (!group.access.wanted.user_group_ids.empty() || !group.access.applied.user_group_ids.empty()) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "RetainPrimaryCluster is not possible: the replication group has user groups, "
                    "which a cluster without a group has not."};
  }
  if (group.status == kStatusAvailable && !whole.Primary().empty()) return whole.Primary();
  return ApiError{ApiErrorCode::kInvalidReplicationGroupState,
                  fmt::format("Replication group {} has status {}.", group.id, group.status)};
}

}  // namespace

ApiResult<elasticache::CreateReplicationGroupResult> CreateReplicationGroup(
    ActionContext& context, const elasticache::CreateReplicationGroupRequest& request) {
  RETURN_IF_ERROR(RefuseUnavailable(request));
  ASSIGN_OR_RETURN(const BuiltReplicationGroup built,
                   UntilApplied([&] { return TryCreate(context, request); }));
  return elasticache::CreateReplicationGroupResult{ToWire(built.group)};
}

ApiResult<elasticache::DescribeReplicationGroupsResult> DescribeReplicationGroups(
    ActionContext& context, const elasticache::DescribeReplicationGroupsRequest& request) {
  const CacheStore store(context);
  Page<Stored<ReplicationGroup>> page;
  if (request.replication_group_id) {
    ASSIGN_OR_RETURN(auto group, store.Group(*request.replication_group_id));
    ASSIGN_OR_RETURN(
        page, PageOf(
                  std::vector{std::move(group)}, [](const auto& each) { return each.record.id; },
                  request.max_records, request.marker));
  } else {
    ASSIGN_OR_RETURN(page, store.GroupPage({request.max_records, request.marker}));
  }
  elasticache::DescribeReplicationGroupsResult result;
  result.marker = page.next_token;
  for (auto& group : page.items) {
    ASSIGN_OR_RETURN(const auto whole, WholeGroupOf(context, std::move(group)));
    if (whole) {
      result.replication_groups.push_back(whole->Answer());
    } else if (request.replication_group_id) {
      RETURN_IF_ERROR(store.Group(*request.replication_group_id));
    }
  }
  return result;
}

ApiResult<elasticache::DeleteReplicationGroupResult> DeleteReplicationGroup(
    ActionContext& context, const elasticache::DeleteReplicationGroupRequest& request) {
  using Result = elasticache::DeleteReplicationGroupResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    const CacheStore store(context);
    ASSIGN_OR_RETURN(auto group, store.Group(request.replication_group_id));
    RETURN_IF_ERROR(CheckDeletable(group.record, request));
    Change change;
    if (request.retain_primary_cluster.value_or(false)) {
      ASSIGN_OR_RETURN(group.record.retained_cluster, RetainedCluster(context, request));
    }
    if (request.final_snapshot_identifier) {
      ASSIGN_OR_RETURN(const WholeGroup whole,
                       FindWholeGroup(context, request.replication_group_id));
      ASSIGN_OR_RETURN(
          const Snapshot last,
          AddSnapshotOf(context, group.record, whole.Records(), "",
                        {"FinalSnapshotIdentifier", *request.final_snapshot_identifier, {}},
                        change));
      group.record.active_snapshot = last.name;
    }
    group.record.status = kStatusDeleting;
    change.Replace(group.kv, ToJson(group.record));
    for (const std::string& id : group.record.member_clusters) {
      if (id == group.record.retained_cluster) continue;
      ASSIGN_OR_RETURN(auto member, store.Cluster(id));
      member.record.status = kStatusDeleting;
      for (CacheNode& node : member.record.nodes) node.status = kStatusDeleting;
      change.Replace(member.kv, ToJson(member.record));
    }
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{ToWire(group.record)});
  });
}

}  // namespace mikura::control
