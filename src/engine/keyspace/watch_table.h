// SPDX-License-Identifier: Apache-2.0
// WATCH: which clients must be told that a key changed before their EXEC.
//
// T1. An entry lies in its key's shard, under that shard's lock; so does the setting of the flag.
//     EXEC looks at the flag with the shards of all its watched keys locked, so nothing is missed.
// T2. A watched key that is there and expires is a change, seen at EXEC at the latest. A key that
//     was not there (or had expired) when it was watched changes when it comes into being.
// T3. Whoever stops watching while a shard is busy leaves its entry; it is removed later.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/keyspace/key_register.h"

namespace mikura::engine {

// What one client watches, from its first WATCH up to EXEC, DISCARD, UNWATCH or its end.
class Watcher {
 public:
  // Some watched key changed. Final with the shards of all of them locked; a hint otherwise.
  bool is_dirty() const { return dirty_.load(std::memory_order_relaxed); }
  size_t key_count() const { return keys_.size(); }
  // What it holds, and its entries.
  size_t memory_bytes() const { return name_bytes_ + keys_.size() * kBytesPerKey; }
  // Adds the shards of all watched keys.
  void AddShards(ShardSet& shards) const {
    for (const WatchedKey& watched : keys_) shards.set(watched.key.shard());
  }

 private:
  friend class WatchTable;
  struct WatchedKey {
    std::string name;
    Key key;
    int database = 0;
    bool existed = false;  // when it was watched
  };
  static constexpr size_t kBytesPerKey = sizeof(WatchedKey) + 128;  // nearly, with its entry
  std::deque<WatchedKey> keys_;  // never move: entries have views of the names
  size_t name_bytes_ = 0;
  size_t removed_ = 0;  // of keys_, from the front: their entries are gone
  // Set under the lock of a watched key's shard, which publishes it; relaxed.
  std::atomic<bool> dirty_{false};
};

class WatchTable final : public KeyObserver {
 public:
  explicit WatchTable(Keyspace& keyspace);

  // The key's shard is locked. `exists`: whether the key is there, and has not expired.
  void Add(Watcher& watcher, int database, const Key& key, bool exists);
  // The shards of all watched keys are locked: whether one of them changed, expiry included.
  bool HasChanged(const Watcher& watcher, const store::Access& access);
  // The same shards are locked.
  void Remove(Watcher& watcher);
  // Nothing is locked, or only shards of which this takes none: removes what it can without
  // waiting, and the rest in a later Tend().
  void Retire(std::unique_ptr<Watcher> watcher);
  void Tend();

  // KeyObserver
  void OnTouched(int database, const Key& key) override;
  void OnDatabaseReplaced(uint32_t shard, int database, int replacement,
                          const store::Access& access) override;

 private:
  void RemoveKey(Watcher& watcher, const Watcher::WatchedKey& watched);
  bool TryRemove(Watcher& watcher);

  Keyspace& keyspace_;
  KeyRegister<Watcher*> register_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Watcher>> retired_ GUARDED_BY(mutex_);
  std::atomic<bool> has_retired_{false};  // publishes nothing but itself
};

}  // namespace mikura::engine
