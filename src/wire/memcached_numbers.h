// SPDX-License-Identifier: Apache-2.0
// Numbers and keys as memcached reads them: with the C library's leniency, so that what it accepts
// we accept: blanks before a number, a sign, and anything behind a blank after it are passed over.
// Source: compared with memcached 1.6.18 in tests/memcached/compare_test.py.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mikura::wire {

// An unsigned 64-bit number; negative ones are refused unless they wrap to less than 2^63.
std::optional<uint64_t> ReadMemcachedUnsigned(std::string_view text);
// A signed number that fits 64 bits, cut to its low 32.
std::optional<int32_t> ReadMemcachedInt32(std::string_view text);
// A number that ReadMemcachedUnsigned takes, cut to its low 32 bits.
std::optional<uint32_t> ReadMemcachedUint32(std::string_view text);

// Decodes padded base64; returns the length written to `out` (room for size / 4 * 3 bytes), or 0
// when `text` is not base64 of at least one byte.
size_t DecodeBase64(std::string_view text, char* out);
// Writes the padded base64 of `bytes` to `out` (room for EncodedBase64Size); returns the length.
size_t EncodeBase64(std::string_view bytes, char* out);
constexpr size_t EncodedBase64Size(size_t bytes) { return (bytes + 2) / 3 * 4; }

}  // namespace mikura::wire
