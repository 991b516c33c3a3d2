// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/group_access_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "control/api/elasticache/cache_store.h"
#include "control/api/elasticache/user_answers.h"
#include "control/api/elasticache/user_store.h"

namespace mikura::control {
namespace {

ApiError Value(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

ApiResult<std::vector<std::string>> GroupIdsOf(const std::vector<std::string>& texts) {
  std::vector<std::string> ids;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(std::string id, UserGroupIdOf(text));
    ids.push_back(std::move(id));
  }
  return ids;
}

// The user groups that are given to the replication group stay, and are whole.
ApiResult<> HoldUserGroups(const ActionContext& context, const std::vector<std::string>& ids,
                           const ReplicationGroup& group, Change& change) {
  const UserStore store(context);
  for (const std::string& id : ids) {
    ASSIGN_OR_RETURN(const auto users, store.FindGroup(id));
    if (users.record.status != kStatusActive) {
      return ApiError{ApiErrorCode::kInvalidUserGroupState,
                      fmt::format("User group {} has status {}.", id, users.record.status)};
    }
    if (group.engine == "redis" && users.record.engine != "redis") {
      return Value(fmt::format("User group {} is of the engine {}, the replication group of redis.",
                               id, users.record.engine));
    }
    change.Touch(users.kv);
  }
  return Ok();
}

bool HasToken(const AccessWish& wish) { return !wish.auth_token_hashes.empty(); }

elasticache::ReplicationGroupPendingModifiedValues PendingOf(const GroupAccess& access) {
  const AccessWish& wanted = access.wanted;
  const AccessWish& applied = access.applied;
  elasticache::ReplicationGroupPendingModifiedValues pending;
  if (wanted.auth_token_hashes != applied.auth_token_hashes && HasToken(wanted)) {
    pending.auth_token_status = wanted.auth_token_hashes.size() > 1 ? "ROTATING" : "SETTING";
  }
  if (wanted.user_group_ids != applied.user_group_ids) {
    elasticache::UserGroupsUpdateStatus groups;
    groups.user_group_ids_to_add = Without(wanted.user_group_ids, applied.user_group_ids);
    groups.user_group_ids_to_remove = Without(applied.user_group_ids, wanted.user_group_ids);
    pending.user_groups = std::move(groups);
  }
  if (wanted.tls_mode != applied.tls_mode) {
    pending.transit_encryption_enabled = !wanted.tls_mode.empty();
    if (!wanted.tls_mode.empty()) pending.transit_encryption_mode = wanted.tls_mode;
  }
  return pending;
}

}  // namespace

ApiResult<> SetGroupAccess(const ActionContext& context,
                           const elasticache::CreateReplicationGroupRequest& request,
                           ReplicationGroup& group, Change& change) {
  if (request.at_rest_encryption_enabled.value_or(false)) {
    return Value(
        "AtRestEncryptionEnabled is not available: what nodes keep on this machine's disks is not "
        "encrypted by the service.");
  }
  AskedAccess asked;
  asked.tls_enabled = request.transit_encryption_enabled;
  asked.tls_mode = request.transit_encryption_mode;
  asked.auth_token = request.auth_token;
  ASSIGN_OR_RETURN(asked.user_groups_to_add, GroupIdsOf(request.user_group_ids));
  RETURN_IF_ERROR(SetAccess(group.access, asked, context.clock.NowMillis()));
  return HoldUserGroups(context, group.access.wanted.user_group_ids, group, change);
}

ApiResult<bool> ModifyGroupAccess(const ActionContext& context,
                                  const elasticache::ModifyReplicationGroupRequest& request,
                                  ReplicationGroup& group, Change& change) {
  AskedAccess asked;
  asked.tls_enabled = request.transit_encryption_enabled;
  asked.tls_mode = request.transit_encryption_mode;
  asked.auth_token = request.auth_token;
  asked.auth_token_strategy = request.auth_token_update_strategy;
  asked.remove_user_groups = request.remove_user_groups.value_or(false);
  ASSIGN_OR_RETURN(asked.user_groups_to_add, GroupIdsOf(request.user_group_ids_to_add));
  ASSIGN_OR_RETURN(asked.user_groups_to_remove, GroupIdsOf(request.user_group_ids_to_remove));
  if (asked.empty()) return false;
  RETURN_IF_ERROR(ChangeAccess(group.access, asked, context.clock.NowMillis()));
  RETURN_IF_ERROR(HoldUserGroups(context, asked.user_groups_to_add, group, change));
  if (group.access.wanted != group.access.applied) group.status = kStatusModifying;
  return true;
}

void ShowAccess(const GroupAccess& access, elasticache::ReplicationGroup& wire) {
  const AccessWish& applied = access.applied;
  wire.auth_token_enabled = HasToken(applied);
  if (access.auth_token_changed_at != 0) {
    wire.auth_token_last_modified_date = access.auth_token_changed_at;
  }
  wire.transit_encryption_enabled = !applied.tls_mode.empty();
  if (!applied.tls_mode.empty()) wire.transit_encryption_mode = applied.tls_mode;
  wire.at_rest_encryption_enabled = false;
  wire.user_group_ids = applied.user_group_ids;
  const auto pending = PendingOf(access);
  auto& shown = wire.pending_modified_values;
  if (!shown) shown = elasticache::ReplicationGroupPendingModifiedValues{};
  shown->auth_token_status = pending.auth_token_status;
  shown->user_groups = pending.user_groups;
  shown->transit_encryption_enabled = pending.transit_encryption_enabled;
  shown->transit_encryption_mode = pending.transit_encryption_mode;
}

ApiResult<> ShowAccess(const ActionContext& context, std::vector<elasticache::CacheCluster>& wire) {
  ASSIGN_OR_RETURN(const auto groups, CacheStore(context).Groups());
  std::map<std::string, const ReplicationGroup*> records;
  for (const auto& group : groups) records[group.record.id] = &group.record;
  for (elasticache::CacheCluster& cluster : wire) {
    const auto found = records.find(cluster.replication_group_id.value_or(""));
    if (found == records.end()) continue;
    const GroupAccess& access = found->second->access;
    cluster.replication_group_log_delivery_enabled = !found->second->log_deliveries.empty();
    cluster.auth_token_enabled = HasToken(access.applied);
    if (access.auth_token_changed_at != 0) {
      cluster.auth_token_last_modified_date = access.auth_token_changed_at;
    }
    cluster.transit_encryption_enabled = !access.applied.tls_mode.empty();
    if (!access.applied.tls_mode.empty()) cluster.transit_encryption_mode = access.applied.tls_mode;
  }
  return Ok();
}

}  // namespace mikura::control
