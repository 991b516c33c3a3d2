// SPDX-License-Identifier: Apache-2.0
#include "control/model/parameter_family.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/numbers.h"
#include "control/model/parameter_family_rows.h"
#include "wire/engine_parameters.h"

namespace mikura::control {
namespace {

constexpr ParameterFamily kFamilies[] = {
    {"memcached1.6", kMemcached16Family, false},
    {"redis6.x", kRedis6Family, true},
    {"redis7", kRedis7Family, true},
    {"valkey7", kValkey7Family, true},
    {"valkey8", kValkey8Family, true},
};

// Whether `value` lies in one item of a list: "20-100", "-1-5", or a single number.
bool IsInRange(int64_t value, std::string_view item) {
  const size_t dash = item.find('-', 1);
  const auto low = ParseInt64(item.substr(0, dash));
  if (dash == item.npos) return low == value;
  const auto high = ParseInt64(item.substr(dash + 1));
  return low && high && value >= *low && value <= *high;
}

// Whether `accepts` is true of one of the comma-separated items.
template <typename Accepts>
bool AnyItem(std::string_view list, Accepts accepts) {
  while (true) {
    const size_t comma = list.find(',');
    if (accepts(list.substr(0, comma))) return true;
    if (comma == list.npos) return false;
    list.remove_prefix(comma + 1);
  }
}

bool IsAllowed(const ParameterDefinition& parameter, std::string_view value) {
  if (parameter.data_type == "integer") {
    const auto number = ParseInt64(value);
    return number && AnyItem(parameter.allowed_values,
                             [&](std::string_view item) { return IsInRange(*number, item); });
  }
  if (parameter.allowed_values.empty()) return true;
  return AnyItem(parameter.allowed_values, [&](std::string_view item) { return item == value; });
}

ApiError Invalid(const ParameterDefinition& parameter, std::string_view value,
                 std::string_view why) {
  return {ApiErrorCode::kInvalidParameterValue,
          fmt::format("The value \"{}\" is not valid for the parameter {}: {}.", value,
                      parameter.name, why)};
}

}  // namespace

std::span<const ParameterFamily> AllParameterFamilies() { return kFamilies; }

const ParameterFamily* FindParameterFamily(std::string_view name) {
  for (const ParameterFamily& family : kFamilies) {
    if (EqualsIgnoreCase(family.name, name)) return &family;
  }
  return nullptr;
}

ApiResult<const ParameterFamily*> ParameterFamilyOf(std::string_view name) {
  if (const ParameterFamily* family = FindParameterFamily(name)) return family;
  std::string known;
  for (const ParameterFamily& family : kFamilies) {
    known += fmt::format("{}{}", known.empty() ? "" : ", ", family.name);
  }
  return ApiError{ApiErrorCode::kInvalidParameterValue,
                  fmt::format("CacheParameterGroupFamily {} is not a valid parameter group family. "
                              "Valid families are: {}.",
                              name, known)};
}

std::vector<const ParameterDefinition*> ParametersOf(const ParameterFamily& family) {
  std::vector<const ParameterDefinition*> parameters;
  for (const ParameterDefinition& row : AllParameterDefinitions()) {
    if ((row.families & family.bit) != 0) parameters.push_back(&row);
  }
  return parameters;
}

const ParameterDefinition* FindParameterOf(const ParameterFamily& family, std::string_view name) {
  for (const ParameterDefinition& row : AllParameterDefinitions()) {
    if ((row.families & family.bit) != 0 && row.name == name) return &row;
  }
  return nullptr;
}

ApiResult<> CheckParameterValue(const ParameterDefinition& parameter, std::string_view value) {
  if (!IsAllowed(parameter, value)) {
    return Invalid(parameter, value,
                   parameter.data_type == "integer"
                       ? fmt::format("allowed are integers in {}", parameter.allowed_values)
                       : fmt::format("allowed are {}", parameter.allowed_values));
  }
  if (parameter.data_type != "string") return Ok();
  const wire::ParameterSpec* setting = wire::FindParameter(parameter.setting);
  if (setting == nullptr) return Ok();
  wire::EngineParameters scratch;
  const Status taken = wire::SetParameter(*setting, value, scratch);
  if (!taken.ok()) return Invalid(parameter, value, taken.error().message);
  return Ok();
}

}  // namespace mikura::control
