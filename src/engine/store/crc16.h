// SPDX-License-Identifier: Apache-2.0
// CRC16 in the XMODEM form (polynomial 0x1021, start 0, not reflected): the hash of cluster slots.
#pragma once

#include <cstdint>
#include <string_view>

namespace mikura::engine {

// By carry-less multiplication where the build allows it, else by tables.
uint16_t Crc16(std::string_view bytes);

// Eight bytes at a time by tables: what Crc16 is on processors without carry-less multiplication.
uint16_t Crc16ByTables(std::string_view bytes);

}  // namespace mikura::engine
