// SPDX-License-Identifier: Apache-2.0
// UTF-8 as RFC 3629 has it: no overlong form, no surrogate, nothing beyond U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mikura::control {

struct Utf8Character {
  size_t length = 0;  // in bytes; 0: there is no character
  uint32_t code = 0;
};

// The character at the front of `text`, which is not empty.
Utf8Character FirstCharacter(std::string_view text);

bool IsUtf8(std::string_view text);

}  // namespace mikura::control
