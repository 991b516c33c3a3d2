// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace mikura::wire {

enum class GlobCase { kSensitive, kInsensitive };

// Whether `text` matches a pattern with *, ?, [abc], [^a-z] and backslash escapes, as in KEYS.
// An unclosed [ ends with the pattern; a backslash at the end stands for itself.
// Cost: no recursion, no memory; at most pattern length * text length steps.
bool GlobMatch(std::string_view pattern, std::string_view text,
               GlobCase mode = GlobCase::kSensitive);

}  // namespace mikura::wire
