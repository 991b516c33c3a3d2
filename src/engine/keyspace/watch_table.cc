// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/watch_table.h"

#include <algorithm>

namespace mikura::engine {

WatchTable::WatchTable(Keyspace& keyspace)
    : keyspace_(keyspace), register_(keyspace, KeyObserverKind::kWatch) {
  keyspace.SetKeyObserver(KeyObserverKind::kWatch, this);
}

void WatchTable::Add(Watcher& watcher, int database, const Key& key, bool exists) {
  if (const auto* entries = register_.Find(key)) {
    for (const auto& entry : *entries) {
      if (entry.who == &watcher && entry.database == database && entry.name == key.name) return;
    }
  }
  Watcher::WatchedKey& watched = watcher.keys_.emplace_back();
  watched.name = std::string(key.name);
  watched.key = key;
  watched.key.name = watched.name;
  watched.database = database;
  watched.existed = exists;
  watcher.name_bytes_ += key.name.size();
  register_.Add(database, watched.key, &watcher);
}

bool WatchTable::HasChanged(const Watcher& watcher, const store::Access& access) {
  if (watcher.is_dirty()) return true;
  return std::any_of(watcher.keys_.begin(), watcher.keys_.end(), [&](const auto& watched) {
    return watched.existed &&
           !keyspace_.LockedShard(watched.key.shard()).Peek(watched.database, watched.key, access);
  });
}

void WatchTable::RemoveKey(Watcher& watcher, const Watcher::WatchedKey& watched) {
  register_.Remove(watched.key, [&](const auto& entry) {
    return entry.who == &watcher && entry.database == watched.database &&
           entry.name == watched.key.name;
  });
}

void WatchTable::Remove(Watcher& watcher) {
  for (const Watcher::WatchedKey& watched : watcher.keys_) RemoveKey(watcher, watched);
  watcher.removed_ = watcher.keys_.size();
}

// True when nothing of it is left.
bool WatchTable::TryRemove(Watcher& watcher) {
  while (watcher.removed_ < watcher.keys_.size()) {
    const Watcher::WatchedKey& watched = watcher.keys_[watcher.removed_];
    ShardLock& lock = keyspace_.lock(watched.key.shard());
    if (!lock.TryLock()) return false;
    RemoveKey(watcher, watched);
    lock.Unlock();
    ++watcher.removed_;
  }
  return true;
}

void WatchTable::Retire(std::unique_ptr<Watcher> watcher) {
  if (TryRemove(*watcher)) return;
  MutexLock lock(mutex_);
  retired_.push_back(std::move(watcher));
  has_retired_.store(true, std::memory_order_relaxed);
}

void WatchTable::Tend() {
  if (!has_retired_.load(std::memory_order_relaxed)) return;
  std::vector<std::unique_ptr<Watcher>> left;
  {
    MutexLock lock(mutex_);
    left.swap(retired_);
    has_retired_.store(false, std::memory_order_relaxed);
  }
  for (auto& watcher : left) Retire(std::move(watcher));
}

void WatchTable::OnTouched(int database, const Key& key) {
  auto* const entries = register_.Find(key);
  if (entries == nullptr) return;
  for (const auto& entry : *entries) {
    if (entry.database != database || entry.name != key.name) continue;
    entry.who->dirty_.store(true, std::memory_order_relaxed);
  }
}

// A key that is in neither database, or expired in both, is absent before and after.
void WatchTable::OnDatabaseReplaced(uint32_t shard, int database, int replacement,
                                    const store::Access& access) {
  register_.ForEach(shard, [&](uint64_t, const auto& entry) {
    if (entry.database != database) return;
    const Key key = keyspace_.hasher()(entry.name);
    store::Shard& keys = keyspace_.LockedShard(shard);
    if (keys.Peek(database, key, access) ||
        (replacement >= 0 && keys.Peek(replacement, key, access))) {
      entry.who->dirty_.store(true, std::memory_order_relaxed);
    }
  });
}

}  // namespace mikura::engine
