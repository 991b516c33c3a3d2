// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/tag_actions.h"

#include <fmt/format.h>

#include <functional>
#include <utility>

#include "control/api/elasticache/answers.h"
#include "control/api/elasticache/cache_store.h"
#include "control/api/elasticache/user_store.h"
#include "control/model/arn.h"

namespace mikura::control {
namespace {

// Changes the tags of one record; an error leaves the store as it was.
using EditTags = std::function<ApiResult<>(Tags& tags)>;

template <typename Record>
ApiResult<Tags> Edit(Stored<Record>& record, const EditTags& edit, Change& change) {
  const Tags before = record.record.tags;
  RETURN_IF_ERROR(edit(record.record.tags));
  if (record.record.tags != before) change.Replace(record.kv, ToJson(record.record));
  return record.record.tags;
}

// The tags of a group are also those of its members.
ApiResult<Tags> EditGroup(const CacheStore& store, std::string_view id, const EditTags& edit,
                          Change& change) {
  ASSIGN_OR_RETURN(auto group, store.Group(id));
  ASSIGN_OR_RETURN(Tags tags, Edit(group, edit, change));
  for (const std::string& member_id : group.record.member_clusters) {
    if (change.writes.empty()) break;
    ASSIGN_OR_RETURN(auto member, store.Cluster(member_id));
    RETURN_IF_ERROR(Edit(
        member,
        [&](Tags& member_tags) -> ApiResult<> {
          member_tags = tags;
          return Ok();
        },
        change));
  }
  return tags;
}

// Default groups have no tags and take none.
ApiResult<Tags> EditParameterGroup(const ActionContext& context, const std::string& name,
                                   const EditTags& edit, Change& change) {
  if (!FindDefaultParameterGroup(context.account_id, context.region, name)) {
    ASSIGN_OR_RETURN(auto group, CacheStore(context).ParameterGroup(name));
    return Edit(group, edit, change);
  }
  Tags tags;
  RETURN_IF_ERROR(edit(tags));
  if (tags.empty()) return tags;
  return ApiError{ApiErrorCode::kInvalidParameterValue,
                  fmt::format("The parameter group {} is a default one and takes no tags.", name)};
}

ApiResult<Tags> EditUser(const UserStore& store, std::string_view id, const EditTags& edit,
                         Change& change) {
  ASSIGN_OR_RETURN(auto user, store.FindUser(id));
  const Tags before = user.record.tags;
  RETURN_IF_ERROR(edit(user.record.tags));
  if (user.record.tags != before) store.Put(change, user);
  return user.record.tags;
}

// Applies `edit` to what the ARN names and returns the tags it has then.
ApiResult<Tags> EditResource(ActionContext& context, const std::string& arn_text,
                             const EditTags& edit, Change& change) {
  ASSIGN_OR_RETURN(const Arn arn, ParseArn(arn_text));
  const CacheStore store(context);
  if (arn.account != context.account_id || arn.region != context.region) {
    return ApiError{ApiErrorCode::kInvalidARN,
                    fmt::format("{} is not in this account and region.", arn_text)};
  }
  if (arn.type == "replicationgroup") return EditGroup(store, arn.name, edit, change);
  if (arn.type == "cluster") {
    ASSIGN_OR_RETURN(auto cluster, store.Cluster(arn.name));
    return Edit(cluster, edit, change);
  }
  if (arn.type == "subnetgroup") {
    ASSIGN_OR_RETURN(auto group, store.SubnetGroup(arn.name));
    return Edit(group, edit, change);
  }
  if (arn.type == "parametergroup") return EditParameterGroup(context, arn.name, edit, change);
  if (arn.type == "user") return EditUser(UserStore(context), arn.name, edit, change);
  if (arn.type == "usergroup") {
    ASSIGN_OR_RETURN(auto group, UserStore(context).FindGroup(arn.name));
    return Edit(group, edit, change);
  }
  if (arn.type == "snapshot") {
    ASSIGN_OR_RETURN(auto snapshot, store.FindSnapshot(arn.name));
    return Edit(snapshot, edit, change);
  }
  // Kinds of which there are none yet.
  constexpr std::pair<std::string_view, ApiErrorCode> kAbsent[] = {
      {"securitygroup", ApiErrorCode::kCacheSecurityGroupNotFound},
      {"reserved-instance", ApiErrorCode::kReservedCacheNodeNotFound},
      {"serverlesscache", ApiErrorCode::kServerlessCacheNotFoundFault},
      {"serverlesscachesnapshot", ApiErrorCode::kServerlessCacheSnapshotNotFoundFault},
  };
  for (const auto& [type, code] : kAbsent) {
    if (arn.type == type) return ApiError{code, {}};
  }
  return ApiError{ApiErrorCode::kInvalidARN,
                  fmt::format("{} names no kind of resource that has tags.", arn_text)};
}

ApiResult<Tags> EditUntilApplied(ActionContext& context, const std::string& arn,
                                 const EditTags& edit) {
  return UntilApplied([&]() -> ApiResult<std::optional<Tags>> {
    Change change;
    ASSIGN_OR_RETURN(Tags tags, EditResource(context, arn, edit, change));
    if (change.writes.empty()) return std::optional<Tags>(std::move(tags));
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Tags>();
    return std::optional<Tags>(std::move(tags));
  });
}

}  // namespace

ApiResult<elasticache::AddTagsToResourceResult> AddTagsToResource(
    ActionContext& context, const elasticache::AddTagsToResourceRequest& request) {
  ASSIGN_OR_RETURN(const Tags added, TagsOf(request.tags));
  ASSIGN_OR_RETURN(const Tags tags,
                   EditUntilApplied(context, request.resource_name, [&](Tags& edited) {
                     return AddTags(edited, added, ApiErrorCode::kTagQuotaPerResourceExceeded);
                   }));
  return elasticache::AddTagsToResourceResult{ToWire(tags)};
}

ApiResult<elasticache::ListTagsForResourceResult> ListTagsForResource(
    ActionContext& context, const elasticache::ListTagsForResourceRequest& request) {
  ASSIGN_OR_RETURN(const Tags tags, EditUntilApplied(context, request.resource_name,
                                                     [](Tags&) -> ApiResult<> { return Ok(); }));
  return elasticache::ListTagsForResourceResult{ToWire(tags)};
}

ApiResult<elasticache::RemoveTagsFromResourceResult> RemoveTagsFromResource(
    ActionContext& context, const elasticache::RemoveTagsFromResourceRequest& request) {
  const auto remove = [&](Tags& tags) -> ApiResult<> {
    for (const std::string& key : request.tag_keys) {
      if (tags.erase(key) != 0) continue;
      return ApiError{ApiErrorCode::kTagNotFound, fmt::format("There is no tag {}.", key)};
    }
    return Ok();
  };
  ASSIGN_OR_RETURN(const Tags tags, EditUntilApplied(context, request.resource_name, remove));
  return elasticache::RemoveTagsFromResourceResult{ToWire(tags)};
}

}  // namespace mikura::control
