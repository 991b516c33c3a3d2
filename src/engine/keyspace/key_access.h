// SPDX-License-Identifier: Apache-2.0
// What a running command may do with the keys whose shards it holds. Made by the dispatcher for one
// command; the shards of all its keys are locked while it exists.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/keyspace/effects.h"
#include "engine/keyspace/keyspace.h"
#include "engine/keyspace/own_deadlines.h"
#include "engine/store/shard.h"

namespace mikura::engine {

template <typename T>
class CollectionView;
template <typename T>
class CollectionEdit;

class KeyAccess {
 public:
  // held: what is locked around the command, when it runs inside another one.
  KeyAccess(Keyspace& keyspace, Effects& effects, int database, const store::Access& access,
            HeldShards held = {})
      : keyspace_(keyspace), effects_(effects), database_(database), access_(access), held_(held) {}

  UnixMillis now() const { return access_.now; }
  int database() const { return database_; }
  const store::Access& access() const { return access_; }
  Effects& effects() { return effects_; }
  // For handlers that visit shards by themselves.
  HeldShards held() const { return held_; }

  // The same rights in another database (COPY ... DB n): a key's shard is the same in all
  // databases.
  KeyAccess InDatabase(int database) const {
    return KeyAccess(keyspace_, effects_, database, access_, held_);
  }

  // Live entry of `key`; counts a use.
  store::Found Find(const Key& key) {
    const store::Found found = shard(key).Find(database_, key, access_);
    ++(found ? hits_ : misses_);
    if (!found && tells_misses_) NotifyMiss(key);
    return found;
  }
  // Live entry of `key`; counts a use even for a client that asked not to (CLIENT NO-TOUCH).
  store::Found Touch(const Key& key) {
    store::Access access = access_;
    access.counts_use = true;
    return shard(key).Find(database_, key, access);
  }
  // The same without counting a use (TTL, TYPE, OBJECT, EXISTS under CLIENT NO-TOUCH).
  store::Found Peek(const Key& key) { return shard(key).Peek(database_, key, access_); }
  // As Find; kWrongType when another type than a string is there.
  FaultOr<store::Found> FindString(const Key& key) {
    const store::Found found = Find(key);
    if (found && found.entry.type() != store::ValueType::kString) return Fault::kWrongType;
    return found;
  }

  // ---- Changing. Each tells the observers of the key (Touched).
  FaultOr<store::Found> SetString(const Key& key, std::string_view value,
                                  const store::Attributes& attributes) {
    Touched(key);
    NotifyIfNew(key);
    NoteDeadline(key, attributes.deadline);
    return shard(key).SetString(database_, key, value, attributes, access_);
  }
  FaultOr<char*> ResizeString(store::Found& found, const Key& key, size_t size) {
    Touched(key);
    return shard(key).ResizeString(found, key, size);
  }
  FaultOr<> SetDeadline(store::Found& found, const Key& key, UnixMillis deadline) {
    Touched(key);
    NoteDeadline(key, deadline);
    return shard(key).SetDeadline(found, key, deadline);
  }
  FaultOr<> SetAttributes(store::Found& found, const Key& key,
                          const store::Attributes& attributes) {
    Touched(key);
    NoteDeadline(key, attributes.deadline);
    return shard(key).SetAttributes(found, key, attributes);
  }
  bool Erase(const Key& key) {
    const bool erased = shard(key).Erase(database_, key, access_);
    if (erased) Touched(key);
    return erased;
  }
  FaultOr<> CopyFrom(const store::Entry& source, const Key& key, UnixMillis deadline) {
    Touched(key);
    Notify(EventClass::kNew, "new", key);  // also in place of another value, as in Redis
    NoteDeadline(key, deadline);
    return shard(key).CopyFrom(source, database_, key, deadline, access_);
  }

  // ---- Collections: collection_access.h, which whoever calls these includes. Errors: kWrongType,
  // kOutOfMemory.
  template <typename T>
  FaultOr<CollectionView<T>> View(const Key& key);
  template <typename T>
  FaultOr<CollectionEdit<T>> Edit(const Key& key);
  // Replaces whatever is under `key`, its deadline too. An empty one only removes: true when a key
  // was removed.
  template <typename T>
  FaultOr<bool> StoreCollection(const Key& key, T value);
  // Any collection in place of what is under `key`: its packed bytes, or else a further ownership
  // of the object.
  FaultOr<> StoreAnyCollection(const Key& key, collections::Collection& value,
                               const std::optional<std::string>& packed, UnixMillis deadline) {
    Touched(key);
    NoteDeadline(key, deadline);
    if (!packed) return shard(key).SetCollection(database_, key, &value, deadline, access_);
    return shard(key).SetPacked(database_, key, store::TypeOf(value.type()), *packed, deadline,
                                access_);
  }
  collections::NodeMemory& node_memory() const { return keyspace_.allocator().collections(); }

  // Tells the observers of the key's shard that the key changed. One load when there are none.
  void Touched(const Key& key) {
    if (last_touched_ != key.hash) {
      keyspace_.CountChange(key.shard());
      last_touched_ = key.hash;
    }
    keyspace_.Touched(database_, key);
  }
  // Tells who listens to such events; as Redis' keyspace notifications. One load when nobody does.
  void Notify(EventClass event_class, std::string_view event, const Key& key) {
    keyspace_.Notify(event_class, event, database_, key);
  }
  // For a reading command: Find() tells of keys that it misses, as Redis does.
  void set_tells_misses(bool value) { tells_misses_ = value; }
  // For those that read by other means.
  void NotifyMiss(const Key& key) { Notify(EventClass::kKeyMiss, "keymiss", key); }

  // Outcomes of Find() so far: the keyspace_hits and keyspace_misses of a reading command.
  uint32_t hits() const { return hits_; }
  uint32_t misses() const { return misses_; }
  // Of a command that ran inside this one.
  void CountInside(const KeyAccess& inside) {
    hits_ += inside.hits_;
    misses_ += inside.misses_;
  }

  uint64_t NextCas(const Key& key) { return shard(key).NextCas(key.shard()); }

 private:
  template <typename T>
  friend class CollectionEdit;

  // Stores a value that is not empty. Tells nobody.
  template <typename T>
  FaultOr<> StoreValue(const Key& key, T value, UnixMillis deadline);
  FaultOr<bool> SplicePacked(const Key& key, std::string_view header,
                             const collections::PackedSplice& splice) {
    return shard(key).SplicePacked(database_, key, header, splice);
  }
  // Before something is stored under `key`.
  void NotifyIfNew(const Key& key) {
    if (keyspace_.ListensTo(EventClass::kNew) && !Peek(key)) [[unlikely]]
      Notify(EventClass::kNew, "new", key);
  }
  void NoteCollectionBytes(const Key& key, int64_t delta) {
    shard(key).NoteCollectionBytes(database_, delta);
  }
  // What a replica's own client does has a time, what its primary sends has none.
  bool notes_deadlines() const { return !access_.may_expire && access_.now != 0; }
  void NoteDeadline(const Key& key, UnixMillis deadline) {
    if (deadline != store::kNoDeadline && notes_deadlines()) [[unlikely]] {
      keyspace_.own_deadlines().Note(database_, key, deadline);
    }
  }
  void NoteElementDeadline(const Key& key, UnixMillis before, UnixMillis after) {
    NoteDeadline(key, after);
    shard(key).NoteElementDeadline(database_, key, before, after);
  }
  store::Shard& shard(const Key& key) { return keyspace_.LockedShard(key.shard()); }

  Keyspace& keyspace_;
  Effects& effects_;
  int database_;
  store::Access access_;
  HeldShards held_;
  uint32_t hits_ = 0;
  uint32_t misses_ = 0;
  bool tells_misses_ = false;
  uint64_t last_touched_ = 0;  // hash; a key that is changed in several steps counts once
};

}  // namespace mikura::engine
