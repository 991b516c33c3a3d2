// SPDX-License-Identifier: Apache-2.0
// Commands that remove members that they name, or a range of members.
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/prepared_edit.h"
#include "engine/commands/sorted_set_range.h"

namespace mikura::engine {
namespace {

// The members that were there, behind the first words of the effect.
using Removed = std::vector<std::string_view>;

Removed RemoveMembers(SortedSetValue& set, std::span<const std::string_view> args,
                      const EncodingLimits&) {
  Removed effect = {"ZREM", args[1]};
  for (const std::string_view member : args.subspan(2)) {
    if (set.Erase(member)) effect.push_back(member);
  }
  return effect;
}

FaultOr<> FinishRemoval(CommandContext& ctx, SortedSetEdit& set, const Removed& effect) {
  const size_t removed = effect.size() - 2;
  if (removed > 0) {
    RETURN_IF_ERROR(CommitRemoval(ctx.keys, ctx.key_list[0], set, "zrem"));
    ctx.keys.effects().Add(ctx.keys.database(), effect);
  }
  ctx.reply.Integer(static_cast<int64_t>(removed));
  return Ok();
}

// ZREM key member ... -> how many of the members were there. The key goes with its last member.
FaultOr<> ZRem(CommandContext& ctx) {
  if (HasManyWords(ctx)) [[unlikely]]
    return EditPrepared<SortedSetValue, Removed>(ctx, RemoveMembers, FinishRemoval);
  ASSIGN_OR_RETURN(SortedSetEdit && set, ctx.keys.Edit<SortedSetValue>(ctx.key_list[0]));
  return FinishRemoval(ctx, set, RemoveMembers(*set, ctx.args, ctx.services.encoding_limits));
}

// The effect is the command as it came: the same members go on a replica.
FaultOr<> FinishRange(CommandContext& ctx, SortedSetEdit& set, uint64_t removed,
                      std::string_view event) {
  if (removed > 0) {
    RETURN_IF_ERROR(CommitRemoval(ctx.keys, ctx.key_list[0], set, event));
    ctx.keys.effects().Add(ctx.keys.database(), ctx.args);
  }
  ctx.reply.Integer(static_cast<int64_t>(removed));
  return Ok();
}

// So many that it takes long. Nothing has it open for a change, which would make a further copy of
// what is held.
template <typename Bounds>
FaultOr<> RemoveLongRange(CommandContext& ctx, const Bounds& bounds, std::string_view event) {
  ASSIGN_OR_RETURN(const SortedSetView& view, ctx.keys.View<SortedSetValue>(ctx.key_list[0]));
  const RankRange range = view ? RangeOf(*view, bounds) : RankRange();
  const auto change = [range](SortedSetValue& set, auto, const EncodingLimits&) {
    if (range.count > 0) set.EraseAt(range.first, range.count);
    return range.count;
  };
  return EditPrepared<SortedSetValue, uint64_t>(
      ctx, change, [&](CommandContext& context, SortedSetEdit& set, uint64_t removed) {
        return FinishRange(context, set, removed, event);
      });
}

template <typename Bounds>
FaultOr<> RemoveRange(CommandContext& ctx, const Bounds& bounds, std::string_view event) {
  if (!ctx.client.preparation) [[likely]] {
    ASSIGN_OR_RETURN(SortedSetEdit && set, ctx.keys.Edit<SortedSetValue>(ctx.key_list[0]));
    const RankRange range = RangeOf(*set, bounds);
    if (range.count < kComputedAtOnce) {
      if (range.count > 0) set->EraseAt(range.first, range.count);
      return FinishRange(ctx, set, range.count, event);
    }
  }
  return RemoveLongRange(ctx, bounds, event);
}

// ZREMRANGEBY... key from to -> how many members were removed. Cost: O(log n) for each.
FaultOr<> ZRemRangeByRank(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const RankBounds bounds, ParseRankBounds(ctx.args[2], ctx.args[3]));
  return RemoveRange(ctx, bounds, "zremrangebyrank");
}

FaultOr<> ZRemRangeByScore(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const ScoreBounds bounds, ParseScoreBounds(ctx.args[2], ctx.args[3]));
  return RemoveRange(ctx, bounds, "zremrangebyscore");
}

FaultOr<> ZRemRangeByLex(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const LexBounds bounds, ParseLexBounds(ctx.args[2], ctx.args[3]));
  return RemoveRange(ctx, bounds, "zremrangebylex");
}

constexpr CommandSpec kZsetRemoveCommands[] = {
    {.name = "ZREM",
     .handler = ZRem,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "1.2.0",
     .summary = "Removes members.",
     .key_access = "RW delete"},
    {.name = "ZREMRANGEBYRANK",
     .handler = ZRemRangeByRank,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kWrite,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "2.0.0",
     .summary = "Removes a range of members by rank.",
     .key_access = "RW delete"},
    {.name = "ZREMRANGEBYSCORE",
     .handler = ZRemRangeByScore,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kWrite,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "1.2.0",
     .summary = "Removes the members with scores in a range.",
     .key_access = "RW delete"},
    {.name = "ZREMRANGEBYLEX",
     .handler = ZRemRangeByLex,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kWrite,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "2.8.9",
     .summary = "Removes the members within a range of names.",
     .key_access = "RW delete"},
};

}  // namespace

std::span<const CommandSpec> ZsetRemoveCommands() { return kZsetRemoveCommands; }

}  // namespace mikura::engine
