// SPDX-License-Identifier: Apache-2.0
// The part of Shard that stores collections. Order in every function as in shard_change.cc.
#include "base/check.h"
#include "engine/store/shard.h"
#include "engine/store/walk_mutants.h"

namespace mikura::engine::store {

FaultOr<> Shard::SetPacked(int database, const Key& key, ValueType type, std::string_view packed,
                           UnixMillis deadline, const Access& access) {
  DCHECK(packed.size() <= kInlineValueMax);
  EntryContent content;
  content.type = type;
  content.attributes.deadline = deadline;
  content.value_length = packed.size();
  return StoreCollectionContent(database, key, content, packed, access);
}

FaultOr<> Shard::SetCollection(int database, const Key& key, collections::Collection* collection,
                               UnixMillis deadline, const Access& access) {
  EntryContent content;
  content.type = TypeOf(collection->type());
  content.attributes.deadline = deadline;
  content.collection = collection;
  return StoreCollectionContent(database, key, content, {}, access);
}

FaultOr<> Shard::StoreCollectionContent(int database, const Key& key, EntryContent& content,
                                        std::string_view packed, const Access& access) {
  Table& table = TableFor(database);
  const Place existing = PlaceToOverwrite(database, table, key, access);
  content.key = key.name;
  FillAccess(content, existing, access);
  RETURN_IF_ERROR(StoreContent(database, key, content, packed, existing));
  return Ok();
}

void Shard::PrefetchInside(int database, const Key& key) const {
  const Table* table = TableAt(database);
  if (table == nullptr) return;
  const Place place = table->keys().Lookup(key);
  if (place.entry == nullptr) return;
  if (const collections::Collection* object = Entry(place.entry).collection()) object->Prefetch();
}

FaultOr<collections::Collection*> Shard::ExclusiveCollection(Found& found, const Key& key) {
  Table& table = *TableAt(found.database);
  walks_.Settle(table.keys(), table.keys().ChainOf(PositionOf(key.hash)));
  collections::Collection* const collection = found.entry.collection();
  if (collection->is_exclusive() || IsMutant(WalkMutant::kNoCopyOnWrite)) return collection;
  EntryContent content = EntryContent::Of(found.entry);
  content.collection = collection->Copy();
  const FaultOr<char*> outcome = Reshape(found, content);
  allocator_.collections().Release(content.collection);  // the entry has its own share now
  if (!outcome.ok()) return outcome.error();
  return found.entry.collection();
}

void Shard::NoteCollectionBytes(int database, int64_t delta) {
  TableAt(database)->keys().bytes().Add(delta);
}

void Shard::NoteElementDeadline(int database, const Key& key, UnixMillis before, UnixMillis after) {
  Table& table = *TableAt(database);
  table.CountTiming({.elements = before}, {.elements = after});
  // Too late to refuse the change: without memory for the item the wheel is rebuilt later.
  if (!NoteDeadline(table, key, before, after)) {
    table.OnItemLost();
    LowerNextExpiry(table.next_due());
  }
}

}  // namespace mikura::engine::store
