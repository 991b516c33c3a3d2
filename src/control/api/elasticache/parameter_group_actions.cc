// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/parameter_group_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "control/api/elasticache/cache_store.h"
#include "control/api/random_id.h"
#include "control/model/identifiers.h"

namespace mikura::control {
namespace {

constexpr size_t kParameterGroupsMax = 150;  // of an account in a region

std::string NewVersion() { return RandomText(8, "0123456789abcdef"); }

elasticache::CacheParameterGroup ToWire(const CacheParameterGroup& group) {
  elasticache::CacheParameterGroup wire;
  wire.cache_parameter_group_name = group.name;
  wire.cache_parameter_group_family = group.family;
  wire.description = group.description;
  wire.is_global = false;
  wire.arn = group.ArnOf();
  return wire;
}

ApiResult<> RefuseDefault(const ActionContext& context, const std::string& name,
                          std::string_view what) {
  if (!FindDefaultParameterGroup(context.account_id, context.region, name)) return Ok();
  return ApiError{
      ApiErrorCode::kInvalidParameterValue,
      fmt::format("The parameter group {} is a default one and cannot be {}.", name, what)};
}

ApiResult<> CheckCount(const std::vector<elasticache::ParameterNameValue>& values) {
  if (values.size() <= kParameterValuesMax) return Ok();
  return ApiError{
      ApiErrorCode::kInvalidParameterValue,
      fmt::format("ParameterNameValues must not have more than {} elements.", kParameterValuesMax)};
}

// Changes the values of a user's group with `edit`. A change of none is none to the nodes.
ApiResult<std::string> EditValues(ActionContext& context, const std::string& name,
                                  const std::function<ApiResult<>(CacheParameterGroup&)>& edit) {
  RETURN_IF_ERROR(RefuseDefault(context, name, "modified"));
  return UntilApplied([&]() -> ApiResult<std::optional<std::string>> {
    ASSIGN_OR_RETURN(auto group, CacheStore(context).ParameterGroup(name));
    const auto before = group.record.values;
    RETURN_IF_ERROR(edit(group.record));
    if (group.record.values != before) {
      group.record.version = NewVersion();
      Change change;
      change.Replace(group.kv, ToJson(group.record));
      ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
      if (!applied) return std::optional<std::string>();
    }
    return std::optional<std::string>(group.record.name);
  });
}

ApiResult<std::string> NameOfValue(const elasticache::ParameterNameValue& value) {
  if (value.parameter_name && !value.parameter_name->empty()) return *value.parameter_name;
  return ApiError{ApiErrorCode::kInvalidParameterValue,
                  "Each element of ParameterNameValues must have a ParameterName."};
}

}  // namespace

ApiResult<elasticache::CreateCacheParameterGroupResult> CreateCacheParameterGroup(
    ActionContext& context, const elasticache::CreateCacheParameterGroupRequest& request) {
  CacheParameterGroup group;
  ASSIGN_OR_RETURN(group.name, CacheParameterGroupNameOf(request.cache_parameter_group_name));
  ASSIGN_OR_RETURN(const ParameterFamily* family,
                   ParameterFamilyOf(request.cache_parameter_group_family));
  if (request.description.empty()) {
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    "The parameter Description must be given."};
  }
  group.account = context.account_id;
  group.region = context.region;
  group.family = family->name;
  group.description = request.description;
  group.version = NewVersion();
  ASSIGN_OR_RETURN(group.tags, TagsOf(request.tags));
  const CacheStore store(context);
  ASSIGN_OR_RETURN(const auto groups, store.ParameterGroups());
  if (groups.size() >= kParameterGroupsMax) {
    return ApiError{ApiErrorCode::kCacheParameterGroupQuotaExceeded, {}};
  }
  Change change;
  change.Create(store.KeyOf(group), ToJson(group));
  ASSIGN_OR_RETURN(const bool created, NetworkStore(context).Apply(change));
  if (!created) {
    return ApiError{ApiErrorCode::kCacheParameterGroupAlreadyExists,
                    fmt::format("Cache parameter group {} already exists.", group.name)};
  }
  return elasticache::CreateCacheParameterGroupResult{ToWire(group)};
}

ApiResult<elasticache::DescribeCacheParameterGroupsResult> DescribeCacheParameterGroups(
    ActionContext& context, const elasticache::DescribeCacheParameterGroupsRequest& request) {
  std::vector<CacheParameterGroup> groups =
      DefaultParameterGroups(context.account_id, context.region);
  if (request.cache_parameter_group_name) {
    auto standard = FindDefaultParameterGroup(context.account_id, context.region,
                                              *request.cache_parameter_group_name);
    if (!standard) {
      ASSIGN_OR_RETURN(auto found,
                       CacheStore(context).ParameterGroup(*request.cache_parameter_group_name));
      standard = std::move(found.record);
    }
    groups = {std::move(*standard)};
  } else {
    ASSIGN_OR_RETURN(auto stored, CacheStore(context).ParameterGroups());
    for (auto& group : stored) groups.push_back(std::move(group.record));
  }
  std::sort(groups.begin(), groups.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  ASSIGN_OR_RETURN(auto page, PageOf(
                                  std::move(groups), [](const auto& group) { return group.name; },
                                  request.max_records, request.marker));
  elasticache::DescribeCacheParameterGroupsResult result;
  result.marker = page.next_token;
  for (const auto& group : page.items) result.cache_parameter_groups.push_back(ToWire(group));
  return result;
}

ApiResult<elasticache::ModifyCacheParameterGroupResult> ModifyCacheParameterGroup(
    ActionContext& context, const elasticache::ModifyCacheParameterGroupRequest& request) {
  RETURN_IF_ERROR(CheckCount(request.parameter_name_values));
  const auto edit = [&](CacheParameterGroup& group) -> ApiResult<> {
    for (const elasticache::ParameterNameValue& value : request.parameter_name_values) {
      ASSIGN_OR_RETURN(const std::string name, NameOfValue(value));
      RETURN_IF_ERROR(SetParameterValue(group, name, value.parameter_value.value_or("")));
    }
    return Ok();
  };
  ASSIGN_OR_RETURN(std::string name, EditValues(context, request.cache_parameter_group_name, edit));
  return elasticache::ModifyCacheParameterGroupResult{std::move(name)};
}

ApiResult<elasticache::ResetCacheParameterGroupResult> ResetCacheParameterGroup(
    ActionContext& context, const elasticache::ResetCacheParameterGroupRequest& request) {
  const bool all = request.reset_all_parameters.value_or(false);
  if (all != request.parameter_name_values.empty()) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "Either ResetAllParameters or ParameterNameValues must be given, not both."};
  }
  RETURN_IF_ERROR(CheckCount(request.parameter_name_values));
  const auto edit = [&](CacheParameterGroup& group) -> ApiResult<> {
    if (all) group.values.clear();
    for (const elasticache::ParameterNameValue& value : request.parameter_name_values) {
      ASSIGN_OR_RETURN(const std::string name, NameOfValue(value));
      RETURN_IF_ERROR(ResetParameterValue(group, name));
    }
    return Ok();
  };
  ASSIGN_OR_RETURN(std::string name, EditValues(context, request.cache_parameter_group_name, edit));
  return elasticache::ResetCacheParameterGroupResult{std::move(name)};
}

ApiResult<elasticache::DeleteCacheParameterGroupResult> DeleteCacheParameterGroup(
    ActionContext& context, const elasticache::DeleteCacheParameterGroupRequest& request) {
  using Result = elasticache::DeleteCacheParameterGroupResult;
  RETURN_IF_ERROR(RefuseDefault(context, request.cache_parameter_group_name, "deleted"));
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    const CacheStore store(context);
    // Read before its users: who begins to use it after that changes the record.
    ASSIGN_OR_RETURN(const auto group, store.ParameterGroup(request.cache_parameter_group_name));
    ASSIGN_OR_RETURN(const auto clusters, store.Clusters());
    for (const auto& cluster : clusters) {
      if (cluster.record.parameter_group != group.record.name) continue;
      return ApiError{ApiErrorCode::kInvalidCacheParameterGroupState,
                      fmt::format("Cache parameter group {} is in use by cache cluster {}.",
                                  group.record.name, cluster.record.id)};
    }
    Change change;
    change.Delete(group.kv);
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{});
  });
}

}  // namespace mikura::control
