// SPDX-License-Identifier: Apache-2.0
// The rows of parameter_family.h.
#pragma once

#include <span>

#include "control/model/parameter_family.h"

namespace mikura::control {

std::span<const ParameterDefinition> AllParameterDefinitions();

inline constexpr uint32_t kRedis6Family = 1;
inline constexpr uint32_t kRedis7Family = 2;
inline constexpr uint32_t kValkey7Family = 4;
inline constexpr uint32_t kValkey8Family = 8;
inline constexpr uint32_t kMemcached16Family = 16;

}  // namespace mikura::control
