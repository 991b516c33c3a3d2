// SPDX-License-Identifier: Apache-2.0
// The part of Shard that writes entries. Order in every function: memory first, so that a fault
// leaves everything as it was; then settle; then change.
#include <algorithm>

#include "base/check.h"
#include "engine/store/shard.h"

namespace mikura::engine::store {
namespace {

constexpr size_t kDoublingMax = size_t{1} << 20;

// Room for a string that has grown to `size`: doubled up to 1 MiB, then 1 MiB more.
size_t GrownCapacity(size_t size) { return size + std::min(size, kDoublingMax); }

}  // namespace

FaultOr<Found> Shard::SetString(int database, const Key& key, std::string_view value,
                                const Attributes& attributes, const Access& access) {
  Table& table = TableFor(database);
  Place existing = table.keys().Lookup(key);
  if (existing.entry != nullptr && access.may_expire &&
      Entry(existing.entry).deadline() <= access.now) [[unlikely]] {
    Expire(database, table, key, existing);
    existing = {};
  }
  if (existing.entry != nullptr && access.counts_use) Entry(existing.entry).CountUse();
  if (existing.entry != nullptr && !access.tracking.enabled() &&
      OverwriteSameShape(table, key, existing, value, attributes)) {
    return FoundAt(database, existing);
  }
  EntryContent content;
  content.key = key.name;
  content.attributes = attributes;
  content.value_length = value.size();
  FillAccess(content, existing, access);
  NoteCas(attributes);
  return StoreContent(database, key, content, value, existing);
}

FaultOr<> Shard::CopyFrom(const Entry& source, int database, const Key& key, UnixMillis deadline,
                          const Access& access) {
  Table& table = TableFor(database);
  const Place existing = PlaceToOverwrite(database, table, key, access);
  DCHECK(existing.entry != source.bytes());
  EntryContent content = EntryContent::Of(source);
  content.uses = 0;
  content.key = key.name;
  content.attributes.deadline = deadline;
  FillAccess(content, existing, access);
  NoteCas(content.attributes);
  RETURN_IF_ERROR(StoreContent(database, key, content, source.value(), existing));
  return Ok();
}

// The key's place; an expired key is removed first if that is allowed.
Place Shard::PlaceToOverwrite(int database, Table& table, const Key& key, const Access& access) {
  const Place place = table.keys().Lookup(key);
  if (place.entry == nullptr || !access.may_expire || !IsExpired(Entry(place.entry), access.now)) {
    return place;
  }
  Expire(database, table, key, place);
  return {};
}

// The access field of content that is about to be written at `existing`, or under a new key.
void Shard::FillAccess(EntryContent& content, const Place& existing, const Access& access) {
  content.has_access = access.tracking.enabled();
  if (!content.has_access) return;
  content.access = access.tracking.First(access.now);
  if (existing.entry == nullptr || !Entry(existing.entry).has_access()) return;
  const uint32_t before = Entry(existing.entry).access();
  content.access =
      access.counts_use ? access.tracking.Touched(before, access.now, NextRandom()) : before;
}

// Writes `content` with `value` under `key`, which is at `existing` or absent. A block in `content`
// is shared, not taken over; without one, values too large for an entry get a block.
FaultOr<Found> Shard::StoreContent(int database, const Key& key, const EntryContent& content,
                                   std::string_view value, const Place& existing) {
  Table& table = TableFor(database);
  HashTable& keys = table.keys();
  const bool exists = existing.entry != nullptr;
  const Timing before = exists ? Entry(existing.entry).timing() : Timing{};
  const Timing after = content.timing(value);
  if (!NoteDeadline(table, key, before.next(), after.next())) return Fault::kOutOfMemory;
  if (exists) {
    walks_.Settle(keys, keys.ChainOf(PositionOf(key.hash)));
    if (OverwriteInPlace(Entry(existing.entry), content, value)) {
      table.CountTiming(before, after);
      TrackChange(database, key, IsTracked(before.key), existing);
      return FoundAt(database, existing);
    }
  }
  EntryContent written = content;
  SharedValue owner;  // keeps the block until the entry has its own share
  if (!written.is_reference() && value.size() > kInlineValueMax) {
    written.block = ValueBlock::Create(allocator_, value.size(), value.size());
    if (written.block == nullptr) return Fault::kOutOfMemory;
    owner = SharedValue::Adopt(written.block);
    std::memcpy(written.block->bytes(), value.data(), value.size());
  }
  if (exists) written.uses = Entry(existing.entry).use_counter();
  char* value_out;
  char* bytes = NewBytes(table, written, value_out);
  if (bytes == nullptr) return Fault::kOutOfMemory;
  if (!written.is_reference() && !value.empty()) {
    std::memcpy(value_out, value.data(), value.size());
  }
  const SlabRef ref = allocator_.RefOf(bytes);
  Place place = existing;
  if (exists) {
    keys.Replace(existing, ref);
    keys.FreeEntry(Entry(existing.entry));
    place.entry = bytes;
  } else {
    place = keys.Insert(key, ref, walks_);
    if (place.entry == nullptr) {
      keys.FreeEntry(Entry(bytes));
      return Fault::kOutOfMemory;
    }
  }
  table.CountTiming(before, after);
  TrackChange(database, key, exists && IsTracked(before.key), place);
  return FoundAt(database, place);
}

// The commonest write: an inline string over one of the same length, neither with a deadline, both
// or neither of a memcached client.
bool Shard::OverwriteSameShape(Table& table, const Key& key, const Place& place,
                               std::string_view value, const Attributes& attributes) {
  static_assert(static_cast<int>(ValueType::kString) == 0);
  const EntryParts parts = ParseEntry(place.entry);
  const uint8_t flags = attributes.has_memcached ? kHasMemcached : 0;
  if ((parts.flags & ~kUseCounterMask) != flags || parts.value_length != value.size() ||
      attributes.deadline != kNoDeadline) {
    return false;
  }
  walks_.Settle(table.keys(), table.keys().ChainOf(PositionOf(key.hash)));
  if (attributes.has_memcached) {
    NoteCas(attributes);
    attributes.WriteMemcached(place.entry + parts.fields);
  }
  if (!value.empty())
    std::memcpy(place.entry + parts.key + parts.key_length, value.data(), value.size());
  return true;
}

// True when the new content fits the memory that the entry has. The chain is settled.
bool Shard::OverwriteInPlace(Entry entry, const EntryContent& content, std::string_view value) {
  if (content.is_reference() || entry.collection() != nullptr) return false;
  const bool wants_block = value.size() > kInlineValueMax;
  if (entry.is_external() != wants_block) return false;
  EntryContent written = content;
  written.uses = entry.use_counter();
  const size_t total_before = ParseEntry(entry.bytes()).total();
  if (!wants_block) {
    if (!SameClass(total_before, written.total())) return false;
    char* value_out = written.Write(entry.bytes());
    if (!value.empty()) std::memcpy(value_out, value.data(), value.size());
    return true;
  }
  ValueBlock* block = entry.block();
  if (!block->is_exclusive() || block->capacity() < value.size() ||
      block->capacity() / 2 > value.size()) {
    return false;
  }
  written.block = block;
  if (!SameClass(total_before, written.total())) return false;
  written.Write(entry.bytes());
  std::memcpy(block->bytes(), value.data(), value.size());
  block->set_size(value.size());
  return true;
}

// A new entry with `content`, its block shared; the inline value is written by the caller.
char* Shard::NewBytes(Table& table, const EntryContent& content, char*& value_out) {
  const size_t total = content.total();
  const SlabRef ref = allocator_.Allocate(total);
  if (ref == 0) return nullptr;
  char* bytes = allocator_.At(ref);
  value_out = content.Write(bytes);
  if (content.block != nullptr) content.block->Acquire();
  if (content.collection != nullptr) content.collection->Acquire();
  table.keys().bytes().Add(static_cast<int64_t>(Entry(bytes).memory_bytes()));
  return bytes;
}

// Gives the entry at `found` new bytes with `content`, whose key and block may be its own; the
// inline value is copied as far as it goes. Returns where the inline value is. The chain is
// settled.
FaultOr<char*> Shard::Reshape(Found& found, const EntryContent& content) {
  Table& table = *TableAt(found.database);
  char* value_out;
  char* bytes = NewBytes(table, content, value_out);
  if (bytes == nullptr) return Fault::kOutOfMemory;
  if (!content.is_reference()) {
    const std::string_view value = found.entry.value();
    std::memcpy(value_out, value.data(), std::min(value.size(), content.value_length));
  }
  table.keys().Replace(found.place(), allocator_.RefOf(bytes));
  table.keys().FreeEntry(found.entry);
  found.entry = Entry(bytes);
  return value_out;
}

FaultOr<char*> Shard::ResizeString(Found& found, const Key& key, size_t size) {
  Table& table = *TableAt(found.database);
  walks_.Settle(table.keys(), table.keys().ChainOf(PositionOf(key.hash)));
  const size_t before = found.entry.value().size();
  char* value;
  if (size > kInlineValueMax) {
    ASSIGN_OR_RETURN(value, ResizeExternal(found, size));
  } else {
    EntryContent content = EntryContent::Of(found.entry);
    content.block = nullptr;
    content.value_length = size;
    const EntryParts parts = ParseEntry(found.entry.bytes());
    if (!found.entry.is_external() && SameClass(parts.total(), content.total()) &&
        content.total() - size == parts.total() - before) {
      // The lengths take as many bytes as before: nothing moves.
      content.key = key.name;
      value = content.Write(found.entry.bytes());
    } else {
      ASSIGN_OR_RETURN(value, Reshape(found, content));
    }
  }
  if (size > before) std::memset(value + before, 0, size - before);
  return value;
}

// ResizeString for sizes above kInlineValueMax: what is not copied is not initialised.
FaultOr<char*> Shard::ResizeExternal(Found& found, size_t size) {
  ValueBlock* block = found.entry.block();
  if (block != nullptr && block->is_exclusive() && block->capacity() >= size) {
    block->set_size(size);
    return block->bytes();
  }
  const std::string_view value = found.entry.value();
  const size_t capacity = size > value.size() ? GrownCapacity(size) : size;
  ValueBlock* grown = ValueBlock::Create(allocator_, size, capacity);
  if (grown == nullptr) return Fault::kOutOfMemory;
  const SharedValue owner = SharedValue::Adopt(grown);
  std::memcpy(grown->bytes(), value.data(), std::min(value.size(), size));
  EntryContent content = EntryContent::Of(found.entry);
  content.block = grown;
  RETURN_IF_ERROR(Reshape(found, content));
  return grown->bytes();
}

FaultOr<> Shard::SetDeadline(Found& found, const Key& key, UnixMillis deadline) {
  Attributes attributes = found.entry.attributes();
  attributes.deadline = deadline;
  return SetAttributes(found, key, attributes);
}

FaultOr<> Shard::SetAttributes(Found& found, const Key& key, const Attributes& attributes) {
  Table& table = *TableAt(found.database);
  const UnixMillis before = found.entry.deadline();
  const UnixMillis after = attributes.deadline;
  if (!NoteDeadline(table, key, before, after)) return Fault::kOutOfMemory;
  walks_.Settle(table.keys(), table.keys().ChainOf(PositionOf(key.hash)));
  EntryContent content = EntryContent::Of(found.entry);
  const bool same_layout = (content.attributes.deadline == kNoDeadline) == (after == kNoDeadline) &&
                           content.attributes.has_memcached == attributes.has_memcached;
  content.attributes = attributes;
  if (same_layout) {
    content.key = key.name;
    content.Write(found.entry.bytes());
  } else {
    RETURN_IF_ERROR(Reshape(found, content));
  }
  table.CountTiming({.key = before}, {.key = after});
  TrackChange(found.database, key, IsTracked(before), found.place());
  NoteCas(attributes);
  return Ok();
}

// Tells the eviction queues of a key that has come, or gained or lost its deadline. before: whether
// it had an item so far.
void Shard::TrackChange(int database, const Key& key, bool before, const Place& place) {
  if (domain_ == nullptr) [[likely]]
    return;
  const Entry entry(place.entry);
  const bool after = IsTracked(entry.deadline());
  if (before == after) return;
  if (after) {
    domain_->Add(domain_index_, database, PositionOf(key.hash), entry.memory_bytes());
  } else {
    domain_->Remove(domain_index_, database, PositionOf(key.hash));
  }
}

// Writes the time or frequency of use. An entry from before the policy gets the field now; without
// memory for it, at its next use.
void Shard::TrackUse(Found& found, const Key& key, const Access& access) {
  if (found.entry.has_access()) {
    const uint32_t before = found.entry.access();
    const uint32_t after = access.tracking.Touched(before, access.now, NextRandom());
    if (after != before) found.entry.set_access(after);
    return;
  }
  Table& table = *TableAt(found.database);
  walks_.Settle(table.keys(), table.keys().ChainOf(PositionOf(key.hash)));
  EntryContent content = EntryContent::Of(found.entry);
  content.has_access = true;
  content.access = access.tracking.First(access.now);
  (void)Reshape(found, content);
}

uint32_t Shard::NextRandom() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 17;
  random_ ^= random_ << 5;
  return random_;
}

// Keeps I1 for a key whose deadline is about to change. An item that fires earlier than needed
// finds the later deadline then, so only an earlier deadline needs a new item.
bool Shard::NoteDeadline(Table& table, const Key& key, UnixMillis before, UnixMillis after) {
  if (after < before) {
    table.RebuildStep(2);  // before the item: the entry does not have the deadline yet
    if (!table.AddDeadline(PositionOf(key.hash), after, key.shard())) return false;
    LowerNextExpiry(table.next_due());
  }
  return true;
}

void Shard::LowerNextExpiry(UnixMillis due) {
  if (due < next_expiry()) next_expiry_.store(due, std::memory_order_relaxed);
}

// A CAS that came from outside (replication, a snapshot) must not be given out again.
void Shard::NoteCas(const Attributes& attributes) {
  if (attributes.has_memcached) last_cas_ = std::max(last_cas_, attributes.cas / kShardCount);
}

uint64_t Shard::NextCas(uint32_t shard_index) { return ++last_cas_ * kShardCount + shard_index; }

}  // namespace mikura::engine::store
