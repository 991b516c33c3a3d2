// SPDX-License-Identifier: Apache-2.0
// A cache parameter group: values for the parameters of a family. Default groups are not stored:
// there is one for each family, and one more with cluster mode.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/model/api_error.h"
#include "control/model/engine_version.h"
#include "control/model/node_runtime.h"
#include "control/model/parameter_family.h"

namespace mikura::control {

// The values one call may change.
inline constexpr size_t kParameterValuesMax = 20;

struct CacheParameterGroup {
  std::string name;
  std::string account;
  std::string region;
  std::string family;
  std::string description;
  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> values;  // those that differ from the family's defaults
  // Drawn anew with each change of `values`: a node has taken over the group when it has this one.
  std::string version;

  bool IsDefault() const;
  std::string ArnOf() const;
  std::string ValueOf(const ParameterDefinition& parameter) const;
};

// Sorted by name; of the account and region given.
std::vector<CacheParameterGroup> DefaultParameterGroups(std::string_view account,
                                                        std::string_view region);
std::optional<CacheParameterGroup> FindDefaultParameterGroup(std::string_view account,
                                                             std::string_view region,
                                                             std::string_view name);

// Sets one value. Errors: kInvalidParameterValue for a parameter that the family does not have or
// that cannot be changed, and for a value that is not allowed.
ApiResult<> SetParameterValue(CacheParameterGroup& group, std::string_view name,
                              std::string_view value);
// Gives the parameter its default back. Errors: as above.
ApiResult<> ResetParameterValue(CacheParameterGroup& group, std::string_view name);

// The group that a cache of this version gets: the version's default for the empty text.
//
// family: of the user's group called `name`, which was looked up; empty when there is none.
// Errors: kInvalidParameterCombination for a group of another family, kInvalidParameterValue for
// one with cluster mode, kCacheParameterGroupNotFound.
ApiResult<std::string> ParameterGroupOf(std::string_view name, const EngineVersion& version,
                                        std::string_view family);

// What the group makes of an engine: every setting that its parameters become, as the engine shows
// it, but for the memory limit.
NodeSettings EngineSettingsOf(const CacheParameterGroup& group);
// Which of the group's parameters become `setting`.
std::vector<const ParameterDefinition*> ParametersBehind(const CacheParameterGroup& group,
                                                         std::string_view setting);
// The memory limit of an engine on a node with `node_bytes`.
int64_t DataMemoryBytes(const CacheParameterGroup& group, int64_t node_bytes);

std::string ToJson(const CacheParameterGroup& group);
Result<CacheParameterGroup> CacheParameterGroupFromJson(std::string_view text);

}  // namespace mikura::control
