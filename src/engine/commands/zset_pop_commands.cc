// SPDX-License-Identifier: Apache-2.0
// Commands that remove the members with the lowest or the highest scores.
#include "engine/commands/command_families.h"
#include "engine/commands/sorted_set_pop.h"

namespace mikura::engine {
namespace {

// A flat list, unless the client asked for a count in RESP3: then pairs.
FaultOr<> PopOne(CommandContext& ctx, ScoreEnd end) {
  if (ctx.args.size() > 3) return Fault::kSyntax;
  const bool has_count = ctx.args.size() == 3;
  uint64_t count = 1;
  if (has_count) {
    const std::optional<uint64_t> wanted =
        TakeCountFrom(ctx, ctx.args[2], 0, "value is out of range, must be positive");
    if (!wanted) return Ok();
    count = *wanted;
  }
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(SortedSetEdit set, ctx.keys.Edit<SortedSetValue>(key));
  if (set->empty() || count == 0) {
    ctx.reply.Array(0);
    return Ok();
  }
  ASSIGN_OR_RETURN(const PoppedMembers popped, PopMembers(ctx.keys, key, set, end, count));
  const bool is_nested = has_count && ctx.reply.version() > 2;
  ctx.reply.Array(is_nested ? popped.size() : popped.size() * 2);
  for (const auto& [member, score] : popped) {
    if (is_nested) ctx.reply.Array(2);
    ctx.reply.Bulk(member);
    ctx.reply.Double(score);
  }
  return Ok();
}

// ZPOPMIN key [count] -> members with their scores. Cost: O(log n) for each.
FaultOr<> ZPopMin(CommandContext& ctx) { return PopOne(ctx, ScoreEnd::kLowest); }
FaultOr<> ZPopMax(CommandContext& ctx) { return PopOne(ctx, ScoreEnd::kHighest); }

// ZMPOP numkeys key ... MIN | MAX [COUNT n] -> the first key that has members, and those that were
// taken with their scores; or null.
FaultOr<> ZMPop(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const std::optional<ScorePopOptions> options, ParseScorePopOptions(ctx, 1));
  if (!options) return Ok();
  for (const Key& key : ctx.key_list) {
    ASSIGN_OR_RETURN(SortedSetEdit set, ctx.keys.Edit<SortedSetValue>(key));
    if (!set->empty()) return PopWithName(ctx.keys, ctx.reply, key, set, *options);
  }
  ctx.reply.NullArray();
  return Ok();
}

constexpr KeySpec kZMPopKeys[] = {KeysByNumber("RW access delete", 1)};

constexpr CommandSpec kZsetPopCommands[] = {
    {.name = "ZPOPMIN",
     .handler = ZPopMin,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "5.0.0",
     .summary = "Removes and returns the members with the lowest scores.",
     .key_access = "RW access delete"},
    {.name = "ZPOPMAX",
     .handler = ZPopMax,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "5.0.0",
     .summary = "Removes and returns the members with the highest scores.",
     .key_access = "RW access delete"},
    {.name = "ZMPOP",
     .handler = ZMPop,
     .arity = AtLeast(4),
     .flags = kWrite | kMovableKeys,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "7.0.0",
     .summary = "Removes and returns members of the first sorted set that has some.",
     .key_specs = kZMPopKeys},
};

}  // namespace

std::span<const CommandSpec> ZsetPopCommands() { return kZsetPopCommands; }

}  // namespace mikura::engine
