// SPDX-License-Identifier: Apache-2.0
// S3-FIFO for some of the shards: a small queue for new keys, a main queue for those that were used
// again, and the fingerprints of keys that were evicted.
//
// A key that reaches the end of the small queue goes to the main queue when it was used, and away
// otherwise; one that comes back soon after that enters the main queue. At the end of the main
// queue a key that was used goes round again with half the uses. A use is only counted in the entry
// (Entry::CountUse): no queue is touched by it. The share of the small queue follows from
// which keys come back (small_queue_share.h).
//
// Until something is evicted, keys go on to the main queue unused. So a loop over more keys
// than fit finds those that came first, each time, and not none.
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

#include <cstdint>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "engine/store/eviction_queue.h"
#include "engine/store/ghost_set.h"
#include "engine/store/position_multiset.h"
#include "engine/store/relaxed_count.h"
#include "engine/store/small_queue_share.h"

namespace mikura::engine::store {

class EvictionDomain {
 public:
  static constexpr uint32_t kShardsMax = 1024;

  // A place in the order in which a domain is built.
  struct BuildCursor {
    uint32_t shard = 0;
    int database = 0;
    uint64_t position = 0;  // up to 2^32

    auto operator<=>(const BuildCursor&) const = default;  // NOLINT(modernize-use-nullptr)
  };
  // An item that was taken out and not yet judged.
  struct Taken {
    const EvictionDomain* domain = nullptr;  // it may have other shards when the item is judged
    uint32_t shard = 0;                      // of all shards; item.shard is that of the domain
    QueueItem item;
    bool from_small = false;
    uint64_t generation = 0;  // of the domain's queues
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
  // Puts an item back that is not judged now, at the end of its queue. Nothing is held.
  void GiveBack(const Taken& taken);
  Verdict Judge(const Taken& taken, bool exists, uint8_t uses, size_t bytes, bool force);
  static uint8_t KeptUses(const Taken& taken, uint8_t uses) {
    return taken.from_small ? 0 : uses / 2;
  }

  // ---- By whoever builds. AddBuilt: under the lock of the cursor's shard, with the keys up to it.
  // Assign: which shards it is for; none of them is attached to it, nor any that was.
  void Assign(uint32_t first_shard, uint32_t shards);
  void Reset();
  // Frees some of the memory that the last Reset left.
  void FreeDiscarded(size_t chunks);
  // The shard, of all, whose keys come next; nullopt when the domain is built.
  std::optional<uint32_t> NextToBuild() const;
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
  static uint64_t GhostKeyOf(const QueueItem& item) {
    return uint64_t{item.shard} << 32 | item.position;
  }
  void Clear() REQUIRES(mutex_);
  bool IsSmallQueueDue() const REQUIRES(mutex_);
  bool IsWorthKeeping(const Taken& taken, uint8_t uses) REQUIRES(mutex_);
  void ConsiderCompaction() REQUIRES(mutex_);
  void Account() REQUIRES(mutex_);
  void CountMemory(size_t bytes) REQUIRES(mutex_);

  MemoryGauge& gauge_;
  mutable Mutex mutex_;
  EvictionQueue small_ GUARDED_BY(mutex_);
  EvictionQueue main_ GUARDED_BY(mutex_);
  GhostSet ghosts_ GUARDED_BY(mutex_);
  SmallQueueShare small_share_ GUARDED_BY(mutex_);
  uint32_t first_shard_ GUARDED_BY(mutex_) = 0;
  uint64_t generation_ GUARDED_BY(mutex_) = 0;  // grows when all items are dropped
  // Keys that went while their items stayed, for each shard.
  std::vector<PositionMultiset> dead_ GUARDED_BY(mutex_);
  uint64_t dead_count_ GUARDED_BY(mutex_) = 0;
  uint64_t evictions_ GUARDED_BY(mutex_) = 0;    // since it began
  uint64_t unused_seen_ GUARDED_BY(mutex_) = 0;  // of the small queue
  uint32_t removals_ GUARDED_BY(mutex_) = 0;
  BuildCursor built_ GUARDED_BY(mutex_);
  RelaxedCount key_bytes_;
  RelaxedCount memory_bytes_;
  size_t counted_extra_ GUARDED_BY(mutex_) = 0;  // memory beside the chunks that is in the gauge
};

}  // namespace mikura::engine::store
