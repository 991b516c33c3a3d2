// SPDX-License-Identifier: Apache-2.0
// Identifiers from the random source of the operating system.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mikura::control {

// `count` characters of `alphabet`, each equally likely. alphabet: 2 to 256 characters.
std::string RandomText(size_t count, std::string_view alphabet);

// `prefix` and 17 hexadecimal digits: "vpc-0a1b2c3d4e5f60718".
std::string NewResourceId(std::string_view prefix);

// A random UUID.
std::string NewRequestId();

}  // namespace mikura::control
