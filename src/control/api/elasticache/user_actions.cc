// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/user_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/numbers.h"
#include "control/api/elasticache/cache_store.h"
#include "control/api/elasticache/user_answers.h"
#include "control/api/elasticache/user_store.h"

namespace mikura::control {
namespace {

constexpr size_t kUsersMax = 1000;

ApiError Value(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

template <typename Request>
AskedAuthentication AuthenticationOf(const Request& request) {
  AskedAuthentication asked;
  if (request.authentication_mode) {
    asked.type = request.authentication_mode->type.value_or("");
    asked.mode_passwords = request.authentication_mode->passwords;
  }
  asked.passwords = request.passwords;
  asked.no_password_required = request.no_password_required;
  return asked;
}

ApiResult<> CheckChangeable(const User& user) {
  if (user.id == kDefaultUser) {
    return Value(
        "The user default cannot be modified or deleted. Make a user with another id and the name "
        "default, and put it into the user group in its place.");
  }
  if (user.status == kStatusActive) return Ok();
  return ApiError{ApiErrorCode::kInvalidUserState,
                  fmt::format("User {} has status {}.", user.id, user.status)};
}

ApiResult<User> BuildUser(const ActionContext& context,
                          const elasticache::CreateUserRequest& request) {
  User user;
  user.account = context.account_id;
  user.region = context.region;
  user.status = kStatusCreating;
  ASSIGN_OR_RETURN(user.id, UserIdOf(request.user_id));
  RETURN_IF_ERROR(CheckUserName(request.user_name));
  user.name = request.user_name;
  ASSIGN_OR_RETURN(user.engine, AccessEngineOf(request.engine));
  RETURN_IF_ERROR(CheckAccessString(request.access_string, context.access_rules));
  user.access_string = request.access_string;
  RETURN_IF_ERROR(SetAuthentication(user, AuthenticationOf(request)));
  ASSIGN_OR_RETURN(user.tags, TagsOf(request.tags));
  return user;
}

ApiResult<> ChangeUser(User& user, const elasticache::ModifyUserRequest& request,
                       const ActionContext& context) {
  const AskedAuthentication authentication = AuthenticationOf(request);
  if (!request.access_string && !request.append_access_string && !request.engine &&
      authentication.empty()) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination, "No modifications were requested"};
  }
  if (request.access_string && request.append_access_string) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "AccessString and AppendAccessString exclude each other."};
  }
  if (request.access_string) user.access_string = *request.access_string;
  if (request.append_access_string) user.access_string += " " + *request.append_access_string;
  if (request.access_string || request.append_access_string) {
    RETURN_IF_ERROR(CheckAccessString(user.access_string, context.access_rules));
  }
  if (!authentication.empty()) RETURN_IF_ERROR(SetAuthentication(user, authentication));
  if (request.engine) {
    ASSIGN_OR_RETURN(user.engine, AccessEngineOf(*request.engine));
  }
  user.status = kStatusModifying;
  return Ok();
}

// The groups of a user whose engine changes may have one of that engine, and stay as they are.
ApiResult<> HoldGroups(const User& user, const std::vector<Stored<UserGroup>>& groups,
                       Change& change) {
  for (const auto& group : groups) {
    if (!group.record.Has(user.id)) continue;
    if (group.record.engine == "redis" && user.engine != "redis") {
      return Value(
          fmt::format("User {} is in the user group {} of redis: change the engine of the group "
                      "first.",
                      user.id, group.record.id));
    }
    change.Touch(group.kv);
  }
  return Ok();
}

// Takes the user out of its groups.
ApiResult<std::vector<std::string>> LeaveGroups(const UserStore& store, const User& user,
                                                Change& change) {
  ASSIGN_OR_RETURN(auto groups, store.Groups());
  for (auto& group : groups) {
    if (!group.record.Has(user.id)) continue;
    if (user.name == kDefaultUser && group.record.engine == "redis") {
      return ApiError{ApiErrorCode::kDefaultUserAssociatedToUserGroup,
                      fmt::format("User {} is the default user of the user group {}.", user.id,
                                  group.record.id)};
    }
    std::erase(group.record.user_ids, user.id);
    if (group.record.status == kStatusActive) group.record.status = kStatusModifying;
    change.Replace(group.kv, ToJson(group.record));
  }
  return GroupsOf(user, groups);
}

// "UserName", "user-name" and "USER_NAME" are the same.
std::string FilterName(std::string_view text) {
  std::string name = ToLower(text);
  std::erase_if(name, [](char c) { return c == '-' || c == '_'; });
  return name;
}

ApiResult<bool> Passes(const User& user, const std::vector<std::string>& group_ids,
                       const elasticache::Filter& filter) {
  const std::string name = FilterName(filter.name);
  std::vector<std::string> texts;
  if (name == "userid") {
    texts = {user.id};
  } else if (name == "username") {
    texts = {user.name};
  } else if (name == "engine") {
    texts = {user.engine};
  } else if (name == "status") {
    texts = {user.status};
  } else if (name == "usergroupid") {
    texts = group_ids;
  } else {
    return Value(
        fmt::format("{} is no filter of users. There are UserId, UserName, UserGroupId, "
                    "Engine and Status.",
                    filter.name));
  }
  return std::any_of(filter.values.begin(), filter.values.end(), [&](const std::string& value) {
    return std::find(texts.begin(), texts.end(), value) != texts.end();
  });
}

ApiResult<bool> IsAskedFor(const User& user, const std::vector<std::string>& group_ids,
                           const elasticache::DescribeUsersRequest& request) {
  bool passes = !request.engine || EqualsIgnoreCase(*request.engine, user.engine);
  for (const elasticache::Filter& filter : request.filters) {
    ASSIGN_OR_RETURN(const bool fits, Passes(user, group_ids, filter));
    passes = passes && fits;
  }
  return passes;
}

}  // namespace

ApiResult<elasticache::CreateUserResult> CreateUser(ActionContext& context,
                                                    const elasticache::CreateUserRequest& request) {
  ASSIGN_OR_RETURN(const User user, BuildUser(context, request));
  const UserStore store(context);
  ASSIGN_OR_RETURN(const auto users, store.Users());
  if (users.size() >= kUsersMax) {
    return ApiError{ApiErrorCode::kUserQuotaExceeded,
                    fmt::format("There are {} users already.", users.size())};
  }
  const ApiError exists{ApiErrorCode::kUserAlreadyExists,
                        fmt::format("User {} already exists.", user.id)};
  if (user.id == kDefaultUser) return exists;
  Change change;
  change.Create(store.KeyOf(user), ToJson(user));
  ASSIGN_OR_RETURN(const bool created, NetworkStore(context).Apply(change));
  if (!created) return exists;
  return UserAnswer<elasticache::CreateUserResult>(user, {});
}

ApiResult<elasticache::ModifyUserResult> ModifyUser(ActionContext& context,
                                                    const elasticache::ModifyUserRequest& request) {
  using Result = elasticache::ModifyUserResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    const UserStore store(context);
    ASSIGN_OR_RETURN(auto user, store.FindUser(request.user_id));
    RETURN_IF_ERROR(CheckChangeable(user.record));
    RETURN_IF_ERROR(ChangeUser(user.record, request, context));
    ASSIGN_OR_RETURN(const auto groups, store.Groups());
    Change change;
    if (request.engine) RETURN_IF_ERROR(HoldGroups(user.record, groups, change));
    store.Put(change, user);
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(UserAnswer<Result>(user.record, GroupsOf(user.record, groups)));
  });
}

ApiResult<elasticache::DeleteUserResult> DeleteUser(ActionContext& context,
                                                    const elasticache::DeleteUserRequest& request) {
  using Result = elasticache::DeleteUserResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    const UserStore store(context);
    ASSIGN_OR_RETURN(auto user, store.FindUser(request.user_id));
    RETURN_IF_ERROR(CheckChangeable(user.record));
    Change change;
    ASSIGN_OR_RETURN(const auto groups, LeaveGroups(store, user.record, change));
    user.record.status = kStatusDeleting;
    store.Put(change, user);
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(UserAnswer<Result>(user.record, groups));
  });
}

ApiResult<elasticache::DescribeUsersResult> DescribeUsers(
    ActionContext& context, const elasticache::DescribeUsersRequest& request) {
  const UserStore store(context);
  if (request.engine) RETURN_IF_ERROR(AccessEngineOf(*request.engine));
  std::vector<Stored<User>> users;
  if (request.user_id) {
    ASSIGN_OR_RETURN(auto user, store.FindUser(*request.user_id));
    users.push_back(std::move(user));
  } else {
    ASSIGN_OR_RETURN(users, store.Users());
  }
  ASSIGN_OR_RETURN(const auto groups, store.Groups());
  std::vector<Stored<User>> asked;
  for (auto& user : users) {
    ASSIGN_OR_RETURN(const bool wanted,
                     IsAskedFor(user.record, GroupsOf(user.record, groups), request));
    if (wanted) asked.push_back(std::move(user));
  }
  ASSIGN_OR_RETURN(auto page, PageOf(
                                  std::move(asked), [](const auto& user) { return user.record.id; },
                                  request.max_records, request.marker));
  elasticache::DescribeUsersResult result;
  result.marker = page.next_token;
  for (const auto& user : page.items) {
    result.users.push_back(
        UserAnswer<elasticache::User>(user.record, GroupsOf(user.record, groups)));
  }
  return result;
}

}  // namespace mikura::control
