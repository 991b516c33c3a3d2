// SPDX-License-Identifier: Apache-2.0
// What an answer shows of users and user groups. The results of single operations have the same
// members as the shapes in lists.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "control/api/elasticache/elasticache_api.h"
#include "control/model/user.h"
#include "control/model/user_group.h"

namespace mikura::control {

template <typename Wire>
Wire UserAnswer(const User& user, const std::vector<std::string>& group_ids) {
  Wire wire;
  wire.user_id = user.id;
  wire.user_name = user.name;
  wire.status = user.status;
  wire.engine = user.engine;
  wire.minimum_engine_version = user.engine == "valkey" ? "7.2" : "6.0";
  wire.access_string = user.access_string;
  wire.user_group_ids = group_ids;
  elasticache::Authentication authentication;
  authentication.type = user.AuthenticationType();
  if (!user.no_password) {
    authentication.password_count = static_cast<int32_t>(user.password_hashes.size());
  }
  wire.authentication = std::move(authentication);
  wire.arn = user.ArnOf();
  return wire;
}

// The ids in `ids` that are not in `others`.
inline std::vector<std::string> Without(std::vector<std::string> ids,
                                        const std::vector<std::string>& others) {
  std::erase_if(ids, [&](const std::string& id) {
    return std::find(others.begin(), others.end(), id) != others.end();
  });
  return ids;
}

template <typename Wire>
Wire UserGroupAnswer(const UserGroup& group, const std::vector<std::string>& cache_ids) {
  Wire wire;
  wire.user_group_id = group.id;
  wire.status = group.status;
  wire.engine = group.engine;
  wire.user_ids = group.status == "creating" ? group.user_ids : group.applied_user_ids;
  wire.minimum_engine_version = group.engine == "valkey" ? "7.2" : "6.0";
  elasticache::UserGroupPendingChanges pending;
  pending.user_ids_to_add = Without(group.user_ids, wire.user_ids);
  pending.user_ids_to_remove = Without(wire.user_ids, group.user_ids);
  if (!pending.user_ids_to_add.empty() || !pending.user_ids_to_remove.empty()) {
    wire.pending_changes = std::move(pending);
  }
  wire.replication_groups = cache_ids;
  wire.arn = group.ArnOf();
  return wire;
}

}  // namespace mikura::control
