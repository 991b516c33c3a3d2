// SPDX-License-Identifier: Apache-2.0
// Commands that take members from sorted sets, and wait for some to come.
#include "engine/commands/blocking.h"
#include "engine/commands/command_families.h"
#include "engine/commands/sorted_set_pop.h"

namespace mikura::engine {
namespace {

class SortedSetWait : public BlockedCommand {
 public:
  FaultOr<bool> IsReady(KeyAccess& keys, const Key& key) override {
    ASSIGN_OR_RETURN(const SortedSetView& set, keys.View<SortedSetValue>(key));
    return static_cast<bool>(set);
  }
};

// BZPOPMIN, BZPOPMAX: the key, the member and its score.
class ScorePopWait final : public SortedSetWait {
 public:
  explicit ScorePopWait(ScoreEnd end) : end_(end) {}

  FaultOr<> Serve(const ServeContext& ctx, const Key& key) override {
    ASSIGN_OR_RETURN(SortedSetEdit && set, ctx.keys.Edit<SortedSetValue>(key));
    ASSIGN_OR_RETURN(const PoppedMembers popped, PopMembers(ctx.keys, key, set, end_, 1));
    ctx.reply.Array(3);
    ctx.reply.Bulk(key.name);
    ctx.reply.Bulk(popped[0].first);
    ctx.reply.Double(popped[0].second);
    return Ok();
  }

 private:
  const ScoreEnd end_;
};

// BZMPOP: the key and its members.
class MultiScorePopWait final : public SortedSetWait {
 public:
  explicit MultiScorePopWait(const ScorePopOptions& options) : options_(options) {}

  FaultOr<> Serve(const ServeContext& ctx, const Key& key) override {
    ASSIGN_OR_RETURN(SortedSetEdit && set, ctx.keys.Edit<SortedSetValue>(key));
    return PopWithName(ctx.keys, ctx.reply, key, set, options_);
  }

 private:
  const ScorePopOptions options_;
};

// BZPOPMIN key ... timeout -> the first key that has a member, the member and its score; or null.
// Cost: O(keys + log n).
FaultOr<> BlockingPop(CommandContext& ctx, ScoreEnd end) {
  const std::optional<UnixMillis> timeout = WaitSeconds(ctx, ctx.args.back());
  if (!timeout) return Ok();
  return ServeOrWait(ctx, ctx.key_list, *timeout, std::make_unique<ScorePopWait>(end));
}

FaultOr<> BZPopMin(CommandContext& ctx) { return BlockingPop(ctx, ScoreEnd::kLowest); }
FaultOr<> BZPopMax(CommandContext& ctx) { return BlockingPop(ctx, ScoreEnd::kHighest); }

// BZMPOP timeout numkeys key ... MIN | MAX [COUNT n]
FaultOr<> BZMPop(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const std::optional<ScorePopOptions> options, ParseScorePopOptions(ctx, 2));
  if (!options) return Ok();
  const std::optional<UnixMillis> timeout = WaitSeconds(ctx, ctx.args[1]);
  if (!timeout) return Ok();
  return ServeOrWait(ctx, ctx.key_list, *timeout, std::make_unique<MultiScorePopWait>(*options));
}

constexpr KeySpec kBZMPopKeys[] = {KeysByNumber("RW access delete", 2)};

constexpr CommandSpec kZsetBlockingCommands[] = {
    {.name = "BZPOPMIN",
     .handler = BZPopMin,
     .arity = AtLeast(3),
     .keys = KeysFrom(1, -2, 1),
     .flags = kWrite | kNoScript | kBlocking | kFast,
     .acl = kAclSortedSet | kAclBlocking,
     .group = "sorted-set",
     .since = "5.0.0",
     .summary = "Removes and returns the member with the lowest score, or waits for one.",
     .key_access = "RW access delete"},
    {.name = "BZPOPMAX",
     .handler = BZPopMax,
     .arity = AtLeast(3),
     .keys = KeysFrom(1, -2, 1),
     .flags = kWrite | kNoScript | kBlocking | kFast,
     .acl = kAclSortedSet | kAclBlocking,
     .group = "sorted-set",
     .since = "5.0.0",
     .summary = "Removes and returns the member with the highest score, or waits for one.",
     .key_access = "RW access delete"},
    {.name = "BZMPOP",
     .handler = BZMPop,
     .arity = AtLeast(5),
     .flags = kWrite | kBlocking | kMovableKeys,
     .acl = kAclSortedSet | kAclBlocking,
     .group = "sorted-set",
     .since = "7.0.0",
     .summary =
         "Removes and returns members of the first sorted set that has some, or waits for them.",
     .key_specs = kBZMPopKeys},
};

}  // namespace

std::span<const CommandSpec> ZsetBlockingCommands() { return kZsetBlockingCommands; }

}  // namespace mikura::engine
