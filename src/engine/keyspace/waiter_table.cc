// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/waiter_table.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace mikura::engine {

Waiter::Waiter(int database, std::span<const Key> keys, const Key* target) : database_(database) {
  names_.reserve(keys.size() + 1);  // views of them are kept
  keys_.reserve(keys.size());
  const auto own = [this](Key key) {
    key.name = names_.emplace_back(key.name);
    return key;
  };
  for (const Key& key : keys) keys_.push_back(own(key));
  if (target != nullptr) target_ = own(*target);
}

WaiterTable::WaiterTable(Keyspace& keyspace)
    : keyspace_(keyspace), register_(keyspace, KeyObserverKind::kWaiters) {
  keyspace.SetKeyObserver(KeyObserverKind::kWaiters, this);
}

void WaiterTable::Add(const WaiterPtr& waiter) {
  if (waiter->heeds_absence()) absence_heeders_.fetch_add(1, std::memory_order_relaxed);
  for (const Key& key : waiter->keys()) register_.Add(waiter->database(), key, waiter);
}

bool WaiterTable::AddMissingShards(std::span<const Key> keys, ShardSet& shards) {
  bool missing = false;
  std::vector<Key> more;  // targets, whose waiters may have targets again
  const auto look = [&](const Key& key) {
    auto* const entries = register_.Find(key);
    if (entries == nullptr) return;
    for (const auto& entry : *entries) {
      const std::optional<Key>& target = entry.who->target();
      if (!target || entry.name != key.name || entry.who->state() != Waiter::State::kWaiting) {
        continue;
      }
      if (!shards.test(target->shard())) {
        shards.set(target->shard());
        missing = true;
      } else if (!missing && std::none_of(more.begin(), more.end(), [&](const Key& known) {
                   return known.name == target->name;
                 })) {
        more.push_back(*target);
      }
    }
  };
  for (const Key& key : keys) look(key);
  for (size_t i = 0; i < more.size() && !missing; ++i) look(Key(more[i]));
  return missing;
}

void WaiterTable::OnTouched(int database, const Key& key) {
  const auto* const entries = register_.Find(key);
  if (entries == nullptr) return;
  const bool is_wanted = std::any_of(entries->begin(), entries->end(), [&](const auto& entry) {
    return entry.database == database && entry.name == key.name;
  });
  if (!is_wanted) return;
  Notes& notes = notes_[key.shard()];
  for (const Note& note : notes.list) {
    if (note.key.hash == key.hash && note.database == database && note.name == key.name) return;
  }
  notes.list.push_back(
      {next_order_.fetch_add(1, std::memory_order_relaxed), database, std::string(key.name), key});
  notes.any.store(true, std::memory_order_relaxed);
}

// Whatever is under the keys that are waited for, it will be something else.
void WaiterTable::OnDatabaseReplaced(uint32_t shard, int database, int /*replacement*/,
                                     const store::Access& /*access*/) {
  register_.ForEach(shard, [&](uint64_t, const auto& entry) {
    if (entry.database == database) OnTouched(database, keyspace_.hasher()(entry.name));
  });
}

// In the order in which the keys were touched.
std::vector<WaiterTable::Note> WaiterTable::TakeNotes(const ShardSet& shards) {
  std::vector<Note> taken;
  for (size_t i = shards._Find_first(); i < kShardCount; i = shards._Find_next(i)) {
    Notes& notes = notes_[i];
    if (notes.list.empty()) continue;
    std::move(notes.list.begin(), notes.list.end(), std::back_inserter(taken));
    notes.list.clear();
    notes.any.store(false, std::memory_order_relaxed);
  }
  std::sort(taken.begin(), taken.end(),
            [](const Note& a, const Note& b) { return a.order < b.order; });
  for (Note& note : taken) note.key.name = note.name;
  return taken;
}

void WaiterTable::ServeTouched(const ShardSet& shards, UnixMillis now, Effects& effects,
                               WaiterServices& services) {
  while (true) {
    const std::vector<Note> notes = TakeNotes(shards);
    if (notes.empty()) return;
    for (const Note& note : notes) ServeKey(note, shards, now, effects, services);
  }
}

void WaiterTable::ServeKey(const Note& note, const ShardSet& shards, UnixMillis now,
                           Effects& effects, WaiterServices& services) {
  auto* const entries = register_.Find(note.key);
  if (entries == nullptr) return;
  KeyAccess keys(keyspace_, effects, note.database, keyspace_.AccessAt(now));
  const auto commit = [&] {
    keyspace_.Commit(effects, shards);
    effects.Begin(keyspace_.change_log().active());
  };
  effects.Begin(keyspace_.change_log().active());
  bool exists = static_cast<bool>(keys.Peek(note.key));
  for (auto entry = entries->begin(); entry != entries->end();) {
    const bool heeds_absence = absence_heeders_.load(std::memory_order_relaxed) > 0;
    if (!exists && !heeds_absence) break;
    const auto here = entry++;
    Waiter& waiter = *here->who;
    if (here->database != note.database || here->name != note.name) continue;
    if (waiter.state() != Waiter::State::kWaiting) {
      entries->erase(here);
      continue;
    }
    if (!exists && !waiter.heeds_absence()) continue;
    if (waiter.target() && !shards.test(waiter.target()->shard())) {
      services.left.push_back({note.database, note.name});
      break;  // those behind it come later
    }
    if (!waiter.IsReady(keys, note.key) || !waiter.End(Waiter::State::kServed)) continue;
    if (effects.listener() != nullptr) effects.listener()->BeforeCommand();
    waiter.Serve(keys, note.key);
    commit();
    services.served.push_back(std::move(here->who));
    entries->erase(here);
    exists = static_cast<bool>(keys.Peek(note.key));
  }
  if (entries->empty()) register_.Drop(note.key);
  commit();  // what looking found expired
}

bool WaiterTable::TryRemove(Waiter& waiter) {
  while (waiter.removed_ < waiter.keys_.size()) {
    const Key& key = waiter.keys_[waiter.removed_];
    ShardLock& lock = keyspace_.lock(key.shard());
    if (!lock.TryLock()) return false;
    register_.Remove(key, [&](const auto& entry) { return entry.who.get() == &waiter; });
    lock.Unlock();
    ++waiter.removed_;
  }
  return true;
}

void WaiterTable::Retire(WaiterPtr waiter) {
  DCHECK(waiter->state() != Waiter::State::kWaiting);
  if (TryRemove(*waiter)) {
    if (waiter->heeds_absence()) absence_heeders_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  MutexLock lock(mutex_);
  retired_.push_back(std::move(waiter));
  has_retired_.store(true, std::memory_order_relaxed);
}

void WaiterTable::Tend() {
  if (!has_retired_.load(std::memory_order_relaxed)) return;
  std::vector<WaiterPtr> left;
  {
    MutexLock lock(mutex_);
    left.swap(retired_);
    has_retired_.store(false, std::memory_order_relaxed);
  }
  for (WaiterPtr& waiter : left) Retire(std::move(waiter));
}

}  // namespace mikura::engine
