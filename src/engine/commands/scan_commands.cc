// SPDX-License-Identifier: Apache-2.0
// Commands that walk over the keys of a database, one shard at a time.
//
// A cursor is (place in the shard) * 1024 + shard: 0 begins, and 0 comes back at the end.
#include <string>
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/random_picks.h"
#include "engine/commands/scan_options.h"
#include "engine/commands/type_names.h"
#include "wire/glob.h"

namespace mikura::engine {
namespace {

constexpr size_t kChunk = 64;             // entries seen under one hold of a shard's lock
constexpr size_t kEmptyShardsMax = 1024;  // a SCAN passes empty shards until it has something

// Gathers the names that match.
class NameCollector final : public store::EntryConsumer {
 public:
  NameCollector(std::string_view pattern, std::string_view type) : pattern_(pattern), type_(type) {}

  void Consume(int /*database*/, const store::Entry& entry) override {
    ++seen_;
    if (!type_.empty() && !EqualsIgnoreCase(type_, TypeName(entry.type()))) return;
    if (pattern_ != "*" && !wire::GlobMatch(pattern_, entry.key())) return;
    names_.emplace_back(entry.key());
  }

  size_t seen() const { return seen_; }
  void Reply(wire::RespWriter& reply) const {
    reply.Array(names_.size());
    for (const std::string& name : names_) reply.Bulk(name);
  }

 private:
  std::string_view pattern_;
  std::string_view type_;
  std::vector<std::string> names_;
  size_t seen_ = 0;
};

// Visits a shard from `place` on until `budget` entries were seen; the next place, or nullopt.
std::optional<uint64_t> ScanShard(CommandContext& ctx, uint32_t index, uint64_t place,
                                  size_t budget, NameCollector& names) {
  ShardVisit visit(ctx.keyspace, ctx.keys.held(), index);
  return ctx.keyspace.LockedShard(index).Scan(ctx.keys.database(), place, budget, ctx.keys.access(),
                                              names);
}

// SCAN cursor [MATCH pattern] [COUNT n] [TYPE type] -> the next cursor and some names. A key that
// is there during a whole iteration is returned at least once. Cost: about COUNT entries.
FaultOr<> Scan(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const uint64_t cursor, ParseScanCursor(ctx.args[1]));
  ASSIGN_OR_RETURN(const ScanOptions options,
                   ParseScanOptions(ScanKind::kKeys, ctx.args.subspan(2)));
  NameCollector names(options.pattern, options.type);
  auto index = static_cast<uint32_t>(cursor % kShardCount);
  uint64_t place = cursor / kShardCount;
  const auto wanted = static_cast<size_t>(options.count);
  for (size_t passed = 0; index < kShardCount && passed < kEmptyShardsMax;) {
    if (names.seen() >= wanted) break;
    if (ctx.keyspace.UnlockedShard(index).key_count(ctx.keys.database()) == 0) {
      ++index;
      ++passed;
      place = 0;
      continue;
    }
    const size_t budget = std::min(kChunk, wanted - names.seen());
    const std::optional<uint64_t> next = ScanShard(ctx, index, place, budget, names);
    place = next.value_or(0);
    if (!next) ++index;
  }
  const uint64_t next_cursor = index < kShardCount ? place * kShardCount + index : 0;
  ctx.reply.Array(2);
  ctx.reply.Bulk(std::to_string(next_cursor));
  names.Reply(ctx.reply);
  return Ok();
}

// KEYS pattern -> all names that match. Cost: O(keys), in chunks: other commands run in between.
FaultOr<> Keys(CommandContext& ctx) {
  NameCollector names(ctx.args[1], {});
  for (uint32_t index = 0; index < kShardCount; ++index) {
    if (ctx.keyspace.UnlockedShard(index).key_count(ctx.keys.database()) == 0) continue;
    uint64_t place = 0;
    while (true) {
      const std::optional<uint64_t> next = ScanShard(ctx, index, place, kChunk, names);
      if (!next) break;
      place = *next;
    }
  }
  names.Reply(ctx.reply);
  return Ok();
}

// RANDOMKEY -> some key, or null. Shards count by their number of keys.
FaultOr<> RandomKey(CommandContext& ctx) {
  const int database = ctx.keys.database();
  const uint64_t total = ctx.keyspace.KeyCount(database);
  RandomSource random;
  uint64_t rank = total == 0 ? 0 : random.Below(total);
  uint32_t first = 0;
  while (first + 1 < kShardCount) {
    const uint64_t count = ctx.keyspace.UnlockedShard(first).key_count(database);
    if (rank < count) break;
    rank -= count;
    ++first;
  }
  // The shard's keys may be gone or expired by now: then the next ones are asked.
  for (uint32_t step = 0; step < kShardCount; ++step) {
    const uint32_t index = (first + step) % kShardCount;
    if (ctx.keyspace.UnlockedShard(index).key_count(database) == 0) continue;
    ShardVisit visit(ctx.keyspace, ctx.keys.held(), index);
    const store::Found found =
        ctx.keyspace.LockedShard(index).Random(database, random.Next(), ctx.keys.access());
    if (!found) continue;
    ctx.reply.Bulk(found.entry.key());
    return Ok();
  }
  ctx.reply.Null();
  return Ok();
}

constexpr CommandSpec kScanCommands[] = {
    {.name = "SCAN",
     .handler = Scan,
     .arity = AtLeast(2),
     .flags = kReadOnly,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "2.8.0",
     .summary = "Iterates over the keys of a database.",
     .tips = "nondeterministic_output|request_policy:special"},
    {.name = "KEYS",
     .handler = Keys,
     .arity = Exactly(2),
     .flags = kReadOnly,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "generic",
     .since = "1.0.0",
     .summary = "Returns all keys that match a pattern.",
     .tips = "request_policy:all_shards|nondeterministic_output_order"},
    {.name = "RANDOMKEY",
     .handler = RandomKey,
     .arity = Exactly(1),
     .flags = kReadOnly,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "1.0.0",
     .summary = "Returns some key of the database.",
     .tips = "request_policy:all_shards|nondeterministic_output"},
};

}  // namespace

std::span<const CommandSpec> ScanCommands() { return kScanCommands; }

}  // namespace mikura::engine
