// SPDX-License-Identifier: Apache-2.0
#include "control/model/user_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "control/model/arn.h"
#include "control/model/identifiers.h"
#include "control/model/record_json.h"

namespace mikura::control {
namespace {

constexpr size_t kUsersMax = 100;

}  // namespace

template <typename Visitor>
void VisitFields(Visitor& visit, UserGroup& group) {
  visit("id", group.id);
  visit("account", group.account);
  visit("region", group.region);
  visit("engine", group.engine);
  visit("status", group.status);
  visit("user_ids", group.user_ids);
  visit("applied_user_ids", group.applied_user_ids);
  visit("tags", group.tags);
}

std::string UserGroup::ArnOf() const { return ArnText({account, region, "usergroup", id}); }

bool UserGroup::Has(std::string_view user_id) const {
  return std::find(user_ids.begin(), user_ids.end(), user_id) != user_ids.end();
}

ApiResult<std::string> UserGroupIdOf(std::string_view text) {
  return AccessIdOf("UserGroupId", text);
}

ApiResult<> CheckMembers(const UserGroup& group, const std::vector<User>& users) {
  if (users.size() > kUsersMax) {
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    fmt::format("A user group has at most {} users.", kUsersMax)};
  }
  std::set<std::string> names;
  for (const User& user : users) {
    if (group.engine == "redis" && user.engine != "redis") {
      return ApiError{
          ApiErrorCode::kInvalidParameterValue,
          fmt::format("User {} is of the engine {}, the group of redis.", user.id, user.engine)};
    }
    if (!names.insert(user.name).second) {
      return ApiError{ApiErrorCode::kDuplicateUserName,
                      fmt::format("The group would have two users named {}.", user.name)};
    }
  }
  if (group.engine == "redis" && names.count(kDefaultUser) == 0) {
    return ApiError{ApiErrorCode::kDefaultUserRequired,
                    "A redis user group needs a user with the name default."};
  }
  return Ok();
}

std::string ToJson(const UserGroup& group) { return RecordToJson(group); }

Result<UserGroup> UserGroupFromJson(std::string_view text) {
  return RecordFromJson<UserGroup>("user group", text);
}

}  // namespace mikura::control
