// SPDX-License-Identifier: Apache-2.0
#include "engine/messaging/tracked_keys.h"

#include <algorithm>
#include <utility>

namespace mikura::engine {
namespace {

constexpr int kForgottenPerTurn = 1000;
constexpr size_t kTablesFreedPerTurn = 4;

}  // namespace

TrackedKeys::TrackedKeys(Keyspace& keyspace, Tell tell, std::function<void()> tell_flush)
    : keyspace_(keyspace), tell_(std::move(tell)), tell_flush_(std::move(tell_flush)) {
  keyspace.SetKeyObserver(KeyObserverKind::kTracking, this);
}

void TrackedKeys::Add(const Key& key, const TrackingClient& client) {
  std::unique_ptr<Table>& table = tables_[key.shard()];
  if (table == nullptr) {
    table = std::make_unique<Table>(keyspace_.hasher());
    keyspace_.SetObserved(key.shard(), KeyObserverKind::kTracking, true);
  }
  auto entry = table->names.find(key.name);
  if (entry == table->names.end()) {
    entry = table->names.emplace(key.name, std::vector<TrackingClient>()).first;
    keys_.fetch_add(1, std::memory_order_relaxed);
    if (is_full()) ForgetOne(key.shard(), key.name);
  }
  std::vector<TrackingClient>& clients = entry->second;
  const auto place =
      std::lower_bound(clients.begin(), clients.end(), client.id,
                       [](const TrackingClient& held, uint64_t id) { return held.id < id; });
  if (place != clients.end() && place->id == client.id) return;
  clients.insert(place, client);
  ++table->items;
  items_.fetch_add(1, std::memory_order_relaxed);
}

void TrackedKeys::OnTouched(int, const Key& key) {
  Table* const table = tables_[key.shard()].get();
  if (table == nullptr) return;
  const auto entry = table->names.find(key.name);
  if (entry == table->names.end()) return;
  tell_(key, entry->second);
  Remove(key.shard(), entry);
}

void TrackedKeys::Remove(uint32_t shard, Names::iterator entry) {
  Table& table = *tables_[shard];
  keys_.fetch_sub(1, std::memory_order_relaxed);
  items_.fetch_sub(entry->second.size(), std::memory_order_relaxed);
  table.items -= entry->second.size();
  table.names.erase(entry);
  if (!table.names.empty()) return;
  tables_[shard].reset();
  keyspace_.SetObserved(shard, KeyObserverKind::kTracking, false);
}

// Forgets a key of a locked shard, by chance; false when there is none but `spared`.
bool TrackedKeys::ForgetOne(uint32_t shard, std::string_view spared) {
  Table* const table = tables_[shard].get();
  if (table == nullptr) return false;
  Names& names = table->names;
  table->random = table->random * 6364136223846793005u + 1442695040888963407u;
  size_t bucket = (table->random >> 32) % names.bucket_count();
  for (size_t i = 0; i < names.bucket_count(); ++i) {
    for (auto held = names.begin(bucket); held != names.end(bucket); ++held) {
      if (held->first == spared) continue;
      const auto entry = names.find(held->first);
      tell_(keyspace_.hasher()(entry->first), entry->second);
      Remove(shard, entry);
      return true;
    }
    bucket = bucket + 1 == names.bucket_count() ? 0 : bucket + 1;
  }
  return false;
}

// Under all locks nothing is freed.
void TrackedKeys::OnDatabaseReplaced(uint32_t shard, int, int replacement, const store::Access&) {
  if (replacement >= 0 || tables_[shard] == nullptr) return;
  keys_.fetch_sub(tables_[shard]->names.size(), std::memory_order_relaxed);
  items_.fetch_sub(tables_[shard]->items, std::memory_order_relaxed);
  keyspace_.SetObserved(shard, KeyObserverKind::kTracking, false);
  MutexLock lock(mutex_);
  discarded_.push_back(std::move(tables_[shard]));
}

bool TrackedKeys::FreeDiscarded() {
  std::unique_ptr<Table> table;
  MutexLock lock(mutex_);
  if (discarded_.empty()) return false;
  table = std::move(discarded_.back());
  discarded_.pop_back();
  return true;
}

void TrackedKeys::Tend(uint32_t first, uint32_t count) {
  for (size_t i = 0; i < kTablesFreedPerTurn && FreeDiscarded(); ++i) {
  }
  int left = kForgottenPerTurn;
  for (uint32_t n = 0; n < count && left > 0 && is_full(); ++n) {
    const uint32_t shard = (first + n) % kShardCount;
    if (!keyspace_.lock(shard).TryLock()) continue;
    while (left > 0 && is_full() && ForgetOne(shard, {})) --left;
    keyspace_.lock(shard).Unlock();
  }
}

}  // namespace mikura::engine
