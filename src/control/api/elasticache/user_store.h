// SPDX-License-Identifier: Apache-2.0
// Users and user groups of one account and region in the store.
//
//   I1. Whoever puts a user into a group, or a group onto a replication group, rewrites the record
//       of what is put there (Touch()): it cannot be deleted meanwhile.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/api/action.h"
#include "control/api/network_store.h"
#include "control/model/replication_group.h"
#include "control/model/user.h"
#include "control/model/user_group.h"

namespace mikura::control {

class UserStore {
 public:
  explicit UserStore(const ActionContext& context) : context_(context) {}

  // Sorted by id. The user `default` is always among them; while nobody has changed it, it is not
  // in the store and its key is empty.
  ApiResult<std::vector<Stored<User>>> Users() const;
  ApiResult<std::vector<Stored<UserGroup>>> Groups() const;

  // Ids are taken in any case of letters. Errors: kUserNotFound, kUserGroupNotFound.
  ApiResult<Stored<User>> FindUser(std::string_view id) const;
  ApiResult<Stored<UserGroup>> FindGroup(std::string_view id) const;

  std::string KeyOf(const User& user) const;
  std::string KeyOf(const UserGroup& group) const;
  ApiResult<bool> Exists(const std::string& key) const;

  // Writes the user in place of what was read.
  void Put(Change& change, const Stored<User>& user) const;
  // I1.
  void Touch(Change& change, const Stored<User>& user) const;

 private:
  const ActionContext& context_;
};

// The groups of the user, and the replication groups that have the group or are about to.
std::vector<std::string> GroupsOf(const User& user, const std::vector<Stored<UserGroup>>& groups);
std::vector<std::string> ReplicationGroupsOf(const UserGroup& group,
                                             const std::vector<Stored<ReplicationGroup>>& caches);

}  // namespace mikura::control
