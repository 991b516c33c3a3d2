// SPDX-License-Identifier: Apache-2.0
// The keys of one shard, in all databases.
//
// Guarded by the shard's lock, which engine/keyspace owns. Nothing here locks, blocks or does I/O.
//
// Invariants, checked by CheckInvariants() in tests:
//   I1. A key is in the expiry wheel if its entry has a deadline.
//   I2. used_bytes() is the sum of memory_bytes() over all entries, plus tables and wheels.
//   I3. Find() returns no entry whose deadline is <= now.
//   I4. Before a chain changes, every active walk has consumed it (concurrency: "settle").
//   I5. Region memory (entries, buckets, directories) is never unmapped: prefetch hints read it
//   unlocked.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "engine/collections/packed_elements.h"
#include "engine/store/defragmentation.h"
#include "engine/store/entry.h"
#include "engine/store/eviction_domain.h"
#include "engine/store/eviction_policy.h"
#include "engine/store/fault.h"
#include "engine/store/key.h"
#include "engine/store/relaxed_count.h"
#include "engine/store/slab_allocator.h"
#include "engine/store/table.h"
#include "engine/store/walks.h"

namespace mikura::engine::store {

// Place of a live entry. Invalid after the next change of the same shard by other means than
// itself.
struct Found {
  Entry entry{nullptr};
  void* chain = nullptr;  // bucket that holds the reference
  uint32_t position = 0;  // index in that bucket
  int database = 0;
  bool exists = false;

  explicit operator bool() const { return exists; }
  Place place() const { return {static_cast<Bucket*>(chain), position, entry.bytes()}; }
};

// Time and rights of one access.
struct Access {
  UnixMillis now = 0;
  // False on replicas: an expired key is hidden but stays until the primary deletes it.
  bool may_expire = true;
  // False for clients that asked for it (CLIENT NO-TOUCH): Find counts no use.
  bool counts_use = true;
  // What a use writes beside the use counter.
  AccessTracking tracking = {};
};

// Told, under the shard's lock, of keys that the shard removed by itself.
class RemovalListener {
 public:
  virtual ~RemovalListener() = default;
  // in_background: found by ExpireStep, not by an access.
  virtual void OnExpired(int database, const Key& key, const Entry& entry, bool in_background) = 0;
  // The entry is still there. It was removed to make room.
  virtual void OnEvicted(int database, const Key& key, const Entry& entry) = 0;
  // Elements of the key's value are due at `now`. Removes them from the shard, at most `limit`;
  // returns how many. It may change the key's entry, and no other key.
  virtual size_t OnElementsDue(int database, const Key& key, UnixMillis now, size_t limit) = 0;
};

// A key that may be evicted, by its place in the order of hashes. The highest score goes first.
struct EvictionCandidate {
  uint64_t score = 0;
  uint32_t position = 0;
  int database = 0;
};

// A walk's sink: sees each entry of the shard as it was when the walk began, once, under the lock.
// It copies what it needs, or shares the external block; it never blocks.
class EntryConsumer {
 public:
  virtual ~EntryConsumer() = default;
  virtual void Consume(int database, const Entry& entry) = 0;
};

// Aligned so that what a lookup reads of it is one cache line.
class alignas(64) Shard {
 public:
  Shard(SlabAllocator& allocator, const KeyHasher& hasher, int database_count,
        RemovalListener& listener);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // ---- Hints of what a command will need: no lock needed; harmless when the shard changes
  // meanwhile. For a batch: each for all keys, then the next one for all keys, then the commands.
  void PrefetchTable(int database) const {
    if (database == 0) __builtin_prefetch(&first_);
  }
  const char* HintedBucket(int database, const Key& key) const {
    const Table* const table = TableAt(database);
    return (table != nullptr ? *table : first_).keys().HintedChain(key.hash);
  }
  // bucket: loaded, and hinted at by HintedBucket() or by this.
  HashTable::Hint HintedEntry(const char* bucket, const Key& key) const {
    return first_.keys().HintedEntry(bucket, key.hash);
  }

  // Behind that, for keys that hold collections. True: PrefetchInside() may load more.
  bool PrefetchCollection(int database, const Key& key) const {
    const Table* table = TableAt(database);
    return table != nullptr && table->keys().PrefetchCollection(key.hash);
  }
  // What the object of a large collection points to; under the lock.
  void PrefetchInside(int database, const Key& key) const;

  // ---- Reading. Cost O(1). Find counts a use of the entry, Peek does not. Under a policy that
  // tracks uses, the first Find of an older entry makes room for the field in it.
  Found Find(int database, const Key& key, const Access& access);
  Found Peek(int database, const Key& key, const Access& access);

  // ---- Changing. Each settles the chain first (I4) and keeps the memory count (I2).
  // Stores a string under `key`, whatever was there. In place when the size class fits. `value`
  // must not lie in this shard. Errors: kOutOfMemory when the region or the allocator has no more
  // room.
  FaultOr<Found> SetString(int database, const Key& key, std::string_view value,
                           const Attributes& attributes, const Access& access);
  // Makes the string `size` bytes long: keeps the common prefix, fills with zeros; amortised O(1)
  // per byte appended. Returns the writable bytes; `found` is updated. Keeps the attributes.
  FaultOr<char*> ResizeString(Found& found, const Key& key, size_t size);
  // deadline kNoDeadline removes it.
  FaultOr<> SetDeadline(Found& found, const Key& key, UnixMillis deadline);
  FaultOr<> SetAttributes(Found& found, const Key& key, const Attributes& attributes);
  // False when the key was absent (or expired).
  bool Erase(int database, const Key& key, const Access& access);
  // Stores under `key` a copy of `source` (of this or another shard whose lock is held too);
  // external values are shared, not copied. Replaces what was there.
  FaultOr<> CopyFrom(const Entry& source, int database, const Key& key, UnixMillis deadline,
                     const Access& access);

  // ---- Collections (engine/collections). Each replaces what was under `key`.
  // Stores packed bytes of a collection, at most kInlineValueMax of them.
  FaultOr<> SetPacked(int database, const Key& key, ValueType type, std::string_view packed,
                      UnixMillis deadline, const Access& access);
  // A packed collection that lies in its entry gets one change there: `header` in place of what
  // stands in front of its elements, and `splice` of those. Moves no more bytes than that takes
  // while the size class stays. False, and nothing done, when the elements are not those of `key`
  // or some of them have deadlines. Errors: kOutOfMemory.
  FaultOr<bool> SplicePacked(int database, const Key& key, std::string_view header,
                             const collections::PackedSplice& splice);
  // Stores a further ownership of `collection`.
  FaultOr<> SetCollection(int database, const Key& key, collections::Collection* collection,
                          UnixMillis deadline, const Access& access);
  // The object of a large collection, for changing: nobody else owns it then, and running walks
  // have seen the old state. `found` is updated. Whoever has changed it calls NoteCollectionBytes.
  FaultOr<collections::Collection*> ExclusiveCollection(Found& found, const Key& key);
  // The memory of a large collection of `database` has changed by `delta`.
  void NoteCollectionBytes(int database, int64_t delta);
  // The same for its next_deadline(), when that changed.
  void NoteElementDeadline(int database, const Key& key, UnixMillis before, UnixMillis after);
  collections::NodeMemory& node_memory() const { return allocator_.collections(); }

  // ---- Whole databases. O(1) under the lock: the old table is returned, and freed by the caller
  // outside the lock (the destructor of the last owner frees bucket by bucket). Null when empty.
  // Shared with running walks, which still have to visit it.
  std::shared_ptr<Table> DetachDatabase(int database);
  void SwapDatabases(int a, int b);

  // ---- Iteration. Visits entries whose 32-bit hash order lies at or after `cursor`, one chain or
  // more, until `budget` entries were seen; returns the next cursor, or nullopt at the end.
  // Each entry that is present during a whole iteration is seen at least once, resizing or not.
  std::optional<uint64_t> Scan(int database, uint64_t cursor, size_t budget, const Access& access,
                               EntryConsumer& consumer);
  // Some live entry, roughly uniform by bucket; absent when the database is empty.
  Found Random(int database, uint64_t random, const Access& access);

  // ---- Walks (snapshot, full sync): see EntryConsumer. BeginWalk is called with all shards
  // locked.
  void BeginWalk(int walk, EntryConsumer& consumer);
  // Consumes up to `chains` chains; true when the walk of this shard is complete.
  bool WalkStep(int walk, size_t chains);
  // Stops consuming; marks are made consistent by further WalkSteps until they return true.
  void AbortWalk(int walk);

  // ---- Expiry. Removes entries whose deadline has passed, and elements (fields of hashes) whose
  // own has, and sorts later ones anew. Handles at most `budget` entries and elements, and as many
  // chains when the wheel is being rebuilt; returns the number of both. More is due when
  // next_expiry() has passed still; 0 meanwhile: there is no memory now.
  size_t ExpireStep(UnixMillis now, size_t budget);
  // ExpireStep has nothing to do before; readable without the lock.
  UnixMillis next_expiry() const { return next_expiry_.load(std::memory_order_relaxed); }
  // Moves at most `chains` chains of a running resize; true when no resize is running.
  bool ResizeStep(size_t chains);
  // Moves what lies in sparse spans, at most `chains` chains further; true when all databases have
  // been visited.
  bool DefragmentStep(DefragmentationProgress& progress, size_t chains);

  // ---- Eviction (shard_eviction.cc). Every removal settles the chain and tells the listener.
  // Writes up to `out`.size() keys that `settings` allows, chosen at random by `random`; returns
  // their number. Cost: bounded, some microseconds.
  size_t SampleForEviction(const EvictionSettings& settings, uint64_t random, UnixMillis now,
                           std::span<EvictionCandidate> out) const;
  // Removes the candidate's key unless it went, or was used since. True when a key was removed.
  bool Evict(const EvictionSettings& settings, const EvictionCandidate& candidate, UnixMillis now);
  // From now on `domain` is told which keys come and go, as number `index`; null: nobody is.
  void SetEvictionDomain(EvictionDomain* domain, uint32_t index, bool volatile_only);
  // Judges the key of an item that came from the shard's domain. True when a key was removed.
  bool EvictTaken(const EvictionDomain::Taken& taken, UnixMillis now, bool force);
  // Gives keys to the domain, some chains of at most `budget` keys, from where it was left; true
  // when the shard has no more.
  bool BuildEvictionDomain(size_t budget);

  // ---- Counts; readable without the lock (relaxed).
  uint64_t key_count(int database) const;
  uint64_t volatile_key_count(int database) const;  // keys with a deadline
  uint64_t used_bytes() const;
  uint64_t table_bytes(int database) const;   // of used_bytes(): chains without overflow, nearly
  uint64_t expiry_bytes(int database) const;  // of used_bytes(): wheels
  uint64_t evicted_total() const { return static_cast<uint64_t>(evicted_total_.value()); }
  uint64_t expired_total() const { return static_cast<uint64_t>(expired_total_.value()); }

  // Version number for memcached CAS: unique in this process, never 0.
  uint64_t NextCas(uint32_t shard_index);

  // Aborts the process when an invariant is broken. O(n).
  void CheckInvariants() const;

 private:
  const Table* TableAt(int database) const {
    return database == 0 ? &first_ : others_[database - 1].load(std::memory_order_acquire);
  }
  Table* TableAt(int database) {
    return database == 0 ? &first_ : others_[database - 1].load(std::memory_order_relaxed);
  }
  Table& TableFor(int database);  // makes it if need be

  Found FoundAt(int database, const Place& place) const {
    return {Entry(place.entry), place.bucket, place.index, database, true};
  }
  Place LookupLive(int database, Table& table, const Key& key, const Access& access);
  void Expire(int database, Table& table, const Key& key, const Place& place,
              bool in_background = false);
  void Remove(int database, Table& table, const Key& key, const Place& place);
  void RemoveUntracked(Table& table, const Key& key, const Place& place);
  uint32_t NextRandom();
  void TrackUse(Found& found, const Key& key, const Access& access);
  bool IsTracked(UnixMillis deadline) const {
    return domain_ != nullptr && (!tracks_volatile_only_ || deadline != kNoDeadline);
  }
  void TrackChange(int database, const Key& key, bool before, const Place& place);
  void EvictEntry(int database, Table& table, const Place& place, bool is_queued);
  int PickDatabase(bool volatile_only, uint64_t random) const;
  size_t FireItem(int database, Table& table, uint32_t position, UnixMillis now, size_t budget);

  Place PlaceToOverwrite(int database, Table& table, const Key& key, const Access& access);
  FaultOr<> StoreCollectionContent(int database, const Key& key, EntryContent& content,
                                   std::string_view packed, const Access& access);
  FaultOr<Found> StoreContent(int database, const Key& key, const EntryContent& content,
                              std::string_view value, const Place& existing);
  void FillAccess(EntryContent& content, const Place& existing, const Access& access);
  bool OverwriteSameShape(Table& table, const Key& key, const Place& place, std::string_view value,
                          const Attributes& attributes);
  bool OverwriteInPlace(Entry entry, const EntryContent& content, std::string_view value);
  char* NewBytes(Table& table, const EntryContent& content, char*& value_out);
  FaultOr<char*> Reshape(Found& found, const EntryContent& content);
  FaultOr<char*> ResizeExternal(Found& found, size_t size);
  bool NoteDeadline(Table& table, const Key& key, UnixMillis before, UnixMillis after);
  void LowerNextExpiry(UnixMillis due);
  void NoteCas(const Attributes& attributes);

  // The walks' marks and the first 48 bytes of the first table are one cache line: all that GET,
  // the hints, and a SET in place read of a shard.
  WalkSet walks_;
  Table first_;  // database 0
  // Publishes to the expiry job, which may look before it takes the lock.
  std::atomic<UnixMillis> next_expiry_{INT64_MAX};
  SlabAllocator& allocator_;
  const KeyHasher& hasher_;
  RemovalListener& listener_;
  // Databases 1 and up, made when first written and kept. Publishes the finished table to hints and
  // statistics, which have no lock.
  std::unique_ptr<std::atomic<Table*>[]> others_;
  const int database_count_;
  RelaxedCount expired_total_;
  RelaxedCount evicted_total_;
  // Null unless the policy has queues.
  EvictionDomain* domain_ = nullptr;
  uint16_t domain_index_ = 0;
  bool tracks_volatile_only_ = false;
  uint32_t random_ = 1;    // for the counters of an LFU policy
  uint64_t last_cas_ = 0;  // the part of a CAS above the shard's number
};

// ---- Inline: what every read does. Each returns a few words, which a call would pass in memory.

inline bool IsExpired(Entry entry, UnixMillis now) {
  return entry.has_deadline() && entry.deadline() <= now;
}

// The key's place unless it has expired (I3); an expired key is removed if that is allowed.
[[gnu::always_inline]] inline Place Shard::LookupLive(int database, Table& table, const Key& key,
                                                      const Access& access) {
  const Place place = table.keys().Lookup(key);
  if (place.entry == nullptr || !IsExpired(Entry(place.entry), access.now)) return place;
  if (access.may_expire) Expire(database, table, key, place);
  return {};
}

inline Found Shard::Peek(int database, const Key& key, const Access& access) {
  Table* table = TableAt(database);
  if (table == nullptr) return {};
  const Place place = LookupLive(database, *table, key, access);
  if (place.entry == nullptr) return {};
  return FoundAt(database, place);
}

inline Found Shard::Find(int database, const Key& key, const Access& access) {
  Found found = Peek(database, key, access);
  if (found && access.counts_use) {
    found.entry.CountUse();
    if (access.tracking.enabled()) [[unlikely]]
      TrackUse(found, key, access);
  }
  return found;
}

}  // namespace mikura::engine::store
