// SPDX-License-Identifier: Apache-2.0
// The numbers of the RDB format that we know; docs/formats/rdb.md describes the layout.
#pragma once

#include <cstdint>
#include <string_view>

namespace mikura::engine {

// Written: what Redis 7.0 writes. Read: up to what later servers write for the types we have.
inline constexpr int kRdbVersionWritten = 10;
inline constexpr int kRdbVersionReadMax = 12;
inline constexpr int kRdbVersionWithChecksum = 5;

enum class RdbOpcode : uint8_t {
  kSlotInfo = 0xf4,
  kFunction = 0xf5,
  kFunctionOld = 0xf6,
  kModuleAux = 0xf7,
  kIdle = 0xf8,
  kFrequency = 0xf9,
  kAux = 0xfa,
  kResizeDatabase = 0xfb,
  kExpireMillis = 0xfc,
  kExpireSeconds = 0xfd,
  kSelectDatabase = 0xfe,
  kEnd = 0xff,
};

inline constexpr uint8_t kRdbTypeString = 0;
inline constexpr uint8_t kRdbTypeList = 1;
inline constexpr uint8_t kRdbTypeSet = 2;
inline constexpr uint8_t kRdbTypeSortedSet = 3;
inline constexpr uint8_t kRdbTypeHash = 4;
inline constexpr uint8_t kRdbTypeSortedSet2 = 5;
inline constexpr uint8_t kRdbTypeHashZipmap = 9;
inline constexpr uint8_t kRdbTypeListZiplist = 10;
inline constexpr uint8_t kRdbTypeSetIntset = 11;
inline constexpr uint8_t kRdbTypeSortedSetZiplist = 12;
inline constexpr uint8_t kRdbTypeHashZiplist = 13;
inline constexpr uint8_t kRdbTypeListQuicklist = 14;
inline constexpr uint8_t kRdbTypeStream = 15;
inline constexpr uint8_t kRdbTypeHashListpack = 16;
inline constexpr uint8_t kRdbTypeSortedSetListpack = 17;
inline constexpr uint8_t kRdbTypeListQuicklist2 = 18;
inline constexpr uint8_t kRdbTypeStream2 = 19;
inline constexpr uint8_t kRdbTypeSetListpack = 20;
inline constexpr uint8_t kRdbTypeStream3 = 21;
// Of candidates for Redis 7.4: the deadlines as they are.
inline constexpr uint8_t kRdbTypeHashDeadlinesOld = 22;
inline constexpr uint8_t kRdbTypeHashListpackDeadlinesOld = 23;
inline constexpr uint8_t kRdbTypeHashDeadlines = 24;
inline constexpr uint8_t kRdbTypeHashListpackDeadlines = 25;

// Nodes of a kRdbTypeListQuicklist2.
inline constexpr uint64_t kRdbQuicklistPlain = 1;
inline constexpr uint64_t kRdbQuicklistPacked = 2;

// The two top bits of a length byte, and the encodings of a string that has none.
inline constexpr uint8_t kRdbLength6 = 0;
inline constexpr uint8_t kRdbLength14 = 1;
inline constexpr uint8_t kRdbLengthLong = 2;
inline constexpr uint8_t kRdbEncoded = 3;
inline constexpr uint8_t kRdbLength32Byte = 0x80;
inline constexpr uint8_t kRdbLength64Byte = 0x81;
inline constexpr uint8_t kRdbInt8 = 0;
inline constexpr uint8_t kRdbInt16 = 1;
inline constexpr uint8_t kRdbInt32 = 2;
inline constexpr uint8_t kRdbLzf = 3;

// An aux field in front of a key that a memcached client wrote: 13 bytes, flags (4), CAS (8) and
// state (1), little-endian. Servers that do not know it skip it, as any unknown aux field.
inline constexpr std::string_view kRdbMemcachedAux = "mikura-mc";
inline constexpr size_t kRdbMemcachedAuxBytes = 13;

}  // namespace mikura::engine
