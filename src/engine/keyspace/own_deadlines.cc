// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/own_deadlines.h"

#include <algorithm>

#include "engine/keyspace/keyspace.h"

namespace mikura::engine {

OwnDeadlines::OwnDeadlines(Keyspace& keyspace)
    : keyspace_(keyspace), shards_(new Slot[kShardCount]) {}

OwnDeadlines::~OwnDeadlines() = default;

void OwnDeadlines::Note(int database, const Key& key, UnixMillis deadline) {
  if (!keyspace_.change_log().follows()) return;
  Add(shards_[key.shard()], {database, std::string(key.name)}, deadline);
}

void OwnDeadlines::Add(Slot& slot, Name name, UnixMillis deadline) {
  if (slot.keys == nullptr) slot.keys = std::make_unique<OfShard>();
  OfShard& keys = *slot.keys;
  const auto [place, is_new] = keys.by_name.try_emplace(std::move(name), keys.by_time.end());
  if (is_new) {
    count_.fetch_add(1, std::memory_order_relaxed);
  } else {
    if (place->second->first <= deadline) return;
    keys.by_time.erase(place->second);
  }
  place->second = keys.by_time.emplace(deadline, &place->first);
  slot.next_due.store(keys.by_time.begin()->first, std::memory_order_relaxed);
}

size_t OwnDeadlines::ExpireStep(uint32_t shard, UnixMillis now, size_t budget) {
  Slot& slot = shards_[shard];
  size_t handled = 0;
  while (handled < budget && slot.next_due.load(std::memory_order_relaxed) <= now) {
    OfShard& keys = *slot.keys;
    const auto first = keys.by_time.begin();
    const Name name = *first->second;
    keys.by_time.erase(first);
    keys.by_name.erase(name);
    count_.fetch_sub(1, std::memory_order_relaxed);
    slot.next_due.store(keys.by_time.empty() ? INT64_MAX : keys.by_time.begin()->first,
                        std::memory_order_relaxed);
    handled += RemoveDue(name, slot, now, budget - handled);
  }
  return handled;
}

// Removes the key, or its fields that are due; what has a later deadline is added again. Returns
// how many of both were handled, at least 1.
size_t OwnDeadlines::RemoveDue(const Name& name, Slot& slot, UnixMillis now, size_t budget) {
  const Key key = keyspace_.hasher()(name.second);
  store::Shard& shard = keyspace_.LockedShard(key.shard());
  const store::Access access{.now = now, .may_expire = true, .counts_use = false};
  size_t handled = 1;
  store::Found found = shard.Peek(name.first, key, access);  // removes what has expired
  if (found && found.entry.timing().next() <= now) {
    handled = std::max<size_t>(handled, keyspace_.OnElementsDue(name.first, key, now, budget));
    found = shard.Peek(name.first, key, access);
  }
  if (!found) return handled;
  const UnixMillis next = found.entry.timing().next();
  if (next != store::kNoDeadline) Add(slot, name, std::max(next, now + 1));
  return handled;
}

OwnDeadlines::Keys OwnDeadlines::TakeAll() {
  Keys taken;
  if (count() == 0) return taken;
  for (uint32_t i = 0; i < kShardCount; ++i) {
    if (shards_[i].keys == nullptr) continue;
    taken.push_back(std::move(shards_[i].keys));
    shards_[i].next_due.store(INT64_MAX, std::memory_order_relaxed);
  }
  count_.store(0, std::memory_order_relaxed);
  return taken;
}

}  // namespace mikura::engine
