// SPDX-License-Identifier: Apache-2.0
// The engines a cache can ask for, and their versions. One engine of ours answers to all of these
// names; the version says which command surface a client may expect.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "control/model/api_error.h"

namespace mikura::control {

enum class EngineKind { kRedis, kValkey, kMemcached };

struct EngineVersion {
  EngineKind kind = EngineKind::kRedis;
  std::string_view engine;            // "redis"
  std::string_view version;           // as listed and asked for: "7.1"
  std::string_view full_version;      // as a running cluster shows it: "7.1.0"
  std::string_view parameter_family;  // "redis7"
};

// From old to new within an engine.
std::span<const EngineVersion> AllEngineVersions();

// Errors: kInvalidParameterValue.
ApiResult<EngineKind> EngineKindOf(std::string_view engine);

// The newest version of `engine` for the empty text or a series ("7.x"); otherwise the one of that
// name or full name. Errors: kInvalidParameterValue.
ApiResult<EngineVersion> EngineVersionOf(std::string_view engine, std::string_view version);

// The newest version of each engine is what it gets by default.
bool IsDefaultVersion(const EngineVersion& version);

int64_t DefaultPort(EngineKind kind);
// "default.redis7".
std::string DefaultParameterGroup(const EngineVersion& version);

// Whether what has the one version may be given the other: a later one, or valkey for redis.
// Errors: kInvalidParameterCombination.
ApiResult<> CheckUpgrade(const EngineVersion& from, const EngineVersion& to);

}  // namespace mikura::control
