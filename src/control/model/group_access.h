// SPDX-License-Identifier: Apache-2.0
// Who may use a replication group: users, AUTH tokens, TLS; what is wanted and what its nodes were
// last seen with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "control/model/api_error.h"

namespace mikura::control {

inline constexpr char kTlsPreferred[] = "preferred";
inline constexpr char kTlsRequired[] = "required";

struct AccessWish {
  std::vector<std::string> user_group_ids;
  std::vector<std::string> auth_token_hashes;  // any of them; two while one is being rotated
  // A first token that is "rotated" in: clients without one are served too until it is set.
  bool serves_without_token = false;
  std::string tls_mode;  // empty: none; kTlsPreferred, kTlsRequired

  bool operator==(const AccessWish&) const = default;
};

struct GroupAccess {
  AccessWish wanted;
  AccessWish applied;
  UnixMillis auth_token_changed_at = 0;
};

template <typename Visitor>
void VisitFields(Visitor& visit, AccessWish& wish) {
  visit("user_group_ids", wish.user_group_ids);
  visit("auth_token_hashes", wish.auth_token_hashes);
  visit("serves_without_token", wish.serves_without_token);
  visit("tls_mode", wish.tls_mode);
}

template <typename Visitor>
void VisitFields(Visitor& visit, GroupAccess& access) {
  visit("wanted", access.wanted);
  visit("applied", access.applied);
  visit("auth_token_changed_at", access.auth_token_changed_at);
}

// What a request says of access; nullopt and empty mean "not given".
struct AskedAccess {
  std::optional<bool> tls_enabled;
  std::optional<std::string> tls_mode;
  std::optional<std::string> auth_token;
  std::optional<std::string> auth_token_strategy;  // SET, ROTATE, DELETE; of a modification
  std::vector<std::string> user_groups_to_add;     // ids in lower case
  std::vector<std::string> user_groups_to_remove;
  bool remove_user_groups = false;

  bool empty() const {
    return !tls_enabled && !tls_mode && !auth_token && !auth_token_strategy &&
           user_groups_to_add.empty() && user_groups_to_remove.empty() && !remove_user_groups;
  }
};

// Of a new group, and of one that is changed; `now` is noted where the token changes.
// Errors: kInvalidParameterValue, kInvalidParameterCombination; `access` is to be thrown away then.
ApiResult<> SetAccess(GroupAccess& access, const AskedAccess& asked, UnixMillis now);
ApiResult<> ChangeAccess(GroupAccess& access, const AskedAccess& asked, UnixMillis now);

}  // namespace mikura::control
