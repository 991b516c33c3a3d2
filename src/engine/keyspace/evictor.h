// SPDX-License-Identifier: Apache-2.0
// Makes room when memory is at its limit: chooses keys by the policy and removes them, one shard
// lock at a time, before a command runs and with nothing held.
//
// Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/keyspace/eviction_pool.h"
#include "engine/store/eviction_domain.h"
#include "engine/store/eviction_policy.h"

namespace mikura::engine {

class Keyspace;

class Evictor {
 public:
  // Data alone is held against the limit; a lower one than this is less than an empty process takes
  // for itself: then everything goes that may be evicted, and nothing is admitted.
  static constexpr uint64_t kLimitBytesMin = 64 << 10;

  Evictor(Keyspace& keyspace, store::MemoryGauge& gauge) : keyspace_(keyspace), gauge_(gauge) {}
  ~Evictor();
  Evictor(const Evictor&) = delete;
  Evictor& operator=(const Evictor&) = delete;

  // limit_bytes 0: no limit, and then nothing is evicted. Locks one shard after the other, so
  // nothing is held by the caller. A change of policy at run time takes no longer than that: queues
  // are filled afterwards, in small steps.
  void Configure(const store::EvictionSettings& settings, uint64_t limit_bytes);
  store::EvictionSettings settings() const;
  // Somebody wants to know when keys were used: under a policy that does not track it, times are
  // kept from now on, as under an LRU one. May be called under locks.
  void BeginTimes();
  // When the present tracking began: nothing is known of uses before.
  UnixMillis tracking_since() const { return tracking_since_.load(std::memory_order_relaxed); }

  // Removes keys until `wanted_bytes` more fit, or its budget is used up. False when memory is
  // above the limit afterwards. Nothing is held by the caller.
  bool MakeRoom(uint64_t limit_bytes, uint64_t wanted_bytes, UnixMillis now);
  // Background work: fills queues, and comes down to a limit that was lowered.
  void Maintain(UnixMillis now);
  // All databases were emptied, or exchanged: the queues begin anew. Every shard is locked.
  void RestartQueues();

  // Evicted keys that were stored by memcached clients and never read.
  void CountUnfetched() { unfetched_.fetch_add(1, std::memory_order_relaxed); }
  uint64_t unfetched_total() const { return unfetched_.load(std::memory_order_relaxed); }

  // Memory of the queues.
  uint64_t MemoryBytes() const;

 private:
  static constexpr uint32_t kDomainsMax = 16;
  struct alignas(64) ThreadState {
    uint64_t random = 0;
    EvictionPool pool;
  };

  int64_t UsedBytes(int64_t limit) const;
  bool EvictOne(const store::EvictionSettings& settings, UnixMillis now);
  bool EvictSampled(const store::EvictionSettings& settings, UnixMillis now);
  void FillPool(const store::EvictionSettings& settings, uint32_t shard, ThreadState& state,
                UnixMillis now);
  bool EvictQueued(UnixMillis now);
  store::EvictionDomain* PickDomain(uint64_t random);
  int PickShard(bool volatile_only, ThreadState& state) const;
  uint64_t EvictableKeys(uint32_t shard, bool volatile_only) const;
  bool BuildStep(size_t budget);
  void AttachQueues(bool volatile_only, uint32_t shards_per_domain) REQUIRES(configure_mutex_);
  void DetachQueues() REQUIRES(configure_mutex_);
  ThreadState& State();

  Keyspace& keyspace_;
  store::MemoryGauge& gauge_;
  Mutex configure_mutex_;
  // Order, whether only volatile, samples: one word, so that readers see them of one configuration.
  std::atomic<uint64_t> policy_{0};
  std::atomic<bool> wants_times_{false};       // BeginTimes(); publishes nothing but itself
  std::atomic<UnixMillis> tracking_since_{0};  // publishes nothing but itself, to OBJECT
  std::atomic<uint64_t> limit_bytes_{0};       // publishes nothing but itself, to Maintain
  std::atomic<bool> has_queues_{false};        // publishes domains_ to evicting threads
  std::atomic<bool> queues_are_built_{false};  // spares evicting threads the look at cursors
  std::atomic<ThreadState*> states_{nullptr};  // publishes the rows, each used by its thread
  std::unique_ptr<ThreadState[]> owned_states_ GUARDED_BY(configure_mutex_);
  // Made once, when the first policy with queues is set, and kept.
  std::array<std::unique_ptr<store::EvictionDomain>, kDomainsMax> domains_;
  std::atomic<uint64_t> unfetched_{0};  // publishes nothing but itself, to statistics
  bool queues_are_volatile_ GUARDED_BY(configure_mutex_) = false;
  uint32_t shards_per_domain_ GUARDED_BY(configure_mutex_) = 0;
};

}  // namespace mikura::engine
