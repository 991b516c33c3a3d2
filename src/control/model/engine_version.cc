// SPDX-License-Identifier: Apache-2.0
#include "control/model/engine_version.h"

#include <fmt/format.h>

#include <optional>

namespace mikura::control {
namespace {

constexpr EngineVersion kEngineVersions[] = {
    {EngineKind::kMemcached, "memcached", "1.6.6", "1.6.6", "memcached1.6"},
    {EngineKind::kMemcached, "memcached", "1.6.12", "1.6.12", "memcached1.6"},
    {EngineKind::kMemcached, "memcached", "1.6.17", "1.6.17", "memcached1.6"},
    {EngineKind::kMemcached, "memcached", "1.6.22", "1.6.22", "memcached1.6"},
    {EngineKind::kRedis, "redis", "6.2", "6.2.6", "redis6.x"},
    {EngineKind::kRedis, "redis", "7.0", "7.0.7", "redis7"},
    {EngineKind::kRedis, "redis", "7.1", "7.1.0", "redis7"},
    {EngineKind::kValkey, "valkey", "7.2", "7.2.6", "valkey7"},
    {EngineKind::kValkey, "valkey", "8.0", "8.0.1", "valkey8"},
};

// "7.x" asks for the newest of "7.".
bool IsOfSeries(std::string_view version, std::string_view asked) {
  if (asked.size() < 2 || asked.substr(asked.size() - 2) != ".x") return false;
  const std::string_view series = asked.substr(0, asked.size() - 1);
  return version.substr(0, series.size()) == series;
}

size_t AgeOf(const EngineVersion& version) {
  const auto all = AllEngineVersions();
  size_t index = 0;
  while (index < all.size() && all[index].full_version != version.full_version) ++index;
  return index;
}

}  // namespace

std::span<const EngineVersion> AllEngineVersions() { return kEngineVersions; }

ApiResult<EngineKind> EngineKindOf(std::string_view engine) {
  for (const EngineVersion& version : kEngineVersions) {
    if (version.engine == engine) return version.kind;
  }
  return ApiError{ApiErrorCode::kInvalidParameterValue,
                  fmt::format("The engine {} is none of redis, valkey and memcached.", engine)};
}

ApiResult<EngineVersion> EngineVersionOf(std::string_view engine, std::string_view version) {
  RETURN_IF_ERROR(EngineKindOf(engine));
  std::optional<EngineVersion> found;
  for (const EngineVersion& candidate : kEngineVersions) {
    if (candidate.engine != engine) continue;
    if (version.empty() || IsOfSeries(candidate.version, version) || candidate.version == version ||
        candidate.full_version == version) {
      found = candidate;
    }
  }
  if (found) return *found;
  return ApiError{ApiErrorCode::kInvalidParameterValue,
                  fmt::format("Cannot find version {} for {}.", version, engine)};
}

bool IsDefaultVersion(const EngineVersion& version) {
  const auto newest = EngineVersionOf(version.engine, "");
  return newest.ok() && newest->version == version.version;
}

int64_t DefaultPort(EngineKind kind) { return kind == EngineKind::kMemcached ? 11211 : 6379; }

std::string DefaultParameterGroup(const EngineVersion& version) {
  return fmt::format("default.{}", version.parameter_family);
}

ApiResult<> CheckUpgrade(const EngineVersion& from, const EngineVersion& to) {
  if (from.kind == to.kind) {
    if (AgeOf(to) >= AgeOf(from)) return Ok();
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    fmt::format("Cannot modify {} version from {} to {}: that is a downgrade.",
                                from.engine, from.full_version, to.full_version)};
  }
  if (from.kind == EngineKind::kRedis && to.kind == EngineKind::kValkey) return Ok();
  return ApiError{ApiErrorCode::kInvalidParameterCombination,
                  fmt::format("Cannot modify the engine from {} to {}.", from.engine, to.engine)};
}

}  // namespace mikura::control
