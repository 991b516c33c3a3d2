// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_flushed_keys.h"

#include <optional>

namespace mikura::engine {
namespace {

constexpr size_t kScanBudget = 512;  // entries per visit of a shard

class HashCollector final : public store::EntryConsumer {
 public:
  explicit HashCollector(const KeyHasher& hasher) : hasher_(hasher) {}
  void Consume(int, const store::Entry& entry) override {
    if (!is_full()) hashes.insert(hasher_(entry.key()).hash);
  }
  bool is_full() const { return hashes.size() >= MemcachedFlushedKeys::kKeysMax; }
  std::unordered_set<uint64_t> hashes;

 private:
  const KeyHasher& hasher_;
};

}  // namespace

uint64_t MemcachedFlushedKeys::Flush(Keyspace& keyspace, int database, UnixMillis now,
                                     Effects& effects) {
  HashCollector collector(keyspace.hasher());
  const store::Access access = keyspace.AccessAt(now, false);
  for (uint32_t index = 0; index < kShardCount && !collector.is_full(); ++index) {
    if (keyspace.UnlockedShard(index).key_count(database) == 0) continue;
    std::optional<uint64_t> cursor = 0;
    while (cursor && !collector.is_full()) {
      const ShardGuard guard(keyspace.lock(index));
      cursor = keyspace.LockedShard(index).Scan(database, *cursor, kScanBudget, access, collector);
    }
  }
  const uint64_t removed = keyspace.KeyCount(database);
  keyspace.FlushAll(effects);
  flushed_at_.store(now, std::memory_order_relaxed);
  MutexLock lock(mutex_);
  hashes_ = std::move(collector.hashes);
  any_.store(!hashes_.empty(), std::memory_order_relaxed);
  return removed;
}

bool MemcachedFlushedKeys::Take(uint64_t hash) {
  if (!any_.load(std::memory_order_relaxed)) return false;
  MutexLock lock(mutex_);
  const bool was_flushed = hashes_.erase(hash) != 0;
  any_.store(!hashes_.empty(), std::memory_order_relaxed);
  return was_flushed;
}

}  // namespace mikura::engine
