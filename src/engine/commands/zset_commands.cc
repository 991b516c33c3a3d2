// SPDX-License-Identifier: Apache-2.0
// Commands that ask for members, scores, ranks and counts of a sorted set.
#include "engine/commands/command_families.h"
#include "engine/commands/long_read.h"
#include "engine/commands/sorted_set_range.h"

namespace mikura::engine {
namespace {

FaultOr<SortedSetView> Look(CommandContext& ctx) {
  return ctx.keys.View<SortedSetValue>(ctx.key_list[0]);
}

void ReplyScore(wire::RespWriter& reply, const SortedSetValue* set, std::string_view member) {
  const std::optional<double> score = set != nullptr ? set->ScoreOf(member) : std::nullopt;
  if (score) {
    reply.Double(*score);
  } else {
    reply.Null();
  }
}

FaultOr<> ZCard(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const SortedSetView& set, Look(ctx));
  ctx.reply.Integer(set ? static_cast<int64_t>(set->size()) : 0);
  return Ok();
}

FaultOr<> ZScore(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const SortedSetView& set, Look(ctx));
  ReplyScore(ctx.reply, set ? &*set : nullptr, ctx.args[2]);
  return Ok();
}

FaultOr<> ZMScore(CommandContext& ctx) { return ReplyForNames<SortedSetValue>(ctx, ReplyScore); }

FaultOr<> ReplyRank(CommandContext& ctx, bool from_highest) {
  if (ctx.args.size() > 4) {
    ctx.reply.Error("ERR", WrongArityMessage(ctx.spec));
    return Ok();
  }
  const bool with_score = ctx.args.size() == 4;
  if (with_score && !EqualsIgnoreCase(ctx.args[3], "WITHSCORE")) return Fault::kSyntax;
  ASSIGN_OR_RETURN(const SortedSetView& set, Look(ctx));
  const std::optional<uint64_t> rank = set ? set->RankOf(ctx.args[2]) : std::nullopt;
  if (!rank) {
    with_score ? ctx.reply.NullArray() : ctx.reply.Null();
    return Ok();
  }
  if (with_score) ctx.reply.Array(2);
  ctx.reply.Integer(static_cast<int64_t>(from_highest ? set->size() - 1 - *rank : *rank));
  if (with_score) ctx.reply.Double(set->At(*rank).score);
  return Ok();
}

// ZRANK key member [WITHSCORE] -> how many members are before it, or null. Cost: O(log n).
FaultOr<> ZRank(CommandContext& ctx) { return ReplyRank(ctx, false); }
FaultOr<> ZRevRank(CommandContext& ctx) { return ReplyRank(ctx, true); }

template <typename Bounds>
FaultOr<> ReplyCount(CommandContext& ctx, const Bounds& bounds) {
  ASSIGN_OR_RETURN(const SortedSetView& set, Look(ctx));
  ctx.reply.Integer(set ? static_cast<int64_t>(RangeOf(*set, bounds).count) : 0);
  return Ok();
}

FaultOr<> ZCount(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const ScoreBounds bounds, ParseScoreBounds(ctx.args[2], ctx.args[3]));
  return ReplyCount(ctx, bounds);
}

FaultOr<> ZLexCount(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const LexBounds bounds, ParseLexBounds(ctx.args[2], ctx.args[3]));
  return ReplyCount(ctx, bounds);
}

constexpr CommandSpec kZsetCommands[] = {
    {.name = "ZCARD",
     .handler = ZCard,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "1.2.0",
     .summary = "Returns the number of members.",
     .key_access = "RO"},
    {.name = "ZSCORE",
     .handler = ZScore,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "1.2.0",
     .summary = "Returns the score of a member.",
     .key_access = "RO access"},
    {.name = "ZMSCORE",
     .handler = ZMScore,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "6.2.0",
     .summary = "Returns the scores of several members.",
     .key_access = "RO access"},
    {.name = "ZRANK",
     .handler = ZRank,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "2.0.0",
     .summary = "Returns how many members have a lower place.",
     .key_access = "RO access"},
    {.name = "ZREVRANK",
     .handler = ZRevRank,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "2.0.0",
     .summary = "Returns how many members have a higher place.",
     .key_access = "RO access"},
    {.name = "ZCOUNT",
     .handler = ZCount,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "2.0.0",
     .summary = "Counts the members with scores in a range.",
     .key_access = "RO access"},
    {.name = "ZLEXCOUNT",
     .handler = ZLexCount,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "2.8.9",
     .summary = "Counts the members within a range of names.",
     .key_access = "RO access"},
};

}  // namespace

std::span<const CommandSpec> ZsetCommands() { return kZsetCommands; }

}  // namespace mikura::engine
