// SPDX-License-Identifier: Apache-2.0
// The checksum at the end of an RDB file: CRC-64 with the Jones polynomial, reflected, no
// inversion.
#pragma once

#include <cstdint>
#include <string_view>

namespace mikura::engine {

// Continues `crc` (0 at the start) over `bytes`. Cost: about 1 ns per byte.
uint64_t Crc64(uint64_t crc, std::string_view bytes);

}  // namespace mikura::engine
