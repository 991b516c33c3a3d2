// SPDX-License-Identifier: Apache-2.0
// A user group: the users that caches have which use it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/model/api_error.h"
#include "control/model/user.h"

namespace mikura::control {

struct UserGroup {
  std::string id;
  std::string account;
  std::string region;
  std::string engine;
  std::string status;                 // creating, active, modifying, deleting
  std::vector<std::string> user_ids;  // wanted
  // Those that the running caches of the group were last seen with.
  std::vector<std::string> applied_user_ids;
  std::map<std::string, std::string> tags;

  std::string ArnOf() const;
  bool Has(std::string_view user_id) const;
};

// Errors: kInvalidParameterValue.
ApiResult<std::string> UserGroupIdOf(std::string_view text);

// Whether the group may consist of these users.
// Errors: kInvalidParameterValue for too many and for one of another engine; kDuplicateUserName;
// kDefaultUserRequired: a redis group says what clients may do that do not log in. In a valkey
// group without such a user they may do nothing.
ApiResult<> CheckMembers(const UserGroup& group, const std::vector<User>& users);

std::string ToJson(const UserGroup& group);
Result<UserGroup> UserGroupFromJson(std::string_view text);

}  // namespace mikura::control
