// SPDX-License-Identifier: Apache-2.0
// Commands that read a range of a sorted set, or store it under another key.
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "engine/commands/command_families.h"
#include "engine/commands/long_reply.h"
#include "engine/commands/preparation.h"
#include "engine/commands/sorted_set_range.h"

namespace mikura::engine {
namespace {

enum class Order : uint8_t { kRank, kScore, kLex };

// What a range command asks for: some say it by their names, ZRANGE by its words.
struct RangeRequest {
  std::optional<Order> order;
  std::optional<bool> is_downwards;
  bool stores = false;
  bool with_scores = false;
  int64_t offset = 0;
  int64_t limit = -1;
  std::variant<RankBounds, ScoreBounds, LexBounds> bounds;
};

// Takes the option at `i`, and moves on to its last word.
FaultOr<> TakeOption(std::span<const std::string_view> words, size_t& i, RangeRequest& request) {
  const std::string_view word = words[i];
  if (!request.stores && EqualsIgnoreCase(word, "WITHSCORES")) {
    request.with_scores = true;
  } else if (EqualsIgnoreCase(word, "LIMIT") && i + 2 < words.size()) {
    ASSIGN_OR_RETURN(request.offset, ToInteger(words[i + 1]));
    ASSIGN_OR_RETURN(request.limit, ToInteger(words[i + 2]));
    i += 2;
  } else if (!request.is_downwards && EqualsIgnoreCase(word, "REV")) {
    request.is_downwards = true;
  } else if (!request.order && EqualsIgnoreCase(word, "BYLEX")) {
    request.order = Order::kLex;
  } else if (!request.order && EqualsIgnoreCase(word, "BYSCORE")) {
    request.order = Order::kScore;
  } else {
    return Fault::kSyntax;
  }
  return Ok();
}

FaultOr<> ParseBounds(std::string_view from, std::string_view to, RangeRequest& request) {
  if (*request.order == Order::kRank) {
    ASSIGN_OR_RETURN(request.bounds, ParseRankBounds(from, to));
    return Ok();
  }
  // Downwards, the upper bound comes first.
  if (*request.is_downwards) std::swap(from, to);
  if (*request.order == Order::kScore) {
    ASSIGN_OR_RETURN(request.bounds, ParseScoreBounds(from, to));
  } else {
    ASSIGN_OR_RETURN(request.bounds, ParseLexBounds(from, to));
  }
  return Ok();
}

// Parses the words from the bounds on. False after an error reply.
FaultOr<bool> ParseRequest(CommandContext& ctx, size_t first, RangeRequest& request) {
  for (size_t i = first + 2; i < ctx.args.size(); ++i) {
    RETURN_IF_ERROR(TakeOption(ctx.args, i, request));
  }
  if (!request.order) request.order = Order::kRank;
  if (!request.is_downwards) request.is_downwards = false;
  if (request.limit != -1 && *request.order == Order::kRank) {
    ctx.reply.Error("ERR",
                    "syntax error, LIMIT is only supported in combination with either BYSCORE or "
                    "BYLEX");
    return false;
  }
  if (request.with_scores && *request.order == Order::kLex) {
    ctx.reply.Error("ERR", "syntax error, WITHSCORES not supported in combination with BYLEX");
    return false;
  }
  RETURN_IF_ERROR(ParseBounds(ctx.args[first], ctx.args[first + 1], request));
  return true;
}

// The members asked for, downwards from `first` or upwards.
RankRange Select(const SortedSetValue& set, const RangeRequest& request) {
  const uint64_t size = set.size();
  RankRange range =
      std::visit([&](const auto& bounds) { return RangeOf(set, bounds); }, request.bounds);
  if (*request.is_downwards && *request.order == Order::kRank) {
    // Ranks were counted from the highest member.
    return {size - 1 - range.first, range.count};
  }
  if (*request.order != Order::kRank) {
    const auto available = range.count;
    const uint64_t skipped =
        request.offset < 0 ? available : std::min(static_cast<uint64_t>(request.offset), available);
    range.count = available - skipped;
    if (request.limit >= 0) {
      range.count = std::min(range.count, static_cast<uint64_t>(request.limit));
    }
    range.first =
        *request.is_downwards ? range.first + available - 1 - skipped : range.first + skipped;
  }
  return range;
}

FaultOr<> ReplyRange(CommandContext& ctx, RangeRequest request) {
  ASSIGN_OR_RETURN(const bool is_valid, ParseRequest(ctx, 2, request));
  if (!is_valid) return Ok();
  ASSIGN_OR_RETURN(const SortedSetView& set, ctx.keys.View<SortedSetValue>(ctx.key_list[0]));
  const RankRange range = set ? Select(*set, request) : RankRange{};
  ReplyMemberCount(ctx.reply, range.count, request.with_scores);
  if (range.count == 0) return Ok();
  const bool is_later =
      ReplyLater(ctx.keys, ctx.reply, *set, range.count, [&](const SortedSetValue& copy) {
        return RangeWalk(SortedSetValue::Cursor(copy, range.first), range.count,
                         MemberWriter{request.with_scores}, *request.is_downwards);
      });
  if (is_later) return Ok();
  set->VisitRange(range.first, range.count, *request.is_downwards,
                  [&](const ScoredMember& element) {
                    ReplyMember(ctx.reply, element, request.with_scores);
                    return true;
                  });
  return Ok();
}

// ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES] -> members.
// Cost: O(log n + members).
FaultOr<> ZRange(CommandContext& ctx) { return ReplyRange(ctx, {}); }

FaultOr<> ZRevRange(CommandContext& ctx) {
  return ReplyRange(ctx, {.order = Order::kRank, .is_downwards = true});
}

FaultOr<> ZRangeByScore(CommandContext& ctx) {
  return ReplyRange(ctx, {.order = Order::kScore, .is_downwards = false});
}

FaultOr<> ZRevRangeByScore(CommandContext& ctx) {
  return ReplyRange(ctx, {.order = Order::kScore, .is_downwards = true});
}

FaultOr<> ZRangeByLex(CommandContext& ctx) {
  return ReplyRange(ctx, {.order = Order::kLex, .is_downwards = false});
}

FaultOr<> ZRevRangeByLex(CommandContext& ctx) {
  return ReplyRange(ctx, {.order = Order::kLex, .is_downwards = true});
}

SortedSetValue CopyRange(const SortedSetValue& set, const RangeRequest& request,
                         collections::NodeMemory& memory, const EncodingLimits& limits) {
  SortedSetValue result(memory);
  const RankRange range = Select(set, request);
  // Redis knows the number of ranks beforehand, and that of scores not.
  const auto listpack_max = limits.zset_entries.load(std::memory_order_relaxed);
  if (*request.order == Order::kRank && static_cast<int64_t>(range.count) > listpack_max) {
    result.set_is_skiplist();
  }
  if (range.count == 0) return result;
  set.VisitRange(range.first, range.count, *request.is_downwards, [&](const ScoredMember& element) {
    PutMember(result, limits, element.member, element.score);
    return true;
  });
  return result;
}

struct StoredRange final : Preparation {
  using Preparation::Preparation;
  void Compute() override {
    // Bounds are views on the words.
    if (!ParseBounds(words()[3], words()[4], request).ok()) return;
    result.emplace(CopyRange(*held(0).As<SortedSetValue>(), request, *memory, *limits));
  }

  RangeRequest request;
  collections::NodeMemory* memory = nullptr;
  const EncodingLimits* limits = nullptr;
  std::optional<SortedSetValue> result;
};

// ZRANGESTORE destination source start stop [...] -> how many members were stored.
FaultOr<> ZRangeStore(CommandContext& ctx) {
  RangeRequest request{.stores = true};
  ASSIGN_OR_RETURN(const bool is_valid, ParseRequest(ctx, 3, request));
  if (!is_valid) return Ok();
  ASSIGN_OR_RETURN(const SortedSetView& set, ctx.keys.View<SortedSetValue>(ctx.key_list[1]));
  collections::NodeMemory& memory = ctx.keys.node_memory();
  const EncodingLimits& limits = ctx.services.encoding_limits;
  std::shared_ptr<StoredRange> prepared;
  if (set && Select(*set, request).count >= kComputedAtOnce) {
    prepared = Prepare<StoredRange>(ctx, [&](StoredRange& next) {
      next.request = request;
      next.memory = &memory;
      next.limits = &limits;
      next.Hold(ctx, 1);
    });
    if (ctx.outcome == RunOutcome::kPreparing) return Ok();
  }
  const auto compute = [&] {
    return set ? CopyRange(*set, request, memory, limits) : SortedSetValue(memory);
  };
  SortedSetValue result = prepared ? std::move(*prepared->result) : compute();
  return StoreSortedSet(ctx, ctx.key_list[0], std::move(result), "zrangestore");
}

constexpr CommandSpec kZsetRangeCommands[] = {
    {.name = "ZRANGE",
     .handler = ZRange,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "1.2.0",
     .summary = "Returns a range of members.",
     .key_access = "RO access"},
    {.name = "ZREVRANGE",
     .handler = ZRevRange,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "1.2.0",
     .summary = "Returns a range of members by rank, from the highest score on.",
     .key_access = "RO access"},
    {.name = "ZRANGEBYSCORE",
     .handler = ZRangeByScore,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "1.0.5",
     .summary = "Returns the members with scores in a range.",
     .key_access = "RO access"},
    {.name = "ZREVRANGEBYSCORE",
     .handler = ZRevRangeByScore,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "2.2.0",
     .summary = "Returns the members with scores in a range, from the highest on.",
     .key_access = "RO access"},
    {.name = "ZRANGEBYLEX",
     .handler = ZRangeByLex,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "2.8.9",
     .summary = "Returns the members within a range of names.",
     .key_access = "RO access"},
    {.name = "ZREVRANGEBYLEX",
     .handler = ZRevRangeByLex,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "2.8.9",
     .summary = "Returns the members within a range of names, from the last on.",
     .key_access = "RO access"},
    {.name = "ZRANGESTORE",
     .handler = ZRangeStore,
     .arity = AtLeast(5),
     .keys = KeysFrom(1, 2, 1),
     .flags = kWrite | kDenyOom,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "6.2.0",
     .summary = "Stores a range of members under another key.",
     .key_access = "OW update;RO access"},
};

}  // namespace

std::span<const CommandSpec> ZsetRangeCommands() { return kZsetRangeCommands; }

}  // namespace mikura::engine
