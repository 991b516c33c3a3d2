// SPDX-License-Identifier: Apache-2.0
#include "control/model/group_access.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.h"
#include "control/model/secret_hash.h"

namespace mikura::control {
namespace {

constexpr size_t kTokenMin = 16;
constexpr size_t kTokenMax = 128;

ApiError Value(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

ApiError Combination(std::string message) {
  return {ApiErrorCode::kInvalidParameterCombination, std::move(message)};
}

ApiResult<> CheckToken(const std::string& token) {
  const bool spelled = token.size() >= kTokenMin && token.size() <= kTokenMax &&
                       std::all_of(token.begin(), token.end(), [](char c) {
                         return c > ' ' && c <= '~' && c != '/' && c != '"' && c != '@';
                       });
  if (spelled) return Ok();
  return Value(
      fmt::format("AuthToken must have {} to {} printable characters other than /, \" and @.",
                  kTokenMin, kTokenMax));
}

ApiResult<> CheckUserGroups(const AccessWish& wish) {
  if (wish.user_group_ids.empty()) return Ok();
  if (wish.user_group_ids.size() > 1) {
    return Combination("A replication group has at most one user group.");
  }
  if (!wish.auth_token_hashes.empty()) {
    return Combination(
        "A replication group has either a user group or an AuthToken. Take the token away with "
        "AuthTokenUpdateStrategy DELETE, or the user group with RemoveUserGroups.");
  }
  return Ok();
}

// Passwords must not travel in the clear.
ApiResult<> CheckTls(const AccessWish& wish) {
  if (!wish.tls_mode.empty()) return Ok();
  if (!wish.auth_token_hashes.empty()) {
    return Combination("AuthToken needs TransitEncryptionEnabled.");
  }
  if (!wish.user_group_ids.empty()) {
    return Combination("User groups need TransitEncryptionEnabled.");
  }
  return Ok();
}

ApiResult<> Check(const AccessWish& wish) {
  RETURN_IF_ERROR(CheckUserGroups(wish));
  return CheckTls(wish);
}

// As the two parameters say; `before` is the mode so far.
ApiResult<std::string> TlsModeOf(const AskedAccess& asked, const std::string& before) {
  const bool enabled = asked.tls_enabled.value_or(!before.empty());
  if (!enabled) {
    if (asked.tls_mode) return Combination("TransitEncryptionMode needs TransitEncryptionEnabled.");
    return std::string();
  }
  if (asked.tls_mode) return ToLower(*asked.tls_mode);
  return before.empty() ? std::string(kTlsRequired) : before;
}

// Clients must be able to follow: step by step, by way of the mode that serves them all.
ApiResult<> ChangeTls(AccessWish& wish, const AskedAccess& asked) {
  ASSIGN_OR_RETURN(std::string mode, TlsModeOf(asked, wish.tls_mode));
  if (wish.tls_mode.empty() && mode == kTlsRequired) {
    return Combination(
        "Encryption in transit is turned on with TransitEncryptionMode preferred first, then "
        "required.");
  }
  if (wish.tls_mode == kTlsRequired && mode.empty()) {
    return Combination(
        "Encryption in transit is turned off by way of TransitEncryptionMode preferred.");
  }
  wish.tls_mode = std::move(mode);
  return Ok();
}

ApiResult<> ChangeToken(GroupAccess& access, const AskedAccess& asked, UnixMillis now) {
  if (!asked.auth_token && !asked.auth_token_strategy) return Ok();
  // As of old: without a word a token is rotated in.
  const std::string strategy = ToUpper(asked.auth_token_strategy.value_or("ROTATE"));
  AccessWish& wish = access.wanted;
  access.auth_token_changed_at = now;
  if (strategy == "DELETE") {
    if (asked.auth_token) return Combination("The strategy DELETE takes no AuthToken.");
    if (wish.auth_token_hashes.empty()) return Combination("There is no AuthToken to delete.");
    if (asked.user_groups_to_add.empty()) {
      return Combination(
          "The strategy DELETE goes together with UserGroupIdsToAdd: the group would be open.");
    }
    wish.auth_token_hashes.clear();
    wish.serves_without_token = false;
    return Ok();
  }
  if (!asked.auth_token)
    return Combination(fmt::format("The strategy {} needs AuthToken.", strategy));
  RETURN_IF_ERROR(CheckToken(*asked.auth_token));
  std::string hash = HashSecret(*asked.auth_token);
  if (strategy == "SET") {
    wish.auth_token_hashes = {std::move(hash)};
    wish.serves_without_token = false;
    return Ok();
  }
  if (wish.auth_token_hashes.empty()) wish.serves_without_token = true;
  std::erase(wish.auth_token_hashes, hash);
  wish.auth_token_hashes.push_back(std::move(hash));
  if (wish.auth_token_hashes.size() > 2)
    wish.auth_token_hashes.erase(wish.auth_token_hashes.begin());
  return Ok();
}

ApiResult<> ChangeUserGroups(AccessWish& wish, const AskedAccess& asked) {
  if (asked.remove_user_groups) {
    if (!asked.user_groups_to_add.empty() || !asked.user_groups_to_remove.empty()) {
      return Combination("RemoveUserGroups excludes UserGroupIdsToAdd and UserGroupIdsToRemove.");
    }
    wish.user_group_ids.clear();
    return Ok();
  }
  for (const std::string& id : asked.user_groups_to_remove) {
    if (std::erase(wish.user_group_ids, id) == 0) {
      return Value(fmt::format("The user group {} is none of the replication group.", id));
    }
  }
  for (const std::string& id : asked.user_groups_to_add) {
    std::erase(wish.user_group_ids, id);
    wish.user_group_ids.push_back(id);
  }
  return Ok();
}

}  // namespace

ApiResult<> SetAccess(GroupAccess& access, const AskedAccess& asked, UnixMillis now) {
  AccessWish& wish = access.wanted;
  ASSIGN_OR_RETURN(wish.tls_mode, TlsModeOf(asked, ""));
  if (asked.auth_token) {
    RETURN_IF_ERROR(CheckToken(*asked.auth_token));
    wish.auth_token_hashes = {HashSecret(*asked.auth_token)};
    access.auth_token_changed_at = now;
  }
  wish.user_group_ids = asked.user_groups_to_add;
  RETURN_IF_ERROR(Check(wish));
  access.applied = wish;  // what is being created is shown as it is to be
  return Ok();
}

ApiResult<> ChangeAccess(GroupAccess& access, const AskedAccess& asked, UnixMillis now) {
  RETURN_IF_ERROR(ChangeTls(access.wanted, asked));
  RETURN_IF_ERROR(ChangeToken(access, asked, now));
  RETURN_IF_ERROR(ChangeUserGroups(access.wanted, asked));
  return Check(access.wanted);
}

}  // namespace mikura::control
