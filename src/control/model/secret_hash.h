// SPDX-License-Identifier: Apache-2.0
// How secrets are kept: passwords and tokens as hashes, from which nobody gets them back.
#pragma once

#include <string>
#include <string_view>

namespace mikura::control {

// SHA-256 in lower-case hexadecimal digits, as engines keep passwords.
std::string HashSecret(std::string_view secret);

// A secret of 64 hexadecimal digits that follows from `key` and `label`, and tells of neither.
std::string DeriveSecret(std::string_view key, std::string_view label);

}  // namespace mikura::control
