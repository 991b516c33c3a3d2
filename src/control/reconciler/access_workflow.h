// SPDX-License-Identifier: Apache-2.0
// Who may use replication groups: gives each node the users, tokens and TLS that its group wants,
// and notes when all have them.
//
//   A1. A node is given its access before it is started, so it is never open for a moment.
//   A2. A group without a readable user group is closed, not open.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "control/reconciler/inventory.h"
#include "control/reconciler/reconciler_context.h"
#include "control/reconciler/shard_election.h"

namespace mikura::control {

class AccessWorkflow {
 public:
  explicit AccessWorkflow(const ReconcilerContext& context) : context_(context) {}

  // Gives every member what the group wants. Returns whether all of them have it.
  bool Apply(const Loaded<ReplicationGroup>& group, const Inventory& inventory,
             const std::vector<ShardMember>& members);
  // Whether, as far as access goes, the group is as wanted after Apply() returned `in_step`.
  static bool IsSettled(const ReplicationGroup& group, bool in_step);
  // Notes that what is wanted is so. Returns whether that is news.
  static bool NoteApplied(ReplicationGroup& group, bool in_step);

  // The statuses of users and user groups, after all groups had their step. Returns whether
  // nothing is left to do.
  // Errors: the store.
  Result<bool> StoreStatuses(Inventory& inventory);

 private:
  // Whether all replication groups that use the user group are in step in this pass.
  bool IsInStep(const UserGroup& group, const Inventory& inventory) const;
  bool IsInStep(const User& user, const Inventory& inventory) const;
  Result<bool> StoreStatus(Loaded<UserGroup>& group, const Inventory& inventory);
  Result<bool> StoreStatus(Loaded<User>& user, const Inventory& inventory);
  void Say(const std::string& node_id, const Status& status);

  const ReconcilerContext& context_;
  std::set<std::string> in_step_;  // keys of replication groups, in this pass
  // Node id -> the failure last logged, so that one that lasts is said once.
  std::map<std::string, std::string> failures_;
};

// The one user of nodes without user groups, as the text of an ACL file.
std::string TokenUsersText(const AccessWish& wish);
// The users of the group's nodes, as the text of an ACL file.
std::string UsersTextOf(const ReplicationGroup& group, const Inventory& inventory);

}  // namespace mikura::control
