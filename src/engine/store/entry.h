// SPDX-License-Identifier: Apache-2.0
// One key with its value: a view on the bytes of one allocation in the slab region.
//
// Layout (docs/formats/entry.md):
//   flags 1 byte | varint key length | varint value length | [deadline 8] | [memcached 12] | key | value
//   flags: bits 0-1 use counter (0..3), bit 2 deadline present, bit 3 memcached block present,
//          bit 4 value is external (8-byte pointer to a ValueBlock), bits 5-7 ValueType.
// Values up to kInlineValueMax are inside the entry; larger ones in a ValueBlock, by reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace mikura::engine::store {

enum class ValueType : uint8_t { kString = 0, kList, kSet, kSortedSet, kHash, kStream };

inline constexpr size_t kInlineValueMax = 4096;
inline constexpr UnixMillis kNoDeadline = INT64_MAX;

// What is stored beside a value. The memcached block is there for entries written by a memcached
// client; a Redis client's SET drops it, changes in place (APPEND, INCR) keep it.
struct Attributes {
  UnixMillis deadline = kNoDeadline;
  bool has_memcached = false;
  uint32_t memcached_flags = 0;
  uint64_t cas = 0;
};

// Valid until the next change of the shard it lies in.
class Entry {
 public:
  explicit Entry(char* bytes) : bytes_(bytes) {}

  ValueType type() const;
  std::string_view key() const;
  // The bytes of a string, inline or external.
  std::string_view value() const;
  bool is_external() const;
  UnixMillis deadline() const;  // kNoDeadline when it has none
  Attributes attributes() const;
  // Bytes that the entry occupies in memory: its size class, and its external block.
  size_t memory_bytes() const;

 private:
  char* bytes_;
};

}  // namespace mikura::engine::store
