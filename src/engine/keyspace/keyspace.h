// SPDX-License-Identifier: Apache-2.0
// All shards and their locks: taking one, several or all of them.
//
// The order in which locks may be taken, and why, is in lock_order.md beside this file.
#pragma once

#include <atomic>
#include <bitset>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "engine/keyspace/change_log.h"
#include "engine/keyspace/effects.h"
#include "engine/keyspace/shard_lock.h"
#include "engine/store/shard.h"

namespace mikura::engine {

// The shards of one command, in ascending order when taken.
using ShardSet = std::bitset<kShardCount>;

// Sees entries that the engine removes by itself, under the lock of their shard: it counts, and
// does nothing that waits.
class RemovalObserver {
 public:
  virtual ~RemovalObserver() = default;
  virtual void OnExpiredEntry(const store::Entry& entry, bool in_background) = 0;
};

class Keyspace final : public store::RemovalListener {
 public:
  struct Options {
    int database_count = 16;
    uint64_t hash_seed = 0;
  };

  static Result<std::unique_ptr<Keyspace>> Create(const Options& options);
  ~Keyspace() override;

  const KeyHasher& hasher() const { return hasher_; }
  int database_count() const { return options_.database_count; }
  ChangeLog& change_log() { return change_log_; }

  // ---- One shard. Wrapped by ShardGuard.
  ShardLock& lock(uint32_t index) { return cells_[index].lock; }
  // The shard itself; the caller holds its lock (checked in debug builds).
  store::Shard& LockedShard(uint32_t index) { return *cells_[index].shard; }
  // For prefetch hints and relaxed counts, no lock needed.
  const store::Shard& UnlockedShard(uint32_t index) const { return *cells_[index].shard; }

  // ---- Several or all shards.
  void LockShards(const ShardSet& shards) NO_THREAD_SAFETY_ANALYSIS;
  void UnlockShards(const ShardSet& shards) NO_THREAD_SAFETY_ANALYSIS;
  // Runs `critical` with every shard locked: the gate.
  void WithGate(const std::function<void()>& critical);
  // Runs `visit` for each shard in turn, one lock at a time.
  void ForEachShard(const std::function<void(uint32_t index, store::Shard& shard)>& visit);

  // Runs one command under the locks of its shards: what `run` adds to `effects` gets its place in
  // the change log before they are unlocked. Returns what `run` returns. The only order in which a
  // command locks, logs and unlocks.
  template <typename Run>
  auto RunLocked(uint32_t shard, Effects& effects, const Run& run) NO_THREAD_SAFETY_ANALYSIS {
    ShardLock& held = lock(shard);
    held.Lock();
    effects.Begin(change_log_.active());
    auto outcome = run();
    Commit(effects);
    held.Unlock();
    return outcome;
  }
  template <typename Run>
  auto RunLocked(const ShardSet& shards, Effects& effects,
                 const Run& run) NO_THREAD_SAFETY_ANALYSIS {
    LockShards(shards);
    effects.Begin(change_log_.active());
    auto outcome = run();
    Commit(effects);
    UnlockShards(shards);
    return outcome;
  }

  // Appends what `effects` holds to the change log; the changed shards are still locked.
  void Commit(Effects& effects) {
    if (!effects.empty()) change_log_.Append(effects.Record());
  }

  // ---- Whole databases (all shards locked inside). Freeing happens outside the locks. Each logs
  // its own effect, through `effects`, inside the gate.
  void FlushDatabase(int database, Effects& effects);
  void FlushAll(Effects& effects);
  void SwapDatabases(int a, int b, Effects& effects);

  // ---- Counts, without locks: each shard's own relaxed counters, summed.
  uint64_t KeyCount(int database) const;
  uint64_t VolatileKeyCount(int database) const;
  uint64_t UsedBytes() const;
  uint64_t ExpiredTotal() const;

  // True when the memory of keys and values is above `limit_bytes` (0: no limit). One relaxed load.
  bool IsOverLimit(uint64_t limit_bytes) const;

  // False on a replica: then only the primary removes expired keys.
  bool may_expire() const { return may_expire_.load(std::memory_order_relaxed); }
  void set_may_expire(bool value) { may_expire_.store(value, std::memory_order_relaxed); }
  store::Access AccessAt(UnixMillis now) const { return {now, may_expire()}; }

  // One turn of background work (expiry, resizing) over shards [first, first + count), wrapping.
  // Bounded work per shard; for the idle time of event loops.
  void Maintain(uint32_t first, uint32_t count, UnixMillis now);

  // store::RemovalListener: logs a DEL for an expired key, before the effects of the running
  // command.
  void OnExpired(int database, const Key& key, const store::Entry& entry,
                 bool in_background) override;

  // Told of entries that went without a command. Set once, before any thread touches keys; null:
  // nobody.
  void SetRemovalObserver(RemovalObserver* observer) { removal_observer_ = observer; }

 private:
  struct Cell {
    ShardLock lock;
    std::optional<store::Shard> shard;  // made once, in the constructor
  };

  Keyspace(const Options& options, std::unique_ptr<store::SlabAllocator> allocator);

  Options options_;
  KeyHasher hasher_;
  ChangeLog change_log_;
  std::unique_ptr<store::SlabAllocator> allocator_;
  std::unique_ptr<Cell[]> cells_;
  // Publishes the node's role to every thread that touches keys; a stale read hides or deletes one
  // expired key more, which both roles tolerate.
  std::atomic<bool> may_expire_{true};
  RemovalObserver* removal_observer_ = nullptr;
};

// Holds the lock of one shard.
class SCOPED_CAPABILITY ShardGuard {
 public:
  explicit ShardGuard(ShardLock& lock) ACQUIRE(lock) : lock_(lock) { lock_.Lock(); }
  ~ShardGuard() RELEASE() { lock_.Unlock(); }
  ShardGuard(const ShardGuard&) = delete;
  ShardGuard& operator=(const ShardGuard&) = delete;

 private:
  ShardLock& lock_;
};

}  // namespace mikura::engine
