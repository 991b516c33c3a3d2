// SPDX-License-Identifier: Apache-2.0
// What the last flush_all left behind: its moment, and the keys it removed, for get_flushed.
#pragma once

#include <atomic>
#include <cstdint>
#include <unordered_set>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/keyspace/effects.h"
#include "engine/keyspace/keyspace.h"

namespace mikura::engine {

class MemcachedFlushedKeys {
 public:
  // Of a flush that removes more keys, get_flushed counts these only.
  static constexpr size_t kKeysMax = 10'000;

  // Removes all keys of all databases, as Keyspace::FlushAll; nothing is locked. Returns how many
  // keys of `database` went. Cost: that of FlushAll, and O(kKeysMax) to note keys.
  uint64_t Flush(Keyspace& keyspace, int database, UnixMillis now, Effects& effects)
      EXCLUDES(mutex_);

  // Whether the last flush removed the key of this hash and nobody has asked since: one relaxed
  // load when no keys are noted. A leaf lock.
  bool Take(uint64_t hash) EXCLUDES(mutex_);
  // Whether the last flush was in this second.
  bool WasInSecondOf(UnixMillis now) const {
    return now / 1000 == flushed_at_.load(std::memory_order_relaxed) / 1000;
  }

 private:
  // Tells those who miss a key whether to look; a stale value costs or adds one count.
  std::atomic<bool> any_{false};
  // Publishes nothing but itself, to writes without CAS.
  std::atomic<UnixMillis> flushed_at_{0};
  Mutex mutex_;
  std::unordered_set<uint64_t> hashes_ GUARDED_BY(mutex_);
};

}  // namespace mikura::engine
