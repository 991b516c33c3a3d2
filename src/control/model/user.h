// SPDX-License-Identifier: Apache-2.0
// A user of caches (RBAC). Its passwords are here as hashes alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/model/api_error.h"

namespace mikura::control {

inline constexpr char kStatusActive[] = "active";
// The user that is always there, and the name a client has that does not log in.
inline constexpr char kDefaultUser[] = "default";

struct User {
  std::string id;
  std::string account;
  std::string region;
  std::string name;  // with which clients log in
  std::string engine;
  std::string status;  // creating, active, modifying, deleting
  std::string access_string;
  bool no_password = false;
  std::vector<std::string> password_hashes;
  std::map<std::string, std::string> tags;

  std::string ArnOf() const;
  // "password" or "no-password".
  std::string AuthenticationType() const { return no_password ? "no-password" : "password"; }
};

// Who may do everything without a password: what a cache is without access control.
User BuiltInDefaultUser(std::string account, std::string region);

// Says what is wrong with access rules ("on ~app:* +@read"), as the engine would.
using AccessRuleCheck = std::function<Status(std::string_view rules)>;

// Names and texts of requests. Errors: kInvalidParameterValue.
ApiResult<std::string> UserIdOf(std::string_view text);
ApiResult<> CheckUserName(std::string_view text);
// "redis" or "valkey" in lower case.
ApiResult<std::string> AccessEngineOf(std::string_view text);
// check: may be null.
ApiResult<> CheckAccessString(std::string_view text, const AccessRuleCheck* check);

// What a request says of how a user authenticates; empty and nullopt mean "not given".
struct AskedAuthentication {
  std::string type;                         // AuthenticationMode.Type
  std::vector<std::string> mode_passwords;  // AuthenticationMode.Passwords
  std::vector<std::string> passwords;       // Passwords
  std::optional<bool> no_password_required;

  bool empty() const {
    return type.empty() && mode_passwords.empty() && passwords.empty() && !no_password_required;
  }
};

// Puts it into the user, in place of what was there.
// Errors: kInvalidParameterCombination; kInvalidParameterValue for passwords that are not 1 or 2 of
// 16 to 128 printable characters, and for IAM.
ApiResult<> SetAuthentication(User& user, const AskedAuthentication& asked);

// The user as a line of an engine's ACL file: "user name reset ... #hash".
std::string AccessLineOf(const User& user);

std::string ToJson(const User& user);
Result<User> UserFromJson(std::string_view text);

}  // namespace mikura::control
