// SPDX-License-Identifier: Apache-2.0
// Comparing secrets.
#pragma once

#include <cstddef>
#include <string_view>

namespace mikura {

// Whether `given` is `secret`. The time depends on the length of `given` only, not on where they
// differ.
inline bool EqualInConstantTime(std::string_view given, std::string_view secret) {
  unsigned difference = given.size() == secret.size() ? 0 : 1;
  for (size_t i = 0; i < given.size(); ++i) {
    const char other = secret.empty() ? '\0' : secret[i % secret.size()];
    difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(other);
  }
  return difference == 0;
}

}  // namespace mikura
