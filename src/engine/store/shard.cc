// SPDX-License-Identifier: Apache-2.0
#include "engine/store/shard.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "engine/store/walk_mutants.h"

namespace mikura::engine::store {
namespace {

constexpr uint64_t kPositions = uint64_t{1} << 32;

}  // namespace

Shard::Shard(SlabAllocator& allocator, const KeyHasher& hasher, int database_count,
             RemovalListener& listener)
    : first_(allocator, hasher),
      allocator_(allocator),
      hasher_(hasher),
      listener_(listener),
      others_(std::make_unique<std::atomic<Table*>[]>(database_count - 1)),
      database_count_(database_count) {
  static_assert(sizeof(WalkSet) == 16);  // with 48 bytes of first_ one cache line
  CHECK(database_count >= 1);
}

Shard::~Shard() {
  for (int i = 0; i + 1 < database_count_; ++i) delete others_[i].load(std::memory_order_relaxed);
}

Table& Shard::TableFor(int database) {
  Table* table = TableAt(database);
  if (table == nullptr) {
    table = new Table(allocator_, hasher_);
    others_[database - 1].store(table, std::memory_order_release);
  }
  return *table;
}

// ---- Removing

bool Shard::Erase(int database, const Key& key, const Access& access) {
  Table* table = TableAt(database);
  if (table == nullptr) return false;
  const Place place = LookupLive(database, *table, key, access);
  if (place.entry == nullptr) return false;
  Remove(database, *table, key, place);
  return true;
}

void Shard::Expire(int database, Table& table, const Key& key, const Place& place,
                   bool in_background) {
  expired_total_.Add(1);
  listener_.OnExpired(database, key, Entry(place.entry), in_background);
  Remove(database, table, key, place);
}

void Shard::Remove(int database, Table& table, const Key& key, const Place& place) {
  if (IsTracked(Entry(place.entry).deadline())) {
    domain_->Remove(domain_index_, database, PositionOf(key.hash));
  }
  RemoveUntracked(table, key, place);
}

// The key's item in the eviction queues, if there are any, is the caller's affair.
void Shard::RemoveUntracked(Table& table, const Key& key, const Place& place) {
  HashTable& keys = table.keys();
  Bucket* head = keys.ChainOf(PositionOf(key.hash));
  if (!IsMutant(WalkMutant::kExpiryUnsettled) || Entry(place.entry).deadline() == kNoDeadline) {
    walks_.Settle(keys, head);
  }
  const Entry entry(place.entry);
  table.CountTiming(entry.timing(), {});
  keys.Remove(head, place);
  keys.FreeEntry(entry);
  keys.MoveChains(2, walks_);
}

// ---- Whole databases

std::shared_ptr<Table> Shard::DetachDatabase(int database) {
  Table* table = TableAt(database);
  if (table == nullptr || table->key_count() == 0) return nullptr;
  auto detached = std::make_shared<Table>(allocator_, hasher_);
  table->Swap(*detached);
  if (!IsMutant(WalkMutant::kFlushDrops)) walks_.OnDetach(*table, detached);
  return detached;
}

void Shard::SwapDatabases(int a, int b) {
  if (a == b || (TableAt(a) == nullptr && TableAt(b) == nullptr)) return;
  Table& first = TableFor(a);
  Table& second = TableFor(b);
  first.Swap(second);
  if (!IsMutant(WalkMutant::kDatabaseByIndex)) walks_.OnSwap(first, second);
}

// ---- Iteration

std::optional<uint64_t> Shard::Scan(int database, uint64_t cursor, size_t budget,
                                    const Access& access, EntryConsumer& consumer) {
  const Table* table = TableAt(database);
  if (table == nullptr || !table->keys().has_chains()) return std::nullopt;
  const HashTable& keys = table->keys();
  size_t seen = 0;
  while (cursor < kPositions && seen < budget) {
    const ChainRange range = keys.ChainAt(static_cast<uint32_t>(cursor));
    keys.PrefetchAll(range.head);
    ++seen;  // an empty chain is work too
    keys.ForEach(range.head, [&](Bucket*, uint32_t, Entry entry) {
      ++seen;
      if (!IsExpired(entry, access.now)) consumer.Consume(database, entry);
    });
    cursor = range.end;
  }
  if (cursor >= kPositions) return std::nullopt;
  return cursor;
}

Found Shard::Random(int database, uint64_t random, const Access& access) {
  const Table* table = TableAt(database);
  if (table == nullptr || table->key_count() == 0) return {};
  const HashTable& keys = table->keys();
  const auto start = static_cast<uint32_t>(random);
  uint64_t position = start;
  bool wrapped = false;
  while (!wrapped || position <= start) {
    const ChainRange range = keys.ChainAt(static_cast<uint32_t>(position));
    uint32_t live = 0;
    keys.ForEach(range.head, [&](Bucket*, uint32_t, Entry entry) {
      live += IsExpired(entry, access.now) ? 0 : 1;
    });
    if (live > 0) {
      uint64_t skip = (random >> 32) % live;
      Found found;
      keys.ForEach(range.head, [&](Bucket* bucket, uint32_t index, Entry entry) {
        if (found || IsExpired(entry, access.now) || skip-- > 0) return;
        found = FoundAt(database, {bucket, index, entry.bytes()});
      });
      return found;
    }
    position = range.end;
    if (position == kPositions) {
      if (wrapped) break;  // `start` lies in the last chain
      position = 0;
      wrapped = true;
    }
  }
  return {};
}

// ---- Walks

void Shard::BeginWalk(int walk, EntryConsumer& consumer) {
  walks_.Begin(walk, consumer);
  for (int database = 0; database < database_count_; ++database) {
    Table* table = TableAt(database);
    if (table != nullptr && table->keys().has_chains()) walks_.Capture(walk, database, *table);
  }
}

bool Shard::WalkStep(int walk, size_t chains) { return walks_.Step(walk, chains); }

void Shard::AbortWalk(int walk) { walks_.Abort(walk); }

// ---- Steps of background work

size_t Shard::ExpireStep(UnixMillis now, size_t budget) {
  if (now < next_expiry()) return 0;
  size_t handled = 0;
  UnixMillis next = INT64_MAX;
  for (int database = 0; database < database_count_; ++database) {
    Table* table = TableAt(database);
    if (table == nullptr) continue;
    if (budget > 0) handled += table->RebuildStep(budget);
    while (budget > 0) {
      ExpiryWheel::Batch batch;
      const size_t count = table->TakeDue(now, budget, batch);
      if (count == 0) break;
      for (size_t i = 0; i < count; ++i) {
        if (budget == 0) {
          table->AddUnfinished(batch[i]);
          continue;
        }
        const size_t done = std::min(budget, FireItem(database, *table, batch[i], now, budget));
        budget -= done;
        handled += done;
      }
    }
    next = std::min(next, table->next_due());
  }
  next_expiry_.store(next, std::memory_order_relaxed);
  return handled;
}

// Removes what has expired at a position; deadlines that are later go where they belong. Returns
// how many entries and elements were handled, at least 1; elements: at most `budget`, which is not
// 0.
size_t Shard::FireItem(int database, Table& table, uint32_t position, UnixMillis now,
                       size_t budget) {
  HashTable& keys = table.keys();
  size_t done = 0;
  bool changed = true;
  while (changed) {
    changed = false;
    if (!keys.has_chains()) break;
    Place due;
    bool is_key_due = false;
    UnixMillis later = kNoDeadline;
    keys.ForEach(keys.ChainOf(position), [&](Bucket* bucket, uint32_t index, Entry entry) {
      const UnixMillis next = entry.timing().next();
      if (next == kNoDeadline || keys.PositionOfEntry(entry) != position) return;
      if (next <= now) {
        due = {bucket, index, entry.bytes()};
        is_key_due = IsExpired(entry, now);
      } else {
        later = std::min(later, next);
      }
    });
    if (due.entry != nullptr && is_key_due) {
      Expire(database, table, hasher_(Entry(due.entry).key()), due, true);
      ++done;
      changed = true;  // another entry may be at its place now
    } else if (due.entry != nullptr) {
      if (done >= budget) {
        table.AddUnfinished(position);
        break;
      }
      // The listener may replace the entry, whose bytes hold the name.
      const std::string name(Entry(due.entry).key());
      const size_t removed = listener_.OnElementsDue(database, hasher_(name), now, budget - done);
      done += removed;
      changed = removed > 0;
      if (!changed) table.OnItemLost();  // no memory now
    } else if (later != kNoDeadline) {
      if (!table.AddDeadline(position, later, 0)) table.OnItemLost();
    }
  }
  return std::max<size_t>(done, 1);
}

bool Shard::ResizeStep(size_t chains) {
  bool done = true;
  for (int database = 0; database < database_count_; ++database) {
    Table* table = TableAt(database);
    if (table == nullptr || !table->keys().has_chains()) continue;
    if (!table->keys().MoveChains(chains, walks_)) done = false;
  }
  return done;
}

bool Shard::DefragmentStep(DefragmentationProgress& progress, size_t chains) {
  for (; progress.database < database_count_; ++progress.database, progress.position = 0) {
    Table* table = TableAt(progress.database);
    if (table == nullptr) continue;
    if (!table->keys().DefragmentStep(progress.position, chains)) return false;
  }
  return true;
}

// ---- Counts

uint64_t Shard::key_count(int database) const {
  const Table* table = TableAt(database);
  return table == nullptr ? 0 : static_cast<uint64_t>(table->key_count());
}

uint64_t Shard::volatile_key_count(int database) const {
  const Table* table = TableAt(database);
  return table == nullptr ? 0 : static_cast<uint64_t>(table->volatile_keys());
}

uint64_t Shard::table_bytes(int database) const {
  const Table* table = TableAt(database);
  return table == nullptr ? 0 : static_cast<uint64_t>(table->keys().ApproximateArrayBytes());
}

uint64_t Shard::expiry_bytes(int database) const {
  const Table* table = TableAt(database);
  return table == nullptr ? 0 : static_cast<uint64_t>(table->wheel_bytes());
}

uint64_t Shard::used_bytes() const {
  int64_t bytes = 0;
  for (int database = 0; database < database_count_; ++database) {
    const Table* table = TableAt(database);
    if (table != nullptr) bytes += table->used_bytes();
  }
  return static_cast<uint64_t>(bytes);
}

void Shard::CheckInvariants() const {
  for (int database = 0; database < database_count_; ++database) {
    const Table* table = TableAt(database);
    if (table == nullptr) continue;
    table->CheckInvariants();
    CHECK(next_expiry() <= table->next_due());
    const HashTable& keys = table->keys();
    for (uint64_t position = 0; keys.has_chains() && position < kPositions;) {
      const ChainRange range = keys.ChainAt(static_cast<uint32_t>(position));
      CHECK(walks_.IsConsistent(keys, range.head, position));  // I4
      position = range.end;
    }
  }
}

}  // namespace mikura::engine::store
