// SPDX-License-Identifier: Apache-2.0
// One key with its value: a view on the bytes of one allocation in the slab region.
//
// Layout (docs/formats/entry.md):
//   flags 1 byte | varint key length | varint value length | [deadline 8] | [memcached 13] |
//   [access 3] | key | value
//   flags: bits 0-1 use counter (0..3), bit 2 deadline present, bit 3 memcached block present,
//          bits 4-6 kind: what the value is and where, bit 7 access field present
//          (access_clock.h).
//   memcached block: client flags 4 | CAS 8 | state bits 1 (engine/commands/memcached_entry.h).
// Strings up to kInlineValueMax are inside the entry; larger ones in a ValueBlock, by reference.
// Small collections are packed bytes inside the entry; larger ones a Collection, by reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/clock.h"
#include "engine/collections/collection.h"
#include "engine/store/access_clock.h"
#include "engine/store/size_classes.h"
#include "engine/store/value_block.h"

namespace mikura::engine::store {

enum class ValueType : uint8_t { kString = 0, kList, kSet, kSortedSet, kHash, kStream };

inline constexpr size_t kInlineValueMax = 4096;
inline constexpr UnixMillis kNoDeadline = INT64_MAX;

inline constexpr uint8_t kUseCounterMask = 3;
inline constexpr uint8_t kHasDeadline = 1 << 2;
inline constexpr uint8_t kHasMemcached = 1 << 3;
inline constexpr int kKindShift = 4;
inline constexpr uint8_t kKindMask = 7 << kKindShift;
inline constexpr uint8_t kHasAccess = 1 << 7;

// Kind 0: a string in the entry; 1: a string in a ValueBlock, to which the entry's 8 bytes of value
// point; 2 to 6: the other types in their order, packed in the entry; 7: a Collection, to which the
// entry's 8 bytes of value point, and which knows its type.
inline constexpr uint8_t kKindExternal = 1 << kKindShift;
inline constexpr uint8_t kKindPackedHash = (static_cast<uint8_t>(ValueType::kHash) + 1)
                                           << kKindShift;
inline constexpr uint8_t kKindCollection = 7 << kKindShift;

inline bool IsExternalKind(uint8_t flags) { return (flags & kKindMask) == kKindExternal; }
inline bool IsCollectionKind(uint8_t flags) { return (flags & kKindMask) == kKindCollection; }

constexpr ValueType TypeOf(collections::CollectionType type) {
  switch (type) {
    case collections::CollectionType::kList:
      return ValueType::kList;
    case collections::CollectionType::kSet:
      return ValueType::kSet;
    case collections::CollectionType::kSortedSet:
      return ValueType::kSortedSet;
    case collections::CollectionType::kHash:
      return ValueType::kHash;
    case collections::CollectionType::kStream:
      break;
  }
  return ValueType::kStream;
}

// The one bit of memcached_state that the store knows: the value was read since it was stored.
inline constexpr uint8_t kFetchedState = 1 << 0;

// The moments at which something goes: the key, or the first of its value's elements.
struct Timing {
  UnixMillis key = kNoDeadline;
  UnixMillis elements = kNoDeadline;

  UnixMillis next() const { return key < elements ? key : elements; }
};

// What is stored beside a value. The memcached block is there for entries written by a memcached
// client; a Redis client's SET drops it, changes in place (APPEND, INCR) keep it.
struct Attributes {
  UnixMillis deadline = kNoDeadline;
  bool has_memcached = false;
  uint32_t memcached_flags = 0;
  uint64_t cas = 0;
  uint8_t memcached_state = 0;  // bits of the memcached commands

  // What Redis clients wrote has no mark for it, and counts as read.
  bool was_fetched() const { return !has_memcached || (memcached_state & kFetchedState) != 0; }

  // Writes the memcached block; returns the byte behind it.
  char* WriteMemcached(char* out) const {
    std::memcpy(out, &memcached_flags, sizeof memcached_flags);
    out += sizeof memcached_flags;
    std::memcpy(out, &cas, sizeof cas);
    out += sizeof cas;
    *out++ = static_cast<char>(memcached_state);
    return out;
  }
};

inline constexpr uint32_t kMemcachedBytes = 4 + 8 + 1;  // client flags, CAS, state

// Where the parts of an entry are.
struct EntryParts {
  uint8_t flags;
  uint32_t fields;  // offset of the optional fields
  uint32_t key;     // offset of the key; the value follows it
  size_t key_length;
  size_t value_length;  // bytes in the entry: 8 for an external value

  size_t total() const { return key + key_length + value_length; }
};

EntryParts ParseLongEntry(const char* bytes);

inline EntryParts ParseEntry(const char* bytes) {
  const auto flags = static_cast<uint8_t>(bytes[0]);
  const auto key_length = static_cast<uint8_t>(bytes[1]);
  const auto value_length = static_cast<uint8_t>(bytes[2]);
  if ((key_length | value_length) & 0x80) return ParseLongEntry(bytes);
  const uint32_t optional = (flags & kHasDeadline) * 2u +
                            ((flags & kHasMemcached) >> 3) * kMemcachedBytes +
                            (flags >> 7) * kAccessBytes;
  return {flags, 3, 3 + optional, key_length, value_length};
}

// Valid until the next change of the shard it lies in.
class Entry {
 public:
  explicit Entry(char* bytes) : bytes_(bytes) {}

  ValueType type() const {
    const int kind = (flags() & kKindMask) >> kKindShift;
    if (kind == 0) return ValueType::kString;
    if (IsCollectionKind(flags())) return TypeOf(collection()->type());
    return static_cast<ValueType>(kind - 1);
  }
  std::string_view key() const {
    const EntryParts parts = ParseEntry(bytes_);
    return {bytes_ + parts.key, parts.key_length};
  }
  // The bytes of a string, inline or external; the packed bytes of a collection without an object.
  std::string_view value() const {
    const EntryParts parts = ParseEntry(bytes_);
    if (IsExternalKind(parts.flags)) [[unlikely]]
      return BlockOf(parts)->view();
    return {bytes_ + parts.key + parts.key_length, parts.value_length};
  }
  bool is_external() const { return IsExternalKind(flags()); }
  // A further owner of an external value's bytes, which may outlive the lock; empty when inline.
  SharedValue Share() const { return SharedValue(is_external() ? block() : nullptr); }
  bool has_deadline() const { return (flags() & kHasDeadline) != 0; }
  // kNoDeadline when it has none.
  UnixMillis deadline() const {
    if (!has_deadline()) return kNoDeadline;
    UnixMillis deadline;
    std::memcpy(&deadline, bytes_ + ParseEntry(bytes_).fields, sizeof deadline);
    return deadline;
  }
  // When the first of the value's elements goes by itself; kNoDeadline when none does.
  UnixMillis element_deadline() const {
    const uint8_t kind = flags() & kKindMask;
    if (kind != kKindPackedHash && kind != kKindCollection) [[likely]]
      return kNoDeadline;
    return CollectionDeadline();
  }
  Timing timing() const { return {deadline(), element_deadline()}; }
  Attributes attributes() const;
  // Bytes that the entry occupies in memory: its size class, and its external block.
  size_t memory_bytes() const;

  // 0 to 3: how often it was used lately. Exempt from "settle": not part of what is stored.
  uint8_t use_counter() const { return flags() & kUseCounterMask; }
  void set_use_counter(uint8_t uses) {
    bytes_[0] = static_cast<char>((flags() & ~kUseCounterMask) | uses);
  }
  void CountUse() {
    // A store only while it still counts: hot entries stay unwritten.
    if (use_counter() < kUseCounterMask) ++bytes_[0];
  }

  // When or how often it was used, where the policy tracks that. Exempt from "settle" too.
  bool has_access() const { return (flags() & kHasAccess) != 0; }
  // Only of an entry that has the field.
  uint32_t access() const {
    uint32_t field = 0;
    std::memcpy(&field, bytes_ + ParseEntry(bytes_).key - kAccessBytes, kAccessBytes);
    return field;
  }
  void set_access(uint32_t field) {
    std::memcpy(bytes_ + ParseEntry(bytes_).key - kAccessBytes, &field, kAccessBytes);
  }

  // Sets bits of a memcached block's state; nothing without a block. Exempt from "settle" like the
  // use counter: for what a snapshot may show either way.
  void AddMemcachedState(uint8_t bits) {
    if ((flags() & kHasMemcached) == 0) return;
    char* state = bytes_ + ParseEntry(bytes_).fields + (has_deadline() ? sizeof(UnixMillis) : 0) +
                  kMemcachedBytes - 1;
    // A store only when it changes something: entries that are read often stay unwritten.
    if ((*state & bits) != bits) *state = static_cast<char>(*state | bits);
  }

  uint8_t flags() const { return static_cast<uint8_t>(bytes_[0]); }
  char* bytes() const { return bytes_; }
  // The external value's block; null when inline.
  ValueBlock* block() const { return is_external() ? BlockOf(ParseEntry(bytes_)) : nullptr; }
  // The object of a large collection; null when there is none.
  collections::Collection* collection() const {
    if (!IsCollectionKind(flags())) return nullptr;
    const EntryParts parts = ParseEntry(bytes_);
    collections::Collection* collection;
    std::memcpy(&collection, bytes_ + parts.key + parts.key_length, sizeof collection);
    return collection;
  }
  // Only of an external value: its block has moved to `block`.
  void set_block(ValueBlock* block) {
    const EntryParts parts = ParseEntry(bytes_);
    std::memcpy(bytes_ + parts.key + parts.key_length, &block, sizeof block);
  }

 private:
  UnixMillis CollectionDeadline() const;
  ValueBlock* BlockOf(const EntryParts& parts) const {
    ValueBlock* block;
    std::memcpy(&block, bytes_ + parts.key + parts.key_length, sizeof block);
    return block;
  }

  char* bytes_;
};

// What is to be written into an entry's bytes.
struct EntryContent {
  ValueType type = ValueType::kString;
  uint8_t uses = 0;
  std::string_view key;
  Attributes attributes;
  bool has_access = false;
  uint32_t access = 0;
  size_t value_length = 0;      // inline bytes; ignored when there is a block or a collection
  ValueBlock* block = nullptr;  // external value
  collections::Collection* collection = nullptr;  // a large collection, which knows its type

  // What the entry holds; views and references are the entry's own.
  static EntryContent Of(const Entry& entry);
  bool is_reference() const { return block != nullptr || collection != nullptr; }

  // value: the inline bytes of a packed collection.
  Timing timing(std::string_view value) const;
  // Bytes that the entry needs.
  size_t total() const;
  // Writes all but an inline value's bytes; returns where those belong. `out`: total() bytes.
  char* Write(char* out) const;
};

}  // namespace mikura::engine::store
