// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/user_group_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/numbers.h"
#include "control/api/elasticache/cache_store.h"
#include "control/api/elasticache/user_answers.h"
#include "control/api/elasticache/user_store.h"

namespace mikura::control {
namespace {

constexpr size_t kGroupsMax = 100;

ApiError Value(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

// The users as they stand; one that is being deleted is none any more.
ApiResult<std::vector<Stored<User>>> FindUsers(const UserStore& store,
                                               const std::vector<std::string>& ids) {
  std::vector<Stored<User>> users;
  for (const std::string& id : ids) {
    ASSIGN_OR_RETURN(auto user, store.FindUser(id));
    if (user.record.status == kStatusDeleting) {
      return ApiError{ApiErrorCode::kUserNotFound, fmt::format("User {} is being deleted.", id)};
    }
    users.push_back(std::move(user));
  }
  return users;
}

ApiResult<std::vector<std::string>> IdsOnce(const std::vector<std::string>& given) {
  std::vector<std::string> ids;
  for (const std::string& text : given) {
    ASSIGN_OR_RETURN(std::string id, UserIdOf(text));
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) {
      return Value(fmt::format("The user {} is named twice.", id));
    }
    ids.push_back(std::move(id));
  }
  return ids;
}

// Checks the group's users and adds to `change` that they stay.
ApiResult<> HoldUsers(const UserStore& store, const UserGroup& group, Change& change) {
  ASSIGN_OR_RETURN(const auto users, FindUsers(store, group.user_ids));
  std::vector<User> records;
  for (const auto& user : users) {
    records.push_back(user.record);
    store.Touch(change, user);
  }
  return CheckMembers(group, records);
}

ApiResult<> CheckActive(const UserGroup& group) {
  if (group.status == kStatusActive) return Ok();
  return ApiError{ApiErrorCode::kInvalidUserGroupState,
                  fmt::format("User group {} has status {}.", group.id, group.status)};
}

ApiResult<> ChangeMembers(UserGroup& group, const elasticache::ModifyUserGroupRequest& request) {
  if (request.user_ids_to_add.empty() && request.user_ids_to_remove.empty() && !request.engine) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination, "No modifications were requested"};
  }
  ASSIGN_OR_RETURN(const auto added, IdsOnce(request.user_ids_to_add));
  ASSIGN_OR_RETURN(const auto removed, IdsOnce(request.user_ids_to_remove));
  for (const std::string& id : removed) {
    if (std::erase(group.user_ids, id) == 0) {
      return Value(fmt::format("User {} is not in the user group {}.", id, group.id));
    }
  }
  for (const std::string& id : added) {
    if (group.Has(id)) return Value(fmt::format("User {} is in the user group already.", id));
    group.user_ids.push_back(id);
  }
  if (request.engine) {
    ASSIGN_OR_RETURN(group.engine, AccessEngineOf(*request.engine));
  }
  group.status = kStatusModifying;
  return Ok();
}

// A replication group of redis has user groups of redis alone; one of valkey has either.
ApiResult<> CheckCaches(const UserGroup& group,
                        const std::vector<Stored<ReplicationGroup>>& caches) {
  if (group.engine == "redis") return Ok();
  const std::vector<std::string> users = ReplicationGroupsOf(group, caches);
  for (const auto& cache : caches) {
    const bool is_of_group = std::find(users.begin(), users.end(), cache.record.id) != users.end();
    if (!is_of_group || cache.record.engine != "redis") continue;
    return Value(
        fmt::format("User group {} is in use by the replication group {}, whose engine is redis.",
                    group.id, cache.record.id));
  }
  return Ok();
}

ApiResult<std::vector<std::string>> CachesOf(const ActionContext& context, const UserGroup& group) {
  ASSIGN_OR_RETURN(const auto caches, CacheStore(context).Groups());
  return ReplicationGroupsOf(group, caches);
}

}  // namespace

ApiResult<elasticache::CreateUserGroupResult> CreateUserGroup(
    ActionContext& context, const elasticache::CreateUserGroupRequest& request) {
  using Result = elasticache::CreateUserGroupResult;
  UserGroup group;
  group.account = context.account_id;
  group.region = context.region;
  group.status = kStatusCreating;
  ASSIGN_OR_RETURN(group.id, UserGroupIdOf(request.user_group_id));
  ASSIGN_OR_RETURN(group.engine, AccessEngineOf(request.engine));
  ASSIGN_OR_RETURN(group.user_ids, IdsOnce(request.user_ids));
  ASSIGN_OR_RETURN(group.tags, TagsOf(request.tags));
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    const UserStore store(context);
    ASSIGN_OR_RETURN(const bool exists, store.Exists(store.KeyOf(group)));
    if (exists) {
      return ApiError{ApiErrorCode::kUserGroupAlreadyExists,
                      fmt::format("User group {} already exists.", group.id)};
    }
    ASSIGN_OR_RETURN(const auto groups, store.Groups());
    if (groups.size() >= kGroupsMax) {
      return ApiError{ApiErrorCode::kUserGroupQuotaExceeded,
                      fmt::format("There are {} user groups already.", groups.size())};
    }
    Change change;
    RETURN_IF_ERROR(HoldUsers(store, group, change));
    change.Create(store.KeyOf(group), ToJson(group));
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(UserGroupAnswer<Result>(group, {}));
  });
}

ApiResult<elasticache::ModifyUserGroupResult> ModifyUserGroup(
    ActionContext& context, const elasticache::ModifyUserGroupRequest& request) {
  using Result = elasticache::ModifyUserGroupResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    const UserStore store(context);
    ASSIGN_OR_RETURN(auto group, store.FindGroup(request.user_group_id));
    RETURN_IF_ERROR(CheckActive(group.record));
    RETURN_IF_ERROR(ChangeMembers(group.record, request));
    Change change;
    RETURN_IF_ERROR(HoldUsers(store, group.record, change));
    change.Replace(group.kv, ToJson(group.record));
    ASSIGN_OR_RETURN(const auto caches, CacheStore(context).Groups());
    if (request.engine) RETURN_IF_ERROR(CheckCaches(group.record, caches));
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(
        UserGroupAnswer<Result>(group.record, ReplicationGroupsOf(group.record, caches)));
  });
}

ApiResult<elasticache::DeleteUserGroupResult> DeleteUserGroup(
    ActionContext& context, const elasticache::DeleteUserGroupRequest& request) {
  using Result = elasticache::DeleteUserGroupResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    const UserStore store(context);
    ASSIGN_OR_RETURN(auto group, store.FindGroup(request.user_group_id));
    RETURN_IF_ERROR(CheckActive(group.record));
    ASSIGN_OR_RETURN(const auto caches, CachesOf(context, group.record));
    if (!caches.empty()) {
      return ApiError{ApiErrorCode::kInvalidUserGroupState,
                      fmt::format("User group {} is in use by the replication group {}.",
                                  group.record.id, caches.front())};
    }
    Change change;
    group.record.status = kStatusDeleting;
    change.Replace(group.kv, ToJson(group.record));
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(UserGroupAnswer<Result>(group.record, {}));
  });
}

ApiResult<elasticache::DescribeUserGroupsResult> DescribeUserGroups(
    ActionContext& context, const elasticache::DescribeUserGroupsRequest& request) {
  const UserStore store(context);
  std::vector<Stored<UserGroup>> groups;
  if (request.user_group_id) {
    ASSIGN_OR_RETURN(auto group, store.FindGroup(*request.user_group_id));
    groups.push_back(std::move(group));
  } else {
    ASSIGN_OR_RETURN(groups, store.Groups());
  }
  ASSIGN_OR_RETURN(const auto caches, CacheStore(context).Groups());
  ASSIGN_OR_RETURN(auto page,
                   PageOf(
                       std::move(groups), [](const auto& group) { return group.record.id; },
                       request.max_records, request.marker));
  elasticache::DescribeUserGroupsResult result;
  result.marker = page.next_token;
  for (const auto& group : page.items) {
    result.user_groups.push_back(UserGroupAnswer<elasticache::UserGroup>(
        group.record, ReplicationGroupsOf(group.record, caches)));
  }
  return result;
}

}  // namespace mikura::control
