// SPDX-License-Identifier: Apache-2.0
// The forms of numbers and strings in RDB data, appended to a buffer.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace mikura::engine {

template <typename Integer>
void AppendRdbFixed(std::string& out, Integer value) {
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  out.append(bytes, sizeof(value));
}
void AppendRdbBigEndian(std::string& out, uint64_t value, int bytes);
void AppendRdbLength(std::string& out, uint64_t length);
// Plain: neither compressed nor as an integer.
void AppendRdbText(std::string& out, std::string_view bytes);

}  // namespace mikura::engine
