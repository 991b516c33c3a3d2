// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/user_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/logging.h"
#include "base/numbers.h"
#include "control/api/store_failure.h"
#include "control/metadata/metadata_keys.h"

namespace mikura::control {
namespace {

template <typename Record>
ApiResult<Stored<Record>> Decoded(const KeyValue& kv, Result<Record> record) {
  if (record.ok()) return Stored<Record>{std::move(record).value(), kv};
  Log(LogLevel::kError, "api", "{}: {}", kv.key, record.error().message);
  return ApiError{ApiErrorCode::kInternalFailure, {}};
}

template <typename Record, typename Parse>
ApiResult<std::vector<Stored<Record>>> ListAll(MetadataStore& store, const std::string& prefix,
                                               Parse parse) {
  const auto listed = store.List(prefix);
  if (!listed.ok()) return StoreFailure(listed.error());
  std::vector<Stored<Record>> records;
  for (const KeyValue& kv : *listed) {
    ASSIGN_OR_RETURN(Stored<Record> record, Decoded<Record>(kv, parse(kv.value)));
    records.push_back(std::move(record));
  }
  return records;
}

ApiResult<std::optional<KeyValue>> Find(MetadataStore& store, const std::string& key) {
  auto found = store.Get(key);
  if (!found.ok()) return StoreFailure(found.error());
  return std::move(found).value();
}

bool Holds(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

ApiResult<std::vector<Stored<User>>> UserStore::Users() const {
  ASSIGN_OR_RETURN(auto users,
                   ListAll<User>(context_.store, UsersPrefix(context_.account_id, context_.region),
                                 UserFromJson));
  const auto place = std::lower_bound(
      users.begin(), users.end(), kDefaultUser,
      [](const Stored<User>& user, std::string_view id) { return user.record.id < id; });
  if (place == users.end() || place->record.id != kDefaultUser) {
    users.insert(place, {BuiltInDefaultUser(context_.account_id, context_.region), {}});
  }
  return users;
}

ApiResult<std::vector<Stored<UserGroup>>> UserStore::Groups() const {
  return ListAll<UserGroup>(context_.store, UserGroupsPrefix(context_.account_id, context_.region),
                            UserGroupFromJson);
}

ApiResult<Stored<User>> UserStore::FindUser(std::string_view id) const {
  User named;
  named.id = ToLower(id);
  ASSIGN_OR_RETURN(const auto kv, Find(context_.store, KeyOf(named)));
  if (kv) return Decoded<User>(*kv, UserFromJson(kv->value));
  if (named.id == kDefaultUser) {
    return Stored<User>{BuiltInDefaultUser(context_.account_id, context_.region), {}};
  }
  return ApiError{ApiErrorCode::kUserNotFound, fmt::format("User {} not found.", id)};
}

ApiResult<Stored<UserGroup>> UserStore::FindGroup(std::string_view id) const {
  UserGroup named;
  named.id = ToLower(id);
  ASSIGN_OR_RETURN(const auto kv, Find(context_.store, KeyOf(named)));
  if (kv) return Decoded<UserGroup>(*kv, UserGroupFromJson(kv->value));
  return ApiError{ApiErrorCode::kUserGroupNotFound, fmt::format("User group {} not found.", id)};
}

std::string UserStore::KeyOf(const User& user) const {
  return UsersPrefix(context_.account_id, context_.region) + user.id;
}

std::string UserStore::KeyOf(const UserGroup& group) const {
  return UserGroupsPrefix(context_.account_id, context_.region) + group.id;
}

ApiResult<bool> UserStore::Exists(const std::string& key) const {
  ASSIGN_OR_RETURN(const auto kv, Find(context_.store, key));
  return kv.has_value();
}

void UserStore::Put(Change& change, const Stored<User>& user) const {
  if (user.kv.key.empty()) {
    change.Create(KeyOf(user.record), ToJson(user.record));
  } else {
    change.Replace(user.kv, ToJson(user.record));
  }
}

void UserStore::Touch(Change& change, const Stored<User>& user) const {
  // The built-in user cannot be deleted.
  if (!user.kv.key.empty()) change.Touch(user.kv);
}

std::vector<std::string> GroupsOf(const User& user, const std::vector<Stored<UserGroup>>& groups) {
  std::vector<std::string> ids;
  for (const auto& group : groups) {
    if (group.record.Has(user.id)) ids.push_back(group.record.id);
  }
  return ids;
}

std::vector<std::string> ReplicationGroupsOf(const UserGroup& group,
                                             const std::vector<Stored<ReplicationGroup>>& caches) {
  std::vector<std::string> ids;
  for (const auto& cache : caches) {
    const GroupAccess& access = cache.record.access;
    if (Holds(access.wanted.user_group_ids, group.id) ||
        Holds(access.applied.user_group_ids, group.id)) {
      ids.push_back(cache.record.id);
    }
  }
  return ids;
}

}  // namespace mikura::control
