// SPDX-License-Identifier: Apache-2.0
// Commands that see a part of a sorted set: some members at random, or the next ones of an
// iteration.
#include <cmath>

#include "engine/commands/command_families.h"
#include "engine/commands/long_reply.h"
#include "engine/commands/random_picks.h"
#include "engine/commands/scan_options.h"
#include "engine/commands/sorted_set_support.h"

namespace mikura::engine {
namespace {

void ReplyWithRepetitions(CommandContext& ctx, const SortedSetValue& set, uint64_t count,
                          bool with_scores) {
  ReplyMemberCount(ctx.reply, count, with_scores);
  const auto make_walk = [&](const SortedSetValue& copy) {
    return RandomWalk(copy.size(), count,
                      [&copy, with_scores](wire::RespWriter& reply, uint64_t rank) {
                        ReplyMember(reply, copy.At(rank), with_scores);
                      });
  };
  if (ReplyLater(ctx.keys, ctx.reply, set, count, make_walk)) return;
  RandomSource random;
  for (uint64_t i = 0; i < count; ++i) {
    ReplyMember(ctx.reply, set.At(random.Below(set.size())), with_scores);
  }
}

void ReplyDifferent(CommandContext& ctx, const SortedSetValue& set, uint64_t count,
                    bool with_scores) {
  count = std::min(count, set.size());
  ReplyMemberCount(ctx.reply, count, with_scores);
  const MemberWriter write{with_scores};
  if (count == set.size()) {  // downwards, as Redis does
    const auto make_walk = [&](const SortedSetValue& copy) {
      return RangeWalk(SortedSetValue::Cursor(copy, count - 1), count, write, true);
    };
    if (ReplyLater(ctx.keys, ctx.reply, set, count, make_walk)) return;
    set.VisitRange(count - 1, count, true, [&](const ScoredMember& element) {
      ReplyMember(ctx.reply, element, with_scores);
      return true;
    });
    return;
  }
  if (IsLargeSample(count, set.size())) {
    const auto make_walk = [&](const SortedSetValue& copy) {
      return SampleWalk(SortedSetValue::Cursor(copy), copy.size(), count, write);
    };
    if (ReplyLater(ctx.keys, ctx.reply, set, count, make_walk)) return;
  }
  RandomSource random;
  for (const uint64_t rank : PickDifferent(random, set.size(), count)) {
    ReplyMember(ctx.reply, set.At(rank), with_scores);
  }
}

FaultOr<> ZRandMemberCount(CommandContext& ctx) {
  const std::optional<int64_t> count = TakeCount(ctx, ctx.args[2]);
  if (!count) return Ok();
  const bool with_scores = ctx.args.size() > 3;
  if (ctx.args.size() > 4 || (with_scores && !EqualsIgnoreCase(ctx.args[3], "WITHSCORES"))) {
    return Fault::kSyntax;
  }
  if (with_scores && (*count < -INT64_MAX / 2 || *count > INT64_MAX / 2)) {
    ctx.reply.Error("ERR", "value is out of range");
    return Ok();
  }
  ASSIGN_OR_RETURN(const SortedSetView& set, ctx.keys.View<SortedSetValue>(ctx.key_list[0]));
  if (!set || *count == 0) {
    ctx.reply.Array(0);
  } else if (*count > 0) {
    ReplyDifferent(ctx, *set, static_cast<uint64_t>(*count), with_scores);
  } else if (IsReplyBounded(static_cast<uint64_t>(-*count), set->size(), set->content_bytes())) {
    ReplyWithRepetitions(ctx, *set, static_cast<uint64_t>(-*count), with_scores);
  } else {
    ctx.reply.Error("ERR", "value is out of range");
  }
  return Ok();
}

// ZRANDMEMBER key [count [WITHSCORES]] -> a member; or up to count different ones; or, of a
// negative count, as many with repetitions. Cost: O(count * log n).
FaultOr<> ZRandMember(CommandContext& ctx) {
  if (ctx.args.size() > 2) return ZRandMemberCount(ctx);
  ASSIGN_OR_RETURN(const SortedSetView& set, ctx.keys.View<SortedSetValue>(ctx.key_list[0]));
  if (!set) {
    ctx.reply.Null();
    return Ok();
  }
  RandomSource random;
  ctx.reply.Bulk(set->At(random.Below(set->size())).member);
  return Ok();
}

// The score as Redis' two forms print it: a listpack holds whole numbers as such.
void AddScore(ScanReply& reply, double score, bool is_skiplist) {
  constexpr double kWholeMax = 4611686018427387904.0;  // 2 ^ 62
  if (!is_skiplist && std::fabs(score) <= kWholeMax && std::trunc(score) == score) {
    reply.Add(NumberText(static_cast<int64_t>(score)));
  } else {
    reply.Add(ScoreText(score));
  }
}

// ZSCAN key cursor [MATCH pattern] [COUNT n] -> the next cursor, and members with their scores. A
// member that is there during a whole iteration is returned at least once.
FaultOr<> ZScan(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const uint64_t cursor, ParseScanCursor(ctx.args[2]));
  ASSIGN_OR_RETURN(const SortedSetView& set, ctx.keys.View<SortedSetValue>(ctx.key_list[0]));
  ScanReply reply;
  if (!set) {
    reply.Write(ctx.reply, 0);
    return Ok();
  }
  ASSIGN_OR_RETURN(const ScanOptions options,
                   ParseScanOptions(ScanKind::kElements, ctx.args.subspan(3)));
  const uint64_t next =
      set->Scan(cursor, static_cast<uint64_t>(options.count), [&](const ScoredMember& element) {
        if (!options.Matches(element.member)) return;
        reply.Add(element.member);
        AddScore(reply, element.score, set->is_skiplist());
      });
  reply.Write(ctx.reply, next);
  return Ok();
}

constexpr CommandSpec kZsetScanCommands[] = {
    {.name = "ZRANDMEMBER",
     .handler = ZRandMember,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "6.2.0",
     .summary = "Returns members at random.",
     .tips = "nondeterministic_output",
     .key_access = "RO access"},
    {.name = "ZSCAN",
     .handler = ZScan,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "2.8.0",
     .summary = "Iterates over the members of a sorted set.",
     .tips = "nondeterministic_output",
     .key_access = "RO access"},
};

}  // namespace

std::span<const CommandSpec> ZsetScanCommands() { return kZsetScanCommands; }

}  // namespace mikura::engine
