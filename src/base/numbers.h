// SPDX-License-Identifier: Apache-2.0
// Numbers to and from text, as strictly as clients expect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mikura {

// A decimal int64 in canonical form: no sign but '-', no leading zero, no blanks. "-0" is refused.
std::optional<int64_t> ParseInt64(std::string_view text);
// A decimal uint64: digits only; leading zeros are allowed.
std::optional<uint64_t> ParseUint64(std::string_view text);
// A finite or infinite double as strtod reads it, the whole text; NaN, blanks, and what is beyond
// the range of a double are refused.
std::optional<double> ParseDouble(std::string_view text);
// A byte count with the units of redis.conf: "100mb", "1gb", "5k", "7".
// (k = 1000, kb = 1024, m, mb, g, gb; case-insensitive).
std::optional<uint64_t> ParseByteCount(std::string_view text);

// Writes `value` in decimal to `out` (at least 20 bytes); returns the length.
size_t FormatInt64(int64_t value, char* out);
// The shortest text that reads back as `value`, as Redis prints doubles (INCRBYFLOAT: "%.17Lg"
// trimmed).
std::string FormatDouble(long double value);

// Writes what "%.17g" prints (Redis 7.0: scores, RESP3 doubles), or "inf", "-inf", to `out`, which
// holds kDoubleTextMax bytes; returns the length.
inline constexpr size_t kDoubleTextMax = 32;
size_t FormatDouble17(double value, char* out);

bool EqualsIgnoreCase(std::string_view a, std::string_view b);
std::string ToLower(std::string_view text);
std::string ToUpper(std::string_view text);

}  // namespace mikura
