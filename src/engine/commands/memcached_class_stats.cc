// SPDX-License-Identifier: Apache-2.0
// stats items, stats slabs and stats cachedump: the entries in the classes memcached would give
// them. Nothing is counted per class while requests run: the entries are looked at when asked for.
//
// Up to kEntriesExact entries the counts are exact. Above that a part of the shards is looked at
// and the counts are scaled: keys are spread evenly, and a client that asks every second must not
// hold the loop up.
#include <algorithm>
#include <map>

#include "engine/commands/memcached_entry.h"
#include "engine/commands/memcached_handlers.h"
#include "engine/commands/memcached_replies.h"
#include "wire/memcached_numbers.h"

namespace mikura::engine {
namespace {

constexpr uint64_t kEntriesExact = 200'000;
constexpr size_t kScanBudget = 512;  // entries per visit of a shard
constexpr size_t kPageBytes = size_t{1} << 20;
constexpr size_t kDumpBytesMax = size_t{2} << 20;  // as memcached

struct ClassCount {
  uint64_t entries = 0;
  uint64_t bytes = 0;
};

size_t BytesOf(const store::Entry& entry) {
  return MemcachedEntryBytes(entry.key().size(), entry.value().size(),
                             entry.attributes().memcached_flags);
}

class Counter final : public store::EntryConsumer {
 public:
  explicit Counter(const MemcachedClasses& classes) : classes_(classes) {}
  void Consume(int, const store::Entry& entry) override {
    if (entry.type() != store::ValueType::kString) return;
    const size_t bytes = BytesOf(entry);
    ClassCount& count = counts_[classes_.ClassOf(bytes)];
    ++count.entries;
    count.bytes += bytes;
  }
  std::map<uint32_t, ClassCount>& counts() { return counts_; }

 private:
  const MemcachedClasses& classes_;
  std::map<uint32_t, ClassCount> counts_;
};

// The entries by class, number 1 and up; of every `step`-th shard, scaled.
std::map<uint32_t, ClassCount> CountClasses(MemcachedContext& ctx,
                                            const MemcachedClasses& classes) {
  const int database = ctx.keys.database();
  const uint64_t step = 1 + ctx.keyspace.KeyCount(database) / kEntriesExact;
  Counter counter(classes);
  for (uint32_t index = 0; index < kShardCount; index += static_cast<uint32_t>(step)) {
    if (ctx.keyspace.UnlockedShard(index).key_count(database) == 0) continue;
    std::optional<uint64_t> cursor = 0;
    while (cursor) {
      const ShardGuard guard(ctx.keyspace.lock(index));
      cursor = ctx.keyspace.LockedShard(index).Scan(database, *cursor, kScanBudget,
                                                    ctx.keys.access(), counter);
    }
  }
  for (auto& [id, count] : counter.counts()) {
    count.entries *= step;
    count.bytes *= step;
  }
  // A class that lost all its entries stays, as memcached keeps its pages.
  for (uint32_t id = 1; id <= classes.count(); ++id) {
    const auto removed = ctx.services.ClassCounters().Get(id);
    if (std::any_of(removed.begin(), removed.end(), [](uint64_t n) { return n > 0; })) {
      counter.counts()[id];
    }
  }
  return counter.counts();
}

// Lines of `stats cachedump` for the entries of one class.
class Dumper final : public store::EntryConsumer {
 public:
  Dumper(const MemcachedClasses& classes, uint32_t wanted, uint64_t limit)
      : classes_(classes), wanted_(wanted), limit_(limit == 0 ? UINT64_MAX : limit) {}
  void Consume(int, const store::Entry& entry) override {
    if (is_full() || entry.type() != store::ValueType::kString) return;
    const store::Attributes attributes = entry.attributes();
    if ((attributes.memcached_state & kMemcachedBinaryKey) != 0) return;
    if (classes_.ClassOf(BytesOf(entry)) != wanted_) return;
    const UnixMillis seconds =
        attributes.deadline == store::kNoDeadline ? 0 : attributes.deadline / 1000;
    text_ += fmt::format("ITEM {} [{} b; {} s]\r\n", entry.key(), entry.value().size(), seconds);
    ++shown_;
  }
  bool is_full() const { return shown_ >= limit_ || text_.size() >= kDumpBytesMax; }
  const std::string& text() const { return text_; }

 private:
  const MemcachedClasses& classes_;
  const uint32_t wanted_;
  const uint64_t limit_;
  uint64_t shown_ = 0;
  std::string text_;
};

}  // namespace

void AppendMemcachedItems(MemcachedContext& ctx) {
  const MemcachedClasses classes = ctx.services.Tuning().MakeClasses();
  for (const auto& [id, count] : CountClasses(ctx, classes)) {
    const std::string prefix = fmt::format("items:{}:", id);
    AppendStat(ctx, prefix + "number", count.entries);
    AppendStat(ctx, prefix + "mem_requested", count.bytes);
    const auto removed = ctx.services.ClassCounters().Get(id);
    constexpr const char* kNames[] = {"reclaimed",  "crawler_reclaimed", "expired_unfetched",
                                      "evicted",    "evicted_nonzero",   "evicted_unfetched",
                                      "outofmemory"};
    static_assert(std::size(kNames) == std::tuple_size_v<decltype(removed)>);
    for (size_t i = 0; i < removed.size(); ++i) AppendStat(ctx, prefix + kNames[i], removed[i]);
  }
}

void AppendMemcachedSlabs(MemcachedContext& ctx) {
  const MemcachedClasses classes = ctx.services.Tuning().MakeClasses();
  uint64_t active = 0;
  uint64_t pages_total = 0;
  for (const auto& [id, count] : CountClasses(ctx, classes)) {
    const std::string prefix = fmt::format("{}:", id);
    const size_t per_page = std::max<size_t>(1, kPageBytes / classes.ChunkBytes(id));
    const uint64_t pages = (count.entries + per_page - 1) / per_page;
    AppendStat(ctx, prefix + "chunk_size", classes.ChunkBytes(id));
    AppendStat(ctx, prefix + "chunks_per_page", per_page);
    AppendStat(ctx, prefix + "total_pages", pages);
    AppendStat(ctx, prefix + "total_chunks", pages * per_page);
    AppendStat(ctx, prefix + "used_chunks", count.entries);
    AppendStat(ctx, prefix + "free_chunks", pages * per_page - count.entries);
    AppendStat(ctx, prefix + "mem_requested", count.bytes);
    active += count.entries > 0;
    pages_total += pages;
  }
  AppendStat(ctx, "active_slabs", active);
  AppendStat(ctx, "total_malloced", pages_total * kPageBytes);
}

void AppendMemcachedCacheDump(MemcachedContext& ctx, const wire::MemcachedWords& words) {
  if (!ctx.settings.dump_enabled) {
    return ctx.out.Append("CLIENT_ERROR stats cachedump not allowed\r\n");
  }
  if (words.count < 3) return ctx.out.Append("CLIENT_ERROR bad command line\r\n");
  const auto id = wire::ReadMemcachedUint32(words[1]);
  const auto limit = wire::ReadMemcachedUint32(words[2]);
  if (!id || !limit) return ctx.out.Append("CLIENT_ERROR bad command line format\r\n");
  if (*id > MemcachedClasses::kClassMax) {
    return ctx.out.Append("CLIENT_ERROR Illegal slab id\r\n");
  }
  const MemcachedClasses classes = ctx.services.Tuning().MakeClasses();
  Dumper dumper(classes, *id, *limit);
  for (uint32_t index = 0; index < kShardCount && !dumper.is_full(); ++index) {
    std::optional<uint64_t> cursor = 0;
    while (cursor && !dumper.is_full()) {
      const ShardGuard guard(ctx.keyspace.lock(index));
      cursor = ctx.keyspace.LockedShard(index).Scan(ctx.keys.database(), *cursor, kScanBudget,
                                                    ctx.keys.access(), dumper);
    }
  }
  ctx.out.Append(dumper.text());
  ctx.out.Append(kMemcachedEnd);
}

}  // namespace mikura::engine
