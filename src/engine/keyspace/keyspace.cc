// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/keyspace.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "base/check.h"
#include "engine/keyspace/own_deadlines.h"
#include "engine/keyspace/shard_visit.h"
#include "engine/keyspace/waiter_table.h"
#include "engine/keyspace/watch_table.h"
#include "engine/store/slab_allocator.h"

namespace mikura::engine {
namespace {

// How long a collector of several shards waits for one of them while it holds others, and how often
// it begins anew.
constexpr auto kCollectPatience = std::chrono::microseconds(50);
constexpr int kCollectTries = 3;
constexpr int64_t kKeysFreedAtOnceMax = 10'000;  // about a millisecond

// Addresses to reserve: as many as there can be, since slots of large values keep theirs. They cost
// nothing but time in sanitizer builds, whose shadow grows with them (4 TiB: ten seconds for each
// keyspace): there it is four times the machine's memory, as a power of two.
uint64_t RegionBytes() {
#ifdef MIKURA_SANITIZED
  constexpr uint64_t kRegionBytesMin = uint64_t{1} << 34;
  const auto memory =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return std::clamp(std::bit_ceil(memory * 4), kRegionBytesMin, store::kRegionBytesMax);
#else
  return store::kRegionBytesMax;
#endif
}

}  // namespace

Keyspace::Keyspace(const Options& options, std::unique_ptr<store::SlabAllocator> allocator)
    : options_(options),
      hasher_(options.hash_seed),
      allocator_(std::move(allocator)),
      gauge_(allocator_->gauge()),
      defragmentation_(*allocator_),
      cells_(new Cell[kShardCount]),
      evictor_(std::make_unique<Evictor>(*this, allocator_->gauge())),
      watches_(std::make_unique<WatchTable>(*this)),
      waiters_(std::make_unique<WaiterTable>(*this)),
      own_deadlines_(std::make_unique<OwnDeadlines>(*this)) {
  for (uint32_t i = 0; i < kShardCount; ++i) {
    cells_[i].shard.emplace(*allocator_, hasher_, options.database_count, *this);
  }
}

Keyspace::~Keyspace() = default;

Result<std::unique_ptr<Keyspace>> Keyspace::Create(const Options& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<store::SlabAllocator> allocator,
                   store::SlabAllocator::Create(RegionBytes()));
  return std::unique_ptr<Keyspace>(new Keyspace(options, std::move(allocator)));
}

// Without the token: all shards, or none when one of them is not to be had soon.
bool Keyspace::TryCollect(const ShardSet& shards) {
  for (size_t i = shards._Find_first(); i < kShardCount; i = shards._Find_next(i)) {
    if (lock(static_cast<uint32_t>(i)).LockFor(kCollectPatience)) continue;
    for (size_t k = shards._Find_first(); k < i; k = shards._Find_next(k)) {
      lock(static_cast<uint32_t>(k)).Unlock();
    }
    return false;
  }
  return true;
}

void Keyspace::LockInOrder(const ShardSet& shards) {
  for (size_t i = shards._Find_first(); i < kShardCount; i = shards._Find_next(i)) {
    lock(static_cast<uint32_t>(i)).Lock();
  }
}

void Keyspace::LockShards(const ShardSet& shards) {
  if (!script_token_.is_mine()) {
    for (int tries = 0; tries < kCollectTries; ++tries) {
      if (TryCollect(shards)) return;
    }
    script_token_.Enter();
    collector_has_token_ = true;
  }
  LockInOrder(shards);
}

bool Keyspace::LockShardsFor(const ShardSet& shards, std::chrono::microseconds patience) {
  if (!script_token_.is_mine()) {
    for (int tries = 0; tries < kCollectTries; ++tries) {
      if (TryCollect(shards)) return true;
    }
    if (!script_token_.EnterFor(patience)) return false;
    collector_has_token_ = true;
  }
  LockInOrder(shards);
  return true;
}

void Keyspace::UnlockShards(const ShardSet& shards) {
  for (size_t i = shards._Find_first(); i < kShardCount; i = shards._Find_next(i)) {
    lock(static_cast<uint32_t>(i)).Unlock();
  }
  if (script_token_.is_mine() && collector_has_token_) {
    collector_has_token_ = false;
    script_token_.Leave();
  }
}

void Keyspace::WithGate(HeldShards held, const std::function<void()>& critical) {
  CHECK(held.none() || held.all());
  if (held.all()) return critical();
  const TokenGuard token(script_token_);
  ShardSet all;
  all.set();
  LockShards(all);
  critical();
  UnlockShards(all);
}

void Keyspace::ForEachShard(HeldShards held,
                            const std::function<void(uint32_t index, store::Shard& shard)>& visit) {
  for (uint32_t i = 0; i < kShardCount; ++i) {
    ShardVisit one(*this, held, i);
    visit(i, *cells_[i].shard);
  }
}

// A change of whole databases that is logged as a command of its own, or, inside a transaction,
// with the others.
void Keyspace::RunAtGate(HeldShards held, UnixMillis now, Effects& effects,
                         const std::function<void()>& critical) NO_THREAD_SAFETY_ANALYSIS {
  if (!held.none()) return WithGate(held, critical);
  ShardSet all;
  all.set();
  LockShards(all);
  effects.Begin(change_log_.active());
  critical();
  CommitAndServe(all, now, effects);
}

bool Keyspace::HasWaiters(const ShardSet& shards) const {
  for (size_t i = shards._Find_first(); i < kShardCount; i = shards._Find_next(i)) {
    if (IsObserved(static_cast<uint32_t>(i), KeyObserverKind::kWaiters)) return true;
  }
  return false;
}

void Keyspace::LockForWaiters(std::span<const Key> keys, ShardSet& shards) {
  ShardSet wanted = shards;
  while (!shards.all() && waiters_->AddMissingShards(keys, wanted)) {
    UnlockShards(shards);
    shards = wanted;
    LockShards(shards);
  }
}

// The end of a critical section. What each waiter takes is a record of its own, behind that of the
// command which made it possible.
void Keyspace::CommitAndServe(const ShardSet& shards, UnixMillis now, Effects& effects) {
  WaiterServices services;
  Commit(effects, shards);
  waiters_->ServeTouched(shards, now, effects, services);
  UnlockShards(shards);
  for (const WaiterPtr& waiter : services.served) waiter->Deliver();
  for (const WaiterServices::Left& left : services.left) {
    const Key key = hasher_(left.name);
    RunLocked(key, now, effects, [&] {
      waiters_->OnTouched(left.database, key);
      return true;
    });
  }
}

void Keyspace::ServeTouched(uint32_t shard, UnixMillis now, Effects& effects) {
  ShardSet shards;
  shards.set(shard);
  LockShards(shards);
  effects.Begin(change_log_.active());
  CommitAndServe(shards, now, effects);
}

void Keyspace::TellOfReplacement(int first, int end, int replacement, UnixMillis now) {
  const store::Access access{.now = now, .may_expire = false};
  for (uint32_t i = 0; i < kShardCount; ++i) {
    const uint8_t kinds = observed(i);
    if (kinds == 0) continue;
    for (int kind = 0; kind < kKeyObserverKinds; ++kind) {
      if ((kinds >> kind & 1) == 0) continue;
      for (int database = first; database < end; ++database) {
        key_observers_[kind]->OnDatabaseReplaced(i, database, replacement, access);
      }
    }
  }
}

void Keyspace::TellOfFlush() {
  for (KeyObserver* observer : key_observers_) {
    if (observer != nullptr) observer->OnFlushed();
  }
}

void Keyspace::FlushDatabase(int database, Effects& effects, UnixMillis now, HeldShards held) {
  Reclaimer::Tables detached;
  detached.reserve(kShardCount);
  RunAtGate(held, now, effects, [&] {
    TellOfReplacement(database, database + 1, -1, now);
    for (uint32_t i = 0; i < kShardCount; ++i) {
      detached.push_back(cells_[i].shard->DetachDatabase(database));
    }
    evictor_->RestartQueues();
    effects.Add(database, {"FLUSHDB"});
  });
  TellOfFlush();
  FreeDetached(held, std::move(detached));
}

void Keyspace::FlushAll(Effects& effects, UnixMillis now, HeldShards held) {
  Reclaimer::Tables detached;
  OwnDeadlines::Keys forgotten;
  RunAtGate(held, now, effects, [&] {
    TellOfReplacement(0, options_.database_count, -1, now);
    for (int database = 0; database < options_.database_count; ++database) {
      for (uint32_t i = 0; i < kShardCount; ++i) {
        std::shared_ptr<store::Table> table = cells_[i].shard->DetachDatabase(database);
        if (table != nullptr) detached.push_back(std::move(table));
      }
    }
    evictor_->RestartQueues();
    forgotten = own_deadlines_->TakeAll();
    effects.Add(0, {"FLUSHALL"});
  });
  TellOfFlush();
  FreeDetached(held, std::move(detached));
}

// Under locks nothing is freed.
void Keyspace::FreeDetached(HeldShards held, Reclaimer::Tables tables) {
  std::erase(tables, nullptr);
  int64_t keys = 0;
  for (const auto& table : tables) keys += table->key_count();
  flushed_keys_.fetch_add(static_cast<uint64_t>(keys), std::memory_order_relaxed);
  if (keys > kKeysFreedAtOnceMax || !held.none()) {
    reclaimer_.Add(std::move(tables));
    return;
  }
  tables.clear();
  ReturnFreeMemory();
}

void Keyspace::SwapDatabases(int a, int b, Effects& effects, UnixMillis now, HeldShards held) {
  RunAtGate(held, now, effects, [&] {
    TellOfReplacement(a, a + 1, b, now);
    TellOfReplacement(b, b + 1, a, now);
    for (uint32_t i = 0; i < kShardCount; ++i) cells_[i].shard->SwapDatabases(a, b);
    evictor_->RestartQueues();  // a queue that is being filled counts by database
    effects.Add(0, {"SWAPDB", std::to_string(a), std::to_string(b)});
  });
}

template <typename CountOf>
uint64_t Keyspace::SumOverShards(const CountOf& count_of) const {
  uint64_t total = 0;
  for (uint32_t i = 0; i < kShardCount; ++i) total += count_of(UnlockedShard(i));
  return total;
}

uint64_t Keyspace::KeyCount(int database) const {
  return SumOverShards([=](const store::Shard& shard) { return shard.key_count(database); });
}

uint64_t Keyspace::VolatileKeyCount(int database) const {
  return SumOverShards(
      [=](const store::Shard& shard) { return shard.volatile_key_count(database); });
}

uint64_t Keyspace::UsedBytes() const {
  return SumOverShards([](const store::Shard& shard) { return shard.used_bytes(); }) +
         evictor_->MemoryBytes();
}

uint64_t Keyspace::TableBytes(int database) const {
  return SumOverShards([=](const store::Shard& shard) { return shard.table_bytes(database); });
}

uint64_t Keyspace::ExpiryBytes(int database) const {
  return SumOverShards([=](const store::Shard& shard) { return shard.expiry_bytes(database); });
}

uint64_t Keyspace::ExpiredTotal() const {
  return SumOverShards([](const store::Shard& shard) { return shard.expired_total(); });
}

uint64_t Keyspace::ChangeCount() const {
  uint64_t total = flushed_keys_.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < kShardCount; ++i) {
    total += cells_[i].changes.load(std::memory_order_relaxed);
  }
  return total;
}

uint64_t Keyspace::EvictedTotal() const {
  return SumOverShards([](const store::Shard& shard) { return shard.evicted_total(); });
}

void Keyspace::TellObservers(int database, const Key& key) {
  const uint8_t kinds = observed(key.shard());
  for (int kind = 0; kind < kKeyObserverKinds; ++kind) {
    if ((kinds >> kind & 1) != 0) {
      key_observers_[kind]->OnTouched(database, key);
    }
  }
}

void Keyspace::OnExpired(int database, const Key& key, const store::Entry& entry,
                         bool in_background) {
  if (removal_observer_ != nullptr) removal_observer_->OnExpiredEntry(entry, in_background);
  LogRemoval(database, key);
  Touched(database, key);
  Notify(EventClass::kExpired, "expired", database, key);
}

void Keyspace::OnEvicted(int database, const Key& key, const store::Entry& entry) {
  if (!entry.attributes().was_fetched()) evictor_->CountUnfetched();
  if (removal_observer_ != nullptr) removal_observer_->OnEvictedEntry(database, entry);
  LogRemoval(database, key);
  Touched(database, key);
  Notify(EventClass::kEvicted, "evicted", database, key);
}

}  // namespace mikura::engine
