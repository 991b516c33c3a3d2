// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/parameter_actions.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "control/api/elasticache/cache_store.h"
#include "control/model/node_type.h"

namespace mikura::control {
namespace {

constexpr std::string_view kUser = "user";
constexpr std::string_view kSystem = "system";
constexpr std::string_view kEngineDefault = "engine-default";

// user: set in a user's group. system: what the service sets unless a user does. engine-default:
// what the engine is like, whoever asks.
std::string_view SourceOf(const CacheParameterGroup& group, const ParameterDefinition& parameter) {
  if (!parameter.modifiable()) return kEngineDefault;
  const bool set = group.values.count(std::string(parameter.name)) != 0;
  return set && !group.IsDefault() ? kUser : kSystem;
}

elasticache::Parameter ToWire(const CacheParameterGroup& group,
                              const ParameterDefinition& parameter) {
  elasticache::Parameter wire;
  wire.parameter_name = parameter.name;
  wire.parameter_value = group.ValueOf(parameter);
  wire.description = parameter.description;
  wire.source = SourceOf(group, parameter);
  wire.data_type = parameter.data_type;
  if (!parameter.allowed_values.empty()) wire.allowed_values = parameter.allowed_values;
  wire.is_modifiable = parameter.modifiable();
  wire.minimum_engine_version = parameter.minimum_version;
  wire.change_type = parameter.change_type;
  return wire;
}

// What each node type has by itself.
std::vector<elasticache::CacheNodeTypeSpecificParameter> OfNodeTypes(
    const CacheParameterGroup& group) {
  const bool memcached = group.family.starts_with("memcached");
  elasticache::CacheNodeTypeSpecificParameter memory;
  memory.parameter_name = memcached ? "max_cache_memory" : kMaxMemory;
  memory.description = memcached ? "Memory of a node in megabytes." : "Memory of a node in bytes.";
  memory.source = kSystem;
  memory.data_type = "integer";
  memory.allowed_values = "1-9223372036854775807";
  memory.is_modifiable = false;
  memory.change_type = kRequiresReboot;
  for (const NodeType& type : AllNodeTypes()) {
    const int64_t value = memcached ? type.memory_bytes >> 20 : type.memory_bytes;
    memory.cache_node_type_specific_values.push_back(
        {std::string(type.name), std::to_string(value)});
  }
  return {std::move(memory)};
}

// One page of the group's parameters of that source, all when it is empty.
ApiResult<Page<const ParameterDefinition*>> PageOfParameters(
    const CacheParameterGroup& group, std::string_view source,
    const std::optional<int32_t>& max_records, const std::optional<std::string>& marker) {
  std::vector<const ParameterDefinition*> parameters;
  if (const ParameterFamily* family = FindParameterFamily(group.family)) {
    parameters = ParametersOf(*family);
  }
  if (!source.empty()) {
    std::erase_if(parameters, [&](const ParameterDefinition* parameter) {
      return SourceOf(group, *parameter) != source;
    });
  }
  return PageOf(
      std::move(parameters),
      [](const ParameterDefinition* parameter) { return std::string(parameter->name); },
      max_records, marker);
}

ApiResult<CacheParameterGroup> GroupOf(const ActionContext& context, const std::string& name) {
  if (auto standard = FindDefaultParameterGroup(context.account_id, context.region, name)) {
    return std::move(*standard);
  }
  ASSIGN_OR_RETURN(auto group, CacheStore(context).ParameterGroup(name));
  return std::move(group.record);
}

}  // namespace

ApiResult<elasticache::DescribeCacheParametersResult> DescribeCacheParameters(
    ActionContext& context, const elasticache::DescribeCacheParametersRequest& request) {
  ASSIGN_OR_RETURN(const CacheParameterGroup group,
                   GroupOf(context, request.cache_parameter_group_name));
  const std::string source = request.source.value_or("");
  if (!source.empty() && source != kUser && source != kSystem && source != kEngineDefault) {
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    fmt::format("Source must be user, system or engine-default, not {}.", source)};
  }
  ASSIGN_OR_RETURN(const auto page,
                   PageOfParameters(group, source, request.max_records, request.marker));
  elasticache::DescribeCacheParametersResult result;
  result.marker = page.next_token;
  for (const ParameterDefinition* parameter : page.items) {
    result.parameters.push_back(ToWire(group, *parameter));
  }
  if (!result.marker && (source.empty() || source == kSystem)) {
    result.cache_node_type_specific_parameters = OfNodeTypes(group);
  }
  return result;
}

ApiResult<elasticache::DescribeEngineDefaultParametersResult> DescribeEngineDefaultParameters(
    ActionContext& context, const elasticache::DescribeEngineDefaultParametersRequest& request) {
  ASSIGN_OR_RETURN(const ParameterFamily* family,
                   ParameterFamilyOf(request.cache_parameter_group_family));
  ASSIGN_OR_RETURN(const CacheParameterGroup group,
                   GroupOf(context, fmt::format("default.{}", family->name)));
  ASSIGN_OR_RETURN(const auto page,
                   PageOfParameters(group, "", request.max_records, request.marker));
  elasticache::EngineDefaults defaults;
  defaults.cache_parameter_group_family = family->name;
  defaults.marker = page.next_token;
  for (const ParameterDefinition* parameter : page.items) {
    defaults.parameters.push_back(ToWire(group, *parameter));
  }
  if (!defaults.marker) defaults.cache_node_type_specific_parameters = OfNodeTypes(group);
  return elasticache::DescribeEngineDefaultParametersResult{std::move(defaults)};
}

}  // namespace mikura::control
