// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>

namespace mikura::engine {

inline constexpr std::string_view kBadClientName =
    "Client names cannot contain spaces, newlines or special characters.";

// Names appear in the lines of CLIENT LIST, so they hold printable characters only. May be empty.
inline bool IsClientName(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '!' && c <= '~'; });
}

}  // namespace mikura::engine
