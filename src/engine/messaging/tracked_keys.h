// SPDX-License-Identifier: Apache-2.0
// Which clients have read which keys, so that they can be told when a key changes. An entry is gone
// when they were told.
//
// Each shard's entries are under its lock. Names are without their database, as in Redis: a change
// in another database is told, too. Entries of clients that are gone stay until their key changes.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "engine/keyspace/keyspace.h"
#include "engine/messaging/client_subscriptions.h"

namespace mikura::engine {

// A client by its id, and the loop that serves it.
struct TrackingClient {
  uint64_t id = 0;
  uint32_t loop = 0;
};

class TrackedKeys final : public KeyObserver {
 public:
  // tell: the key has changed, or will not be remembered any more. Called under the lock of its
  // shard; the clients are in ascending order of their ids.
  using Tell = std::function<void(const Key& key, std::span<const TrackingClient> clients)>;
  // tell_flush: as KeyObserver::OnFlushed().
  TrackedKeys(Keyspace& keyspace, Tell tell, std::function<void()> tell_flush);

  // The key's shard is locked.
  void Add(const Key& key, const TrackingClient& client);
  // More keys than these are not remembered; 0: no limit.
  void set_keys_max(uint64_t most) { keys_max_.store(most, std::memory_order_relaxed); }

  // One turn of background work over shards [first, first + count): forgets keys above the limit,
  // and frees what a flush has left. Takes shards that are free.
  void Tend(uint32_t first, uint32_t count);

  uint64_t key_count() const { return keys_.load(std::memory_order_relaxed); }
  // Pairs of key and client.
  uint64_t item_count() const { return items_.load(std::memory_order_relaxed); }

  // KeyObserver
  void OnTouched(int database, const Key& key) override;
  void OnDatabaseReplaced(uint32_t shard, int database, int replacement,
                          const store::Access& access) override;
  void OnFlushed() override { tell_flush_(); }

 private:
  using Names = NameMap<std::vector<TrackingClient>>;
  struct Table {
    explicit Table(const KeyHasher& hasher) : names(0, NameHash{hasher}) {}
    Names names;
    uint64_t items = 0;
    uint64_t random = 0;
  };

  bool is_full() const {
    const uint64_t most = keys_max_.load(std::memory_order_relaxed);
    return most != 0 && key_count() > most;
  }
  void Remove(uint32_t shard, Names::iterator entry);
  bool ForgetOne(uint32_t shard, std::string_view spared);
  bool FreeDiscarded();

  Keyspace& keyspace_;
  const Tell tell_;
  const std::function<void()> tell_flush_;
  std::array<std::unique_ptr<Table>, kShardCount> tables_;  // each under its shard's lock
  std::atomic<uint64_t> keys_{0};
  std::atomic<uint64_t> items_{0};
  std::atomic<uint64_t> keys_max_{0};  // publishes nothing but itself
  Mutex mutex_;                        // a leaf
  std::vector<std::unique_ptr<Table>> discarded_ GUARDED_BY(mutex_);
};

}  // namespace mikura::engine
