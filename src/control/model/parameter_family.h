// SPDX-License-Identifier: Apache-2.0
// The families of cache parameter groups and their parameters, as data: what each is called, what
// it may be, and which setting of the engine it becomes.
//
//   I1. A parameter is modifiable if and only if it becomes a setting of the engine: none is
//       accepted and ignored. The others show what is true of every node.
//   I2. The default of each parameter is a value that its own rules allow.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "control/model/api_error.h"

namespace mikura::control {

inline constexpr std::string_view kImmediate = "immediate";
inline constexpr std::string_view kRequiresReboot = "requires-reboot";
// Lowers the engine's memory limit: a rule of the service rather than a setting of the engine.
inline constexpr std::string_view kReservedMemoryPercent = "reserved-memory-percent";
// Shown for each node type, never as a value.
inline constexpr std::string_view kMaxMemory = "maxmemory";

struct ParameterDefinition {
  std::string_view name;
  std::string_view default_value;
  std::string_view data_type;       // "integer", "string", "boolean"
  std::string_view allowed_values;  // "0,20-2147483647", "yes,no", "1-100"; empty: any text
  std::string_view change_type = kImmediate;
  std::string_view minimum_version;
  std::string_view setting;  // of the engine; empty: not modifiable
  std::string_view description;
  uint32_t families = 0;

  bool modifiable() const { return !setting.empty(); }
};

struct ParameterFamily {
  std::string_view name;  // "redis7"
  uint32_t bit = 0;
  bool has_cluster_mode = false;  // whether a default group with cluster mode exists
};

std::span<const ParameterFamily> AllParameterFamilies();
// Null when there is none of that name. Any case of letters.
const ParameterFamily* FindParameterFamily(std::string_view name);
// Errors: kInvalidParameterValue, naming the families that exist.
ApiResult<const ParameterFamily*> ParameterFamilyOf(std::string_view name);

// Sorted by name.
std::vector<const ParameterDefinition*> ParametersOf(const ParameterFamily& family);
const ParameterDefinition* FindParameterOf(const ParameterFamily& family, std::string_view name);

// Whether `value` is of the parameter's type and among its allowed values, as the engine reads it.
// Errors: kInvalidParameterValue, with what would be allowed.
ApiResult<> CheckParameterValue(const ParameterDefinition& parameter, std::string_view value);

}  // namespace mikura::control
