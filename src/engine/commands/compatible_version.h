// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace mikura::engine {

// The version of Redis whose behaviour we promise: what clients that choose features by version see
// in HELLO, INFO and LOLWUT.
inline constexpr std::string_view kCompatibleRedisVersion = "7.0.15";

}  // namespace mikura::engine
