// SPDX-License-Identifier: Apache-2.0
// What a running command may do with the keys whose shards it holds. Made by the dispatcher for one
// command; the shards of all its keys are locked while it exists.
#pragma once

#include <string_view>

#include "engine/keyspace/effects.h"
#include "engine/keyspace/keyspace.h"
#include "engine/store/shard.h"

namespace mikura::engine {

class KeyAccess {
 public:
  KeyAccess(Keyspace& keyspace, Effects& effects, int database, const store::Access& access)
      : keyspace_(keyspace), effects_(effects), database_(database), access_(access) {}

  UnixMillis now() const { return access_.now; }
  int database() const { return database_; }
  const store::Access& access() const { return access_; }
  Effects& effects() { return effects_; }

  // The same rights in another database (COPY ... DB n): a key's shard is the same in all
  // databases.
  KeyAccess InDatabase(int database) const {
    return KeyAccess(keyspace_, effects_, database, access_);
  }

  // Live entry of `key`; counts a use.
  store::Found Find(const Key& key) {
    const store::Found found = shard(key).Find(database_, key, access_);
    ++(found ? hits_ : misses_);
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

  FaultOr<store::Found> SetString(const Key& key, std::string_view value,
                                  const store::Attributes& attributes) {
    return shard(key).SetString(database_, key, value, attributes, access_);
  }
  FaultOr<char*> ResizeString(store::Found& found, const Key& key, size_t size) {
    return shard(key).ResizeString(found, key, size);
  }
  FaultOr<> SetDeadline(store::Found& found, const Key& key, UnixMillis deadline) {
    return shard(key).SetDeadline(found, key, deadline);
  }
  FaultOr<> SetAttributes(store::Found& found, const Key& key,
                          const store::Attributes& attributes) {
    return shard(key).SetAttributes(found, key, attributes);
  }
  bool Erase(const Key& key) { return shard(key).Erase(database_, key, access_); }
  FaultOr<> CopyFrom(const store::Entry& source, const Key& key, UnixMillis deadline) {
    return shard(key).CopyFrom(source, database_, key, deadline, access_);
  }
  // Outcomes of Find() so far: the keyspace_hits and keyspace_misses of a reading command.
  uint32_t hits() const { return hits_; }
  uint32_t misses() const { return misses_; }

  uint64_t NextCas(const Key& key) { return shard(key).NextCas(key.shard()); }

 private:
  store::Shard& shard(const Key& key) { return keyspace_.LockedShard(key.shard()); }

  Keyspace& keyspace_;
  Effects& effects_;
  int database_;
  store::Access access_;
  uint32_t hits_ = 0;
  uint32_t misses_ = 0;
};

}  // namespace mikura::engine
