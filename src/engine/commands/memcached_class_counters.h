// SPDX-License-Identifier: Apache-2.0
// What happened to entries of each slab class without a command: for stats items.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "engine/commands/memcached_classes.h"

namespace mikura::engine {

enum class MemcachedRemoval : uint8_t {
  kReclaimed,         // expired
  kCrawlerReclaimed,  // of these, found by the background job
  kExpiredUnfetched,  // of the expired, never read
  kEvicted,
  kEvictedNonzero,    // of these, had a time to live
  kEvictedUnfetched,  // of the evicted, never read
  kOutOfMemory,       // a write that found no room
  kCount,
};

// Counted where an entry is removed by the engine itself, or where there was no room for one: never
// on the way of a request that finds what it looks for.
class MemcachedClassCounters {
 public:
  using Values = std::array<uint64_t, static_cast<size_t>(MemcachedRemoval::kCount)>;

  void Add(uint32_t id, MemcachedRemoval what) {
    counts_[id][static_cast<size_t>(what)].fetch_add(1, std::memory_order_relaxed);
  }
  // All classes together, since the last Reset.
  Values Total() const {
    Values total{};
    for (uint32_t id = 0; id <= MemcachedClasses::kClassMax; ++id) {
      const Values values = Get(id);
      for (size_t i = 0; i < total.size(); ++i) total[i] += values[i];
    }
    return total;
  }
  // Since the last Reset.
  Values Get(uint32_t id) const {
    Values values{};
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = counts_[id][i].load(std::memory_order_relaxed);
    }
    return values;
  }
  // Counts that come meanwhile may be lost.
  void Reset() {
    for (auto& row : counts_) {
      for (auto& count : row) count.store(0, std::memory_order_relaxed);
    }
  }

 private:
  using Row = std::array<std::atomic<uint64_t>, static_cast<size_t>(MemcachedRemoval::kCount)>;
  // Publish nothing but themselves, to `stats items`.
  std::array<Row, MemcachedClasses::kClassMax + 1> counts_{};
};

}  // namespace mikura::engine
