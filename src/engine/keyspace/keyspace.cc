// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/keyspace.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "engine/store/slab_allocator.h"

namespace mikura::engine {
namespace {

constexpr size_t kExpireBudget = 64;  // entries per shard and turn: some tens of microseconds
constexpr size_t kResizeBudget = 8;   // chains per shard and turn
constexpr size_t kMoveBudget = 8;     // chains per shard and turn: some microseconds
constexpr size_t kPurgeBudget = 64;   // spans of 64 KiB per turn: half a millisecond

// Addresses to reserve: four times the machine's memory, as a power of two. More costs nothing but
// time in sanitizer builds, whose shadow grows with it (4 TiB: ten seconds for each keyspace).
uint64_t RegionBytes() {
  constexpr uint64_t kRegionBytesMin = uint64_t{1} << 34;
  const auto memory =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return std::clamp(std::bit_ceil(memory * 4), kRegionBytesMin, store::kRegionBytesMax);
}

}  // namespace

Keyspace::Keyspace(const Options& options, std::unique_ptr<store::SlabAllocator> allocator)
    : options_(options),
      hasher_(options.hash_seed),
      allocator_(std::move(allocator)),
      gauge_(allocator_->gauge()),
      defragmentation_(*allocator_),
      cells_(new Cell[kShardCount]),
      evictor_(std::make_unique<Evictor>(*this, allocator_->gauge())) {
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

void Keyspace::LockShards(const ShardSet& shards) {
  for (size_t i = shards._Find_first(); i < kShardCount; i = shards._Find_next(i)) {
    lock(static_cast<uint32_t>(i)).Lock();
  }
}

void Keyspace::UnlockShards(const ShardSet& shards) {
  for (size_t i = shards._Find_first(); i < kShardCount; i = shards._Find_next(i)) {
    lock(static_cast<uint32_t>(i)).Unlock();
  }
}

void Keyspace::WithGate(const std::function<void()>& critical) {
  ShardSet all;
  all.set();
  LockShards(all);
  critical();
  UnlockShards(all);
}

void Keyspace::ForEachShard(const std::function<void(uint32_t index, store::Shard& shard)>& visit) {
  for (uint32_t i = 0; i < kShardCount; ++i) {
    ShardGuard guard(lock(i));
    visit(i, *cells_[i].shard);
  }
}

void Keyspace::FlushDatabase(int database, Effects& effects) {
  std::vector<std::shared_ptr<store::Table>> detached;
  detached.reserve(kShardCount);
  WithGate([&] {
    for (uint32_t i = 0; i < kShardCount; ++i) {
      detached.push_back(cells_[i].shard->DetachDatabase(database));
    }
    effects.Begin(change_log_.active());
    evictor_->RestartQueues();
    effects.Add(database, {"FLUSHDB"});
    Commit(effects);
  });
  detached.clear();
  ReturnFreeMemory();
}

void Keyspace::FlushAll(Effects& effects) {
  std::vector<std::shared_ptr<store::Table>> detached;
  WithGate([&] {
    for (int database = 0; database < options_.database_count; ++database) {
      for (uint32_t i = 0; i < kShardCount; ++i) {
        std::shared_ptr<store::Table> table = cells_[i].shard->DetachDatabase(database);
        if (table != nullptr) detached.push_back(std::move(table));
      }
    }
    effects.Begin(change_log_.active());
    evictor_->RestartQueues();
    effects.Add(0, {"FLUSHALL"});
    Commit(effects);
  });
  detached.clear();
  ReturnFreeMemory();
}

void Keyspace::SwapDatabases(int a, int b, Effects& effects) {
  WithGate([&] {
    for (uint32_t i = 0; i < kShardCount; ++i) cells_[i].shard->SwapDatabases(a, b);
    effects.Begin(change_log_.active());
    evictor_->RestartQueues();  // a queue that is being filled counts by database
    effects.Add(0, {"SWAPDB", std::to_string(a), std::to_string(b)});
    Commit(effects);
  });
}

uint64_t Keyspace::KeyCount(int database) const {
  uint64_t total = 0;
  for (uint32_t i = 0; i < kShardCount; ++i) total += UnlockedShard(i).key_count(database);
  return total;
}

uint64_t Keyspace::VolatileKeyCount(int database) const {
  uint64_t total = 0;
  for (uint32_t i = 0; i < kShardCount; ++i) total += UnlockedShard(i).volatile_key_count(database);
  return total;
}

uint64_t Keyspace::UsedBytes() const {
  uint64_t total = 0;
  for (uint32_t i = 0; i < kShardCount; ++i) total += UnlockedShard(i).used_bytes();
  return total + evictor_->MemoryBytes();
}

uint64_t Keyspace::ExpiredTotal() const {
  uint64_t total = 0;
  for (uint32_t i = 0; i < kShardCount; ++i) total += UnlockedShard(i).expired_total();
  return total;
}

uint64_t Keyspace::EvictedTotal() const {
  uint64_t total = 0;
  for (uint32_t i = 0; i < kShardCount; ++i) total += UnlockedShard(i).evicted_total();
  return total;
}

void Keyspace::Maintain(uint32_t first, uint32_t count, UnixMillis now) {
  for (uint32_t n = 0; n < count; ++n) {
    const uint32_t index = (first + n) % kShardCount;
    // A shard in use is left to its next turn: this is background work.
    if (!lock(index).TryLock()) continue;
    if (may_expire()) cells_[index].shard->ExpireStep(now, kExpireBudget);
    cells_[index].shard->ResizeStep(kResizeBudget);
    DefragmentStep(cells_[index]);
    lock(index).Unlock();
  }
  evictor_->Maintain(now);
  // Large values that were dropped under a lock are freed here, with none held.
  allocator_->block_memory().deferred.FreeAll();
  if (first == 0) defragmentation_.Tend(now);
  allocator_->TendThreadCache();
  // A fraction of what is free, so that memory which is about to be used again stays.
  const size_t free_spans = allocator_->dirty_bytes() / store::kSpanBytes;
  if (free_spans != 0) allocator_->Purge(std::min(free_spans / 8 + 1, kPurgeBudget));
}

// The cell's shard is locked.
void Keyspace::DefragmentStep(Cell& cell) {
  const uint64_t pass = defragmentation_.pass();
  if (pass == 0) return;
  store::DefragmentationProgress& progress = cell.defragmentation;
  if (progress.pass != pass) progress = {.pass = pass, .done = false};
  if (progress.done || !cell.shard->DefragmentStep(progress, kMoveBudget)) return;
  progress.done = true;
  defragmentation_.OnShardDone();
}

size_t Keyspace::ReturnFreeMemory() {
  const uint64_t before = allocator_->span_bytes();
  allocator_->block_memory().deferred.FreeAll();
  allocator_->FlushThreadCaches();
  allocator_->Purge(SIZE_MAX);
  const uint64_t after = allocator_->span_bytes();
  return before > after ? before - after : 0;
}

void Keyspace::OnExpired(int database, const Key& key, const store::Entry& entry,
                         bool in_background) {
  if (removal_observer_ != nullptr) removal_observer_->OnExpiredEntry(entry, in_background);
  LogRemoval(database, key);
}

void Keyspace::OnEvicted(int database, const Key& key, const store::Entry& entry) {
  const store::Attributes attributes = entry.attributes();
  if (attributes.has_memcached && (attributes.memcached_state & store::kFetchedState) == 0) {
    evictor_->CountUnfetched();
  }
  if (removal_observer_ != nullptr) removal_observer_->OnEvictedEntry(database, entry);
  LogRemoval(database, key);
}

void Keyspace::LogRemoval(int database, const Key& key) {
  if (!change_log_.active()) return;
  Effects effects;
  effects.Begin(true);
  effects.Add(database, {"DEL", key.name});
  change_log_.Append(effects.Record());
}

}  // namespace mikura::engine
