// SPDX-License-Identifier: Apache-2.0
// S3-FIFO for 64 shards: a small queue for new keys, a main queue for those that were used again,
// and the fingerprints of keys that left the small queue without.
//
// A key that reaches the end of the small queue goes to the main queue when it was used, and away
// otherwise; one that comes back soon after enters the main queue. At the end of the main
// queue a key that was used goes round again with one use less. A use is only counted in the entry
// (Entry::CountUse): no queue is touched by it.
//
// Rules:
//   D1. For each shard and position: items in the queues and in flight - dead items >= keys that
//       are tracked; equal unless databases were detached since (then items of keys that are no
//       more are dropped when they come up).
//   D2. Keys at or behind built() have no item: whoever builds the domain adds them in order.
//   D3. Dead items are at most a quarter of all, and one in flight per evicting thread.
//
// Thread-safe by a leaf lock, taken under the lock of a shard or with nothing held.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/mutex.h"
#include "engine/store/eviction_queue.h"
#include "engine/store/ghost_set.h"
#include "engine/store/position_multiset.h"
#include "engine/store/relaxed_count.h"

namespace mikura::engine::store {

class EvictionDomain {
 public:
  static constexpr uint32_t kShards = 64;

  // A place in the order in which a domain is built.
  struct BuildCursor {
    uint32_t shard = 0;
    int database = 0;
    uint64_t position = 0;  // up to 2^32

    auto operator<=>(const BuildCursor&) const = default;
  };
  // An item that was taken out and not yet judged.
  struct Taken {
    QueueItem item;
    bool from_small = false;
  };
  enum class Verdict : uint8_t {
    kForget,  // the item was dead
    kKeep,    // put into the main queue: the caller lowers the use counter to KeptUses()
    kEvict,   // the caller removes the key, without calling Remove
  };

  explicit EvictionDomain(MemoryGauge& gauge);
  ~EvictionDomain();

  // ---- By the shard, under its lock. shard: number in the domain.
  void Add(uint32_t shard, int database, uint32_t position, size_t bytes);
  void Remove(uint32_t shard, int database, uint32_t position);

  // ---- By whoever evicts. Take: nothing held. Judge: under the lock of the item's shard; exists:
  // whether a tracked key is at its position; force: evict although it was used.
  std::optional<Taken> Take();
  Verdict Judge(const Taken& taken, bool exists, uint8_t uses, size_t bytes, bool force);
  static uint8_t KeptUses(const Taken& taken, uint8_t uses) {
    return taken.from_small || uses == 0 ? 0 : static_cast<uint8_t>(uses - 1);
  }

  // ---- By whoever builds. AddBuilt: under the lock of the cursor's shard, with the keys up to it.
  void Reset();
  // Frees some of the memory that the last Reset left.
  void FreeDiscarded(size_t chunks);
  BuildCursor built() const;
  void AddBuilt(const QueueItem& item);
  void SetBuilt(const BuildCursor& cursor);

  // Bytes of the keys in the queues, rounded. No lock.
  uint64_t key_bytes() const { return static_cast<uint64_t>(key_bytes_.value()); }
  // Memory of the queues themselves. No lock.
  uint64_t memory_bytes() const { return static_cast<uint64_t>(memory_bytes_.value()); }

  // For checks.
  uint64_t items() const;
  uint64_t dead_items() const;

 private:
  // Of the bytes of all keys. Why not 10, and why one use is enough: docs/adr/0003-s3-fifo.md.
  static constexpr uint64_t kSmallPercent = 20;

  static uint64_t GhostKeyOf(const QueueItem& item) {
    return uint64_t{item.shard} << 32 | item.position;
  }
  bool IsSmallQueueDue() const REQUIRES(mutex_);
  void ConsiderCompaction() REQUIRES(mutex_);
  void Account() REQUIRES(mutex_);
  void CountMemory(size_t bytes) REQUIRES(mutex_);

  MemoryGauge& gauge_;
  mutable Mutex mutex_;
  EvictionQueue small_ GUARDED_BY(mutex_);
  EvictionQueue main_ GUARDED_BY(mutex_);
  GhostSet ghosts_ GUARDED_BY(mutex_);
  // Keys that went while their items stayed.
  std::array<PositionMultiset, kShards> dead_ GUARDED_BY(mutex_);
  uint64_t dead_count_ GUARDED_BY(mutex_) = 0;
  uint64_t ghosts_added_ GUARDED_BY(mutex_) = 0;
  uint32_t removals_ GUARDED_BY(mutex_) = 0;
  BuildCursor built_ GUARDED_BY(mutex_);
  RelaxedCount key_bytes_;
  RelaxedCount memory_bytes_;
  size_t counted_extra_ GUARDED_BY(mutex_) = 0;  // memory beside the chunks that is in the gauge
};

}  // namespace mikura::engine::store
