// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/engine_version_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/api/elasticache/cache_store.h"
#include "control/model/engine_version.h"

namespace mikura::control {

ApiResult<elasticache::DescribeCacheEngineVersionsResult> DescribeCacheEngineVersions(
    ActionContext&, const elasticache::DescribeCacheEngineVersionsRequest& request) {
  const auto differs = [](const std::optional<std::string>& wanted, std::string_view value) {
    return wanted && *wanted != value;
  };
  std::vector<EngineVersion> versions;
  for (const EngineVersion& version : AllEngineVersions()) {
    if (differs(request.engine, version.engine)) continue;
    if (differs(request.engine_version, version.version) &&
        differs(request.engine_version, version.full_version)) {
      continue;
    }
    if (differs(request.cache_parameter_group_family, version.parameter_family)) continue;
    if (request.default_only.value_or(false) && !IsDefaultVersion(version)) continue;
    versions.push_back(version);
  }
  const auto key_of = [](const EngineVersion& version) {
    return fmt::format("{}/{}", version.engine, version.version);
  };
  std::sort(versions.begin(), versions.end(),
            [&](const auto& a, const auto& b) { return key_of(a) < key_of(b); });
  ASSIGN_OR_RETURN(auto page,
                   PageOf(std::move(versions), key_of, request.max_records, request.marker));
  elasticache::DescribeCacheEngineVersionsResult result;
  result.marker = page.next_token;
  for (const EngineVersion& version : page.items) {
    elasticache::CacheEngineVersion wire;
    wire.engine = std::string(version.engine);
    wire.engine_version = std::string(version.version);
    wire.cache_parameter_group_family = std::string(version.parameter_family);
    wire.cache_engine_description = fmt::format("{} on Mikura", version.engine);
    wire.cache_engine_version_description =
        fmt::format("{} version {}", version.engine, version.full_version);
    result.cache_engine_versions.push_back(std::move(wire));
  }
  return result;
}

}  // namespace mikura::control
