// SPDX-License-Identifier: Apache-2.0
// The keys of a replica to which its own clients gave deadlines (replica-read-only no). A replica
// leaves expiry to its primary, which knows nothing of these: here they are remembered, and
// removed when they are due.
//
// O1. A key is here from when a client of the replica gave it, or one of its fields, a deadline,
//     until it was removed by that, or has none any more when it is looked at.
// O2. An earlier deadline moves the key, a later one is found when the key is looked at.
// O3. All are forgotten when the data are replaced, and when the node becomes a primary.
//
// What belongs to a shard is guarded by its lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/store/key.h"

namespace mikura::engine {

class Keyspace;

class OwnDeadlines {
 public:
  using Name = std::pair<int, std::string>;  // with the database in front
  struct OfShard {
    using ByTime = std::multimap<UnixMillis, const Name*>;  // the names are those of by_name

    ByTime by_time;
    std::map<Name, ByTime::iterator> by_name;
  };
  using Keys = std::vector<std::unique_ptr<OfShard>>;

  explicit OwnDeadlines(Keyspace& keyspace);
  ~OwnDeadlines();

  // A client gave the key, or a field of it, that deadline; nothing on a primary. The key's shard
  // is locked.
  void Note(int database, const Key& key, UnixMillis deadline);

  // Removes what is due of a locked shard; looks at `budget` keys at most, and returns how many it
  // looked at.
  size_t ExpireStep(uint32_t shard, UnixMillis now, size_t budget);
  // ExpireStep has nothing to do before; readable without the lock.
  UnixMillis next_due(uint32_t shard) const {
    return shards_[shard].next_due.load(std::memory_order_relaxed);
  }

  // Forgets all, with all shards locked; what is returned is freed when they are not any more.
  [[nodiscard]] Keys TakeAll();

  // Of all shards, without locks.
  size_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  struct Slot {
    // Publishes to the expiry job, which may look before it takes the lock.
    std::atomic<UnixMillis> next_due{INT64_MAX};
    std::unique_ptr<OfShard> keys;  // null: none yet
  };

  void Add(Slot& slot, Name name, UnixMillis deadline);
  size_t RemoveDue(const Name& name, Slot& slot, UnixMillis now, size_t budget);

  Keyspace& keyspace_;
  const std::unique_ptr<Slot[]> shards_;
  std::atomic<size_t> count_{0};  // publishes nothing but itself
};

}  // namespace mikura::engine
