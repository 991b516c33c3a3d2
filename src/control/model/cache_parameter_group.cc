// SPDX-License-Identifier: Apache-2.0
#include "control/model/cache_parameter_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/numbers.h"
#include "control/model/arn.h"
#include "control/model/record_json.h"
#include "wire/engine_parameters.h"

namespace mikura::control {
namespace {

constexpr std::string_view kDefaultPrefix = "default.";
constexpr std::string_view kClusterEnding = ".cluster.on";
constexpr std::string_view kOutputLimits = "client-output-buffer-limit";
constexpr char kDefaultVersion[] = "default";

ApiError Value(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

CacheParameterGroup DefaultGroup(std::string_view account, std::string_view region,
                                 const ParameterFamily& family, bool cluster) {
  CacheParameterGroup group;
  group.name = fmt::format("{}{}{}", kDefaultPrefix, family.name, cluster ? kClusterEnding : "");
  group.account = account;
  group.region = region;
  group.family = family.name;
  group.description = fmt::format("Default parameter group for {}{}", family.name,
                                  cluster ? " with cluster mode on" : "");
  if (cluster) group.values["cluster-enabled"] = "yes";
  group.version = kDefaultVersion;
  return group;
}

// The parameter of the group's family. Errors: there is none, it cannot be changed.
ApiResult<const ParameterDefinition*> ModifiableOf(const CacheParameterGroup& group,
                                                   std::string_view name) {
  const ParameterFamily* family = FindParameterFamily(group.family);
  const ParameterDefinition* found = family == nullptr ? nullptr : FindParameterOf(*family, name);
  if (found == nullptr) return Value(fmt::format("Parameter {} doesn't exist", name));
  if (!found->modifiable()) {
    return Value(fmt::format("The parameter {} cannot be modified.", name));
  }
  return found;
}

// One engine setting of six parameters, and of what replicas have.
std::string OutputLimitsOf(const CacheParameterGroup& group, const ParameterFamily& family) {
  const auto part = [&](std::string_view client, std::string_view what) {
    const ParameterDefinition* row =
        FindParameterOf(family, fmt::format("{}-{}-{}", kOutputLimits, client, what));
    return row == nullptr ? std::string("0") : group.ValueOf(*row);
  };
  std::string text;
  for (const std::string_view client : {"normal", "replica", "pubsub"}) {
    text +=
        fmt::format("{}{} {} {} {}", text.empty() ? "" : " ", client, part(client, "hard-limit"),
                    part(client, "soft-limit"), part(client, "soft-seconds"));
  }
  return text;
}

// The value of a parameter in the words of the setting that it becomes.
std::string SettingText(const ParameterDefinition& parameter, const std::string& value) {
  if (parameter.name == "error_on_memory_exhausted") {
    return value == "1" ? "noeviction" : "allkeys-s3fifo";
  }
  return value;
}

// As the engine itself would show it.
std::string Canonical(std::string_view setting, const std::string& text) {
  const wire::ParameterSpec* spec = wire::FindParameter(setting);
  wire::EngineParameters parameters;
  if (spec == nullptr || !wire::SetParameter(*spec, text, parameters).ok()) return text;
  return wire::ParameterText(*spec, parameters);
}

}  // namespace

template <typename Visitor>
void VisitFields(Visitor& visit, CacheParameterGroup& group) {
  visit("name", group.name);
  visit("account", group.account);
  visit("region", group.region);
  visit("family", group.family);
  visit("description", group.description);
  visit("tags", group.tags);
  visit("values", group.values);
  visit("version", group.version);
}

bool CacheParameterGroup::IsDefault() const { return name.starts_with(kDefaultPrefix); }

std::string CacheParameterGroup::ArnOf() const {
  return ArnText({account, region, "parametergroup", name});
}

std::string CacheParameterGroup::ValueOf(const ParameterDefinition& parameter) const {
  const auto found = values.find(std::string(parameter.name));
  return found == values.end() ? std::string(parameter.default_value) : found->second;
}

std::vector<CacheParameterGroup> DefaultParameterGroups(std::string_view account,
                                                        std::string_view region) {
  std::vector<CacheParameterGroup> groups;
  for (const ParameterFamily& family : AllParameterFamilies()) {
    groups.push_back(DefaultGroup(account, region, family, false));
    if (family.has_cluster_mode) groups.push_back(DefaultGroup(account, region, family, true));
  }
  return groups;
}

std::optional<CacheParameterGroup> FindDefaultParameterGroup(std::string_view account,
                                                             std::string_view region,
                                                             std::string_view name) {
  for (CacheParameterGroup& group : DefaultParameterGroups(account, region)) {
    if (EqualsIgnoreCase(group.name, name)) return std::move(group);
  }
  return std::nullopt;
}

ApiResult<> SetParameterValue(CacheParameterGroup& group, std::string_view name,
                              std::string_view value) {
  ASSIGN_OR_RETURN(const ParameterDefinition* parameter, ModifiableOf(group, name));
  RETURN_IF_ERROR(CheckParameterValue(*parameter, value));
  group.values[std::string(parameter->name)] = value;
  return Ok();
}

ApiResult<> ResetParameterValue(CacheParameterGroup& group, std::string_view name) {
  ASSIGN_OR_RETURN(const ParameterDefinition* parameter, ModifiableOf(group, name));
  group.values.erase(std::string(parameter->name));
  return Ok();
}

ApiResult<std::string> ParameterGroupOf(std::string_view name, const EngineVersion& version,
                                        std::string_view family) {
  if (name.empty()) return DefaultParameterGroup(version);
  std::string found(family);
  if (const auto standard = FindDefaultParameterGroup("", "", name)) found = standard->family;
  if (found.empty()) {
    return ApiError{ApiErrorCode::kCacheParameterGroupNotFound,
                    fmt::format("CacheParameterGroup not found: {}", name)};
  }
  if (found != version.parameter_family) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    fmt::format("Expected a parameter group of family {} but found one of family "
                                "{}: {}.",
                                version.parameter_family, found, name)};
  }
  if (ToLower(name).ends_with(kClusterEnding)) {
    return Value(fmt::format(
        "The parameter group {} turns on cluster mode, which is not available yet.", name));
  }
  return ToLower(name);
}

NodeSettings EngineSettingsOf(const CacheParameterGroup& group) {
  NodeSettings settings;
  const ParameterFamily* family = FindParameterFamily(group.family);
  if (family == nullptr) return settings;
  for (const ParameterDefinition* parameter : ParametersOf(*family)) {
    if (!parameter->modifiable() || parameter->setting == kMaxMemory) continue;
    const std::string setting(parameter->setting);
    if (settings.count(setting) != 0) continue;
    const std::string text = setting == kOutputLimits
                                 ? OutputLimitsOf(group, *family)
                                 : SettingText(*parameter, group.ValueOf(*parameter));
    settings[setting] = Canonical(setting, text);
  }
  return settings;
}

std::vector<const ParameterDefinition*> ParametersBehind(const CacheParameterGroup& group,
                                                         std::string_view setting) {
  std::vector<const ParameterDefinition*> parameters;
  const ParameterFamily* family = FindParameterFamily(group.family);
  if (family == nullptr) return parameters;
  for (const ParameterDefinition* parameter : ParametersOf(*family)) {
    if (parameter->setting == setting) parameters.push_back(parameter);
  }
  return parameters;
}

int64_t DataMemoryBytes(const CacheParameterGroup& group, int64_t node_bytes) {
  const ParameterFamily* family = FindParameterFamily(group.family);
  const ParameterDefinition* reserve =
      family == nullptr ? nullptr : FindParameterOf(*family, kReservedMemoryPercent);
  if (reserve == nullptr) return node_bytes;
  const int64_t percent = ParseInt64(group.ValueOf(*reserve)).value_or(0);
  // A limit of 0 would be none at all.
  return std::max<int64_t>(
      1, node_bytes - node_bytes / 100 * percent - node_bytes % 100 * percent / 100);
}

std::string ToJson(const CacheParameterGroup& group) { return RecordToJson(group); }

Result<CacheParameterGroup> CacheParameterGroupFromJson(std::string_view text) {
  return RecordFromJson<CacheParameterGroup>("cache parameter group", text);
}

}  // namespace mikura::control
