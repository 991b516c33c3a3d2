// SPDX-License-Identifier: Apache-2.0
// Who wants to hear of which keys: entries by shard and key, first come, first listed. The entries
// of a shard belong to its lock; a shard without entries costs a pointer, and one byte to know.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "engine/keyspace/keyspace.h"

namespace mikura::engine {

template <typename Who>
class KeyRegister {
 public:
  struct Entry {
    int database = 0;
    std::string_view name;  // lives as long as the entry; `who` sees to that
    Who who;
  };
  using Entries = std::list<Entry>;  // of keys with one hash; nearly always of one key

  KeyRegister(Keyspace& keyspace, KeyObserverKind kind) : keyspace_(keyspace), kind_(kind) {}

  // ---- The key's shard is locked.
  void Add(int database, const Key& key, Who who) {
    std::unique_ptr<Shard>& shard = shards_[key.shard()];
    if (shard == nullptr) shard = std::make_unique<Shard>();
    if (shard->empty()) keyspace_.SetObserved(key.shard(), kind_, true);
    (*shard)[key.hash].push_back({database, key.name, std::move(who)});
  }
  // Null when there are none.
  Entries* Find(const Key& key) {
    Shard* const shard = shards_[key.shard()].get();
    if (shard == nullptr) return nullptr;
    const auto found = shard->find(key.hash);
    return found != shard->end() ? &found->second : nullptr;
  }
  // Removes the entries of `key` for which `is_wanted` is true.
  template <typename Wanted>
  void Remove(const Key& key, const Wanted& is_wanted) {
    Shard* const shard = shards_[key.shard()].get();
    if (shard == nullptr) return;
    const auto found = shard->find(key.hash);
    if (found == shard->end()) return;
    found->second.remove_if(is_wanted);
    if (found->second.empty()) Drop(key);
  }
  // Forgets the key, after its last entry was removed.
  void Drop(const Key& key) {
    Shard& shard = *shards_[key.shard()];
    shard.erase(key.hash);
    if (shard.empty()) keyspace_.SetObserved(key.shard(), kind_, false);
  }
  // Calls `visit` for each entry of a locked shard.
  template <typename Visit>
  void ForEach(uint32_t shard, const Visit& visit) {
    if (shards_[shard] == nullptr) return;
    for (auto& [hash, entries] : *shards_[shard]) {
      for (Entry& entry : entries) visit(hash, entry);
    }
  }

 private:
  using Shard = std::unordered_map<uint64_t, Entries>;

  Keyspace& keyspace_;
  const KeyObserverKind kind_;
  std::unique_ptr<Shard> shards_[kShardCount];
};

}  // namespace mikura::engine
