// SPDX-License-Identifier: Apache-2.0
// Commands that remove the members with the lowest or the highest scores.
#include "engine/commands/command_families.h"
#include "engine/commands/long_reply.h"
#include "engine/commands/prepared_edit.h"
#include "engine/commands/sorted_set_pop.h"

namespace mikura::engine {
namespace {

// Takes many members, and answers them later. False, and nothing was done, when they are few, or
// to be answered at once.
FaultOr<bool> PopManyLater(CommandContext& ctx, SortedSetEdit& set, ScoreEnd end, uint64_t count,
                           bool is_nested) {
  const size_t mark = ctx.reply.out().size();
  const bool downwards = end == ScoreEnd::kHighest;
  count = std::min(count, set->size());
  ctx.reply.Array(static_cast<size_t>(is_nested ? count : count * 2));
  const auto write = [is_nested](wire::RespWriter& reply, const SortedSetValue::Cursor& cursor) {
    if (is_nested) reply.Array(2);
    reply.Bulk(cursor.element().member);
    reply.Double(cursor.element().score);
  };
  const bool is_later =
      ReplyLater(ctx.keys, ctx.reply, std::as_const(*set), count, [&](const SortedSetValue& copy) {
        return RangeWalk(SortedSetValue::Cursor(copy, downwards ? copy.size() - 1 : 0), count,
                         write, downwards);
      });
  if (!is_later) {
    ctx.reply.out().Truncate(mark);
    return false;
  }
  const FaultOr<> removed = EraseFromEnd(ctx.keys, ctx.key_list[0], set, end, count);
  if (!removed.ok()) {
    ctx.reply.out().Truncate(mark);
    return removed.error();
  }
  return true;
}

// Takes so many that it takes long.
FaultOr<> PopPrepared(CommandContext& ctx, ScoreEnd end, uint64_t count, bool is_nested) {
  using Reply = std::shared_ptr<ReplyComputation>;
  const int version = ctx.reply.version();
  const auto change = [=](SortedSetValue& set, auto, const EncodingLimits&) -> Reply {
    const bool is_lowest = end == ScoreEnd::kLowest;
    Reply reply = std::make_shared<FunctionReply>([&](wire::RespWriter& writer) {
      writer.Array(static_cast<size_t>(is_nested ? count : count * 2));
      const auto write = [&](const ScoredMember& element) {
        if (is_nested) writer.Array(2);
        writer.Bulk(element.member);
        writer.Double(element.score);
        return true;
      };
      set.VisitRange(is_lowest ? 0 : set.size() - 1, count, !is_lowest, write);
    });
    reply->set_version(version);
    reply->Run();
    set.EraseAt(is_lowest ? 0 : set.size() - count, count);
    return reply;
  };
  const auto finish = [=](CommandContext& context, SortedSetEdit& set, Reply reply) -> FaultOr<> {
    RETURN_IF_ERROR(CommitPop(context.keys, context.key_list[0], set, end, count));
    ReplyDone(context, std::move(reply));
    return Ok();
  };
  return EditPrepared<SortedSetValue, Reply>(ctx, change, finish);
}

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
  const bool is_nested = has_count && ctx.reply.version() > 2;
  if (count >= kComputedAtOnce) [[unlikely]] {
    // Before it is opened for a change, which would make a further copy of what is held.
    ASSIGN_OR_RETURN(const SortedSetView& view, ctx.keys.View<SortedSetValue>(key));
    // To leave few is fast.
    if (view && view->size() > count && view->size() - count >= kComputedAtOnce) {
      return PopPrepared(ctx, end, count, is_nested);
    }
  }
  ASSIGN_OR_RETURN(SortedSetEdit && set, ctx.keys.Edit<SortedSetValue>(key));
  if (set->empty() || count == 0) {
    ctx.reply.Array(0);
    return Ok();
  }
  ASSIGN_OR_RETURN(const bool is_done, PopManyLater(ctx, set, end, count, is_nested));
  if (is_done) return Ok();
  ASSIGN_OR_RETURN(const PoppedMembers popped, PopMembers(ctx.keys, key, set, end, count));
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
    ASSIGN_OR_RETURN(SortedSetEdit && set, ctx.keys.Edit<SortedSetValue>(key));
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
