// SPDX-License-Identifier: Apache-2.0
// Commands that walk over the keys of a database, one shard at a time.
//
// A cursor is (place in the shard) * 1024 + shard: 0 begins, and 0 comes back at the end.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/preparation.h"
#include "engine/commands/random_picks.h"
#include "engine/commands/scan_options.h"
#include "engine/commands/type_names.h"
#include "engine/keyspace/shard_visit.h"
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

// Where a walk over all keys of a database is.
struct WalkPlace {
  uint32_t shard = 0;
  uint64_t place = 0;

  uint64_t cursor() const { return shard < kShardCount ? place * kShardCount + shard : 0; }
};

// Walks on until `wanted` entries were seen, or all, with one shard locked at a time.
WalkPlace Walk(Keyspace& keyspace, const KeyAccess& keys, WalkPlace at, size_t wanted,
               NameCollector& names) {
  for (size_t passed = 0; at.shard < kShardCount && passed < kEmptyShardsMax;) {
    if (names.seen() >= wanted) break;
    if (keyspace.UnlockedShard(at.shard).key_count(keys.database()) == 0) {
      at = {at.shard + 1, 0};
      ++passed;
      continue;
    }
    const size_t budget = std::min(kChunk, wanted - names.seen());
    ShardVisit visit(keyspace, keys.held(), at.shard);
    const std::optional<uint64_t> next = keyspace.LockedShard(at.shard).Scan(
        keys.database(), at.place, budget, keys.access(), names);
    at = next ? WalkPlace{at.shard, *next} : WalkPlace{at.shard + 1, 0};
  }
  return at;
}

struct WalkRequest {
  WalkPlace from;
  size_t wanted = 0;
  std::string_view pattern;
  std::string_view type;
  bool shows_cursor = false;
};

void ReplyWalk(Keyspace& keyspace, const KeyAccess& keys, const WalkRequest& request,
               wire::RespWriter& reply) {
  NameCollector names(request.pattern, request.type);
  const WalkPlace end = Walk(keyspace, keys, request.from, request.wanted, names);
  if (request.shows_cursor) {
    reply.Array(2);
    reply.Bulk(std::to_string(end.cursor()));
  }
  names.Reply(reply);
}

// A long walk. Its client waits for it: what that one asks for next comes after it.
class WalkReply final : public ReplyComputation {
 public:
  WalkReply(CommandContext& ctx, const WalkRequest& request)
      : keyspace_(ctx.keyspace),
        keys_(ctx.keyspace, effects_, ctx.keys.database(), ctx.keys.access()),
        pattern_(request.pattern),
        type_(request.type),
        request_(request) {
    request_.pattern = pattern_;
    request_.type = type_;
  }
  void Write(wire::RespWriter& reply) override { ReplyWalk(keyspace_, keys_, request_, reply); }

 private:
  Keyspace& keyspace_;
  Effects effects_{Effects::Muted()};  // a walk has none
  const KeyAccess keys_;
  const std::string pattern_;
  const std::string type_;
  WalkRequest request_;
};

struct PreparedWalk final : Preparation {
  using Preparation::Preparation;
  void Compute() override { reply->Run(); }

  std::shared_ptr<ReplyComputation> reply;
};

FaultOr<> WalkKeys(CommandContext& ctx, const WalkRequest& request) {
  const uint64_t keys = ctx.keyspace.KeyCount(ctx.keys.database());
  if (std::min<uint64_t>(keys, request.wanted) >= kComputedAtOnce) {
    const auto prepared = Prepare<PreparedWalk>(ctx, [&](PreparedWalk& next) {
      next.reply = std::make_shared<WalkReply>(ctx, request);
      next.reply->set_version(ctx.reply.version());
    });
    if (ctx.outcome == RunOutcome::kPreparing) return Ok();
    if (prepared) {
      ReplyDone(ctx, std::move(prepared->reply));
      return Ok();
    }
  }
  ReplyWalk(ctx.keyspace, ctx.keys, request, ctx.reply);
  return Ok();
}

// SCAN cursor [MATCH pattern] [COUNT n] [TYPE type] -> the next cursor and some names. A key that
// is there during a whole iteration is returned at least once. Cost: about COUNT entries.
FaultOr<> Scan(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const uint64_t cursor, ParseScanCursor(ctx.args[1]));
  ASSIGN_OR_RETURN(const ScanOptions options,
                   ParseScanOptions(ScanKind::kKeys, ctx.args.subspan(2)));
  return WalkKeys(ctx, {.from = {static_cast<uint32_t>(cursor % kShardCount), cursor / kShardCount},
                        .wanted = static_cast<size_t>(options.count),
                        .pattern = options.pattern,
                        .type = options.type,
                        .shows_cursor = true});
}

// KEYS pattern -> all names that match. Cost: O(keys), in chunks: other commands run in between.
FaultOr<> Keys(CommandContext& ctx) {
  return WalkKeys(ctx, {.wanted = SIZE_MAX, .pattern = ctx.args[1]});
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
