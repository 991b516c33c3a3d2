// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/access_workflow.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "control/metadata/metadata_keys.h"
#include "control/reconciler/event_log.h"

namespace mikura::control {
namespace {

constexpr char kEverything[] = "~* &* +@all";

// What has become of a record with that status.
std::string_view DoneOf(std::string_view status) {
  if (status == kStatusCreating) return "created";
  return status == kStatusDeleting ? "deleted" : "modified";
}

bool Holds(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool Uses(const ReplicationGroup& cache, const UserGroup& group) {
  return cache.account == group.account && cache.region == group.region &&
         (Holds(cache.access.wanted.user_group_ids, group.id) ||
          Holds(cache.access.applied.user_group_ids, group.id));
}

// Of the group's users those that there are, by name.
std::map<std::string, std::string> LinesOf(const UserGroup& group, const Inventory& inventory) {
  std::map<std::string, std::string> lines;
  for (const std::string& id : group.user_ids) {
    const auto found = inventory.users.find(UsersPrefix(group.account, group.region) + id);
    if (found != inventory.users.end()) {
      const User& user = found->second.record;
      if (user.status != kStatusDeleting) lines[user.name] = AccessLineOf(user);
    } else if (id == kDefaultUser) {
      lines[id] = AccessLineOf(BuiltInDefaultUser(group.account, group.region));
    }
  }
  return lines;
}

NodeAccess AccessOf(const ReplicationGroup& group, const ShardMember& member,
                    const std::string& users) {
  NodeAccess access;
  access.users = users;
  access.link = group.ShardKey();
  access.tls_mode = group.access.wanted.tls_mode;
  if (access.tls_mode.empty()) return access;
  // Whichever of the group's addresses a client comes to.
  access.addresses = {member.spec.endpoint.address, group.primary_endpoint.address,
                      group.reader_endpoint.address};
  return access;
}

}  // namespace

std::string TokenUsersText(const AccessWish& wish) {
  std::string line = fmt::format("user {} on {}", kDefaultUser, kEverything);
  // With "nopass" any password is taken, the token too.
  if (wish.auth_token_hashes.empty() || wish.serves_without_token) return line + " nopass\n";
  for (const std::string& hash : wish.auth_token_hashes) line += " #" + hash;
  return line + "\n";
}

std::string UsersTextOf(const ReplicationGroup& group, const Inventory& inventory) {
  const AccessWish& wish = group.access.wanted;
  if (wish.user_group_ids.empty()) return TokenUsersText(wish);
  std::map<std::string, std::string> lines;
  for (const std::string& id : wish.user_group_ids) {
    const auto found =
        inventory.user_groups.find(UserGroupsPrefix(group.account, group.region) + id);
    if (found != inventory.user_groups.end()) lines.merge(LinesOf(found->second.record, inventory));
  }
  // Else the engine would have its own, who may do everything (A2).
  lines.emplace(kDefaultUser, fmt::format("user {} off", kDefaultUser));
  std::string text;
  for (const auto& [name, line] : lines) text += line + "\n";
  return text;
}

bool AccessWorkflow::Apply(const Loaded<ReplicationGroup>& group, const Inventory& inventory,
                           const std::vector<ShardMember>& members) {
  const std::string users = UsersTextOf(group.record, inventory);
  bool in_step = true;
  for (const ShardMember& member : members) {
    const NodeAccess access = AccessOf(group.record, member, users);
    // One that runs and does not answer yet has what it was started with.
    if (!member.seen.Gone() && !member.seen.answering) {
      in_step = false;
      continue;
    }
    if (member.seen.answering && context_.runtime.HasAccess(member.spec.id, access)) continue;
    const Status status = context_.runtime.SetAccess(member.spec.id, access);
    Say(member.spec.id, status);
    in_step = in_step && status.ok();
  }
  if (in_step) in_step_.insert(group.kv.key);
  return in_step;
}

void AccessWorkflow::Say(const std::string& node_id, const Status& status) {
  std::string& said = failures_[node_id];
  if (status.ok()) {
    failures_.erase(node_id);
  } else if (said != status.error().message) {
    said = status.error().message;
    Log(LogLevel::kWarning, "reconciler", "node {}: access: {}", node_id, said);
  }
}

bool AccessWorkflow::IsSettled(const ReplicationGroup& group, bool in_step) {
  // A change of users alone is shown by their status.
  const bool is_known = group.status == kStatusAvailable;
  return in_step || (is_known && group.access.wanted == group.access.applied);
}

bool AccessWorkflow::NoteApplied(ReplicationGroup& group, bool in_step) {
  if (!in_step || group.access.applied == group.access.wanted) return false;
  group.access.applied = group.access.wanted;
  return true;
}

bool AccessWorkflow::IsInStep(const UserGroup& group, const Inventory& inventory) const {
  return std::all_of(inventory.groups.begin(), inventory.groups.end(), [&](const auto& cache) {
    return cache.record.status == kStatusDeleting || !Uses(cache.record, group) ||
           in_step_.count(cache.kv.key) != 0;
  });
}

bool AccessWorkflow::IsInStep(const User& user, const Inventory& inventory) const {
  return std::all_of(
      inventory.user_groups.begin(), inventory.user_groups.end(), [&](const auto& entry) {
        const UserGroup& group = entry.second.record;
        const bool has = group.account == user.account && group.region == user.region &&
                         (group.Has(user.id) || Holds(group.applied_user_ids, user.id));
        return !has || IsInStep(group, inventory);
      });
}

Result<bool> AccessWorkflow::StoreStatuses(Inventory& inventory) {
  bool settled = true;
  // Users first: what a group was last seen with says where they are.
  for (auto& [key, user] : inventory.users) {
    ASSIGN_OR_RETURN(const bool done, StoreStatus(user, inventory));
    settled = settled && done;
  }
  for (auto& [key, group] : inventory.user_groups) {
    ASSIGN_OR_RETURN(const bool done, StoreStatus(group, inventory));
    settled = settled && done;
  }
  in_step_.clear();
  return settled;
}

// A lost race (somebody changed the record meanwhile) is seen by the next pass.
Result<bool> AccessWorkflow::StoreStatus(Loaded<User>& user, const Inventory& inventory) {
  if (user.record.status == kStatusActive) return true;
  if (!IsInStep(user.record, inventory)) return false;
  const bool deleted = user.record.status == kStatusDeleting;
  const std::string message = fmt::format("User {}", DoneOf(user.record.status));
  user.record.status = kStatusActive;
  RETURN_IF_ERROR(context_.store.Transact({user.Unchanged()},
                                          {deleted ? Write::Delete(user.kv.key) : user.Put(),
                                           context_.events.Of(user.record, message)}));
  return true;
}

Result<bool> AccessWorkflow::StoreStatus(Loaded<UserGroup>& group, const Inventory& inventory) {
  UserGroup& record = group.record;
  if (record.status == kStatusActive && record.applied_user_ids == record.user_ids) return true;
  if (!IsInStep(record, inventory)) return false;
  const bool deleted = record.status == kStatusDeleting;
  const std::string message = fmt::format("User group {}", DoneOf(record.status));
  record.status = kStatusActive;
  record.applied_user_ids = record.user_ids;
  RETURN_IF_ERROR(context_.store.Transact(
      {group.Unchanged()},
      {deleted ? Write::Delete(group.kv.key) : group.Put(), context_.events.Of(record, message)}));
  return true;
}

}  // namespace mikura::control
