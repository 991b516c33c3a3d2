// SPDX-License-Identifier: Apache-2.0
// Commands that remove the members with the lowest or the highest scores.
#include <string>
#include <utility>
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/sorted_set_support.h"

namespace mikura::engine {
namespace {

enum class End : uint8_t { kLowest, kHighest };
using Popped = std::vector<std::pair<std::string, double>>;

// Removes up to `count` members, at least one, from a set that is not empty; in the order in which
// they go. The effect names them.
FaultOr<Popped> Pop(CommandContext& ctx, const Key& key, SortedSetEdit& set, End end,
                    uint64_t count) {
  const bool is_lowest = end == End::kLowest;
  const uint64_t size = set->size();
  count = std::min(count, size);
  Popped popped;
  popped.reserve(static_cast<size_t>(count));
  set->VisitRange(is_lowest ? 0 : size - 1, count, !is_lowest, [&](const ScoredMember& element) {
    popped.emplace_back(element.member, element.score);
    return true;
  });
  set->EraseAt(is_lowest ? 0 : size - count, count);
  RETURN_IF_ERROR(CommitRemoval(ctx, key, set, is_lowest ? "zpopmin" : "zpopmax"));
  if (ctx.keys.effects().active()) {
    std::vector<std::string_view> effect = {"ZREM", key.name};
    for (const auto& [member, score] : popped) effect.push_back(member);
    ctx.keys.effects().Add(ctx.keys.database(), effect);
  }
  return popped;
}

// A count of at least `least`; the error text when it is no such number.
FaultOr<std::optional<uint64_t>> TakeCount(CommandContext& ctx, std::string_view text,
                                           int64_t least, std::string_view complaint) {
  const std::optional<int64_t> count = ParseInt64(text);
  if (count && *count >= least) return std::optional<uint64_t>(static_cast<uint64_t>(*count));
  ctx.reply.Error("ERR", complaint);
  return std::optional<uint64_t>();
}

// A flat list, unless the client asked for a count in RESP3: then pairs.
FaultOr<> PopOne(CommandContext& ctx, End end) {
  if (ctx.args.size() > 3) return Fault::kSyntax;
  const bool has_count = ctx.args.size() == 3;
  uint64_t count = 1;
  if (has_count) {
    ASSIGN_OR_RETURN(const std::optional<uint64_t> wanted,
                     TakeCount(ctx, ctx.args[2], 0, "value is out of range, must be positive"));
    if (!wanted) return Ok();
    count = *wanted;
  }
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(SortedSetEdit set, ctx.keys.Edit<SortedSetValue>(key));
  if (set->empty() || count == 0) {
    ctx.reply.Array(0);
    return Ok();
  }
  ASSIGN_OR_RETURN(const Popped popped, Pop(ctx, key, set, end, count));
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
FaultOr<> ZPopMin(CommandContext& ctx) { return PopOne(ctx, End::kLowest); }
FaultOr<> ZPopMax(CommandContext& ctx) { return PopOne(ctx, End::kHighest); }

struct PopRequest {
  size_t keys = 0;
  End end = End::kLowest;
  uint64_t count = 1;
};

// "numkeys key ... MIN | MAX [COUNT n]", from the word `first` on. nullopt after an error reply.
FaultOr<std::optional<PopRequest>> ParsePopRequest(CommandContext& ctx, size_t first) {
  PopRequest request;
  ASSIGN_OR_RETURN(const std::optional<uint64_t> keys,
                   TakeCount(ctx, ctx.args[first], 1, "numkeys should be greater than 0"));
  if (!keys) return std::optional<PopRequest>();
  if (*keys >= ctx.args.size() - first - 1) return Fault::kSyntax;
  request.keys = static_cast<size_t>(*keys);
  const std::span<const std::string_view> words = ctx.args.subspan(first + 1 + request.keys);
  if (EqualsIgnoreCase(words[0], "MAX")) {
    request.end = End::kHighest;
  } else if (!EqualsIgnoreCase(words[0], "MIN")) {
    return Fault::kSyntax;
  }
  if (words.size() == 1) return std::optional(request);
  if (!EqualsIgnoreCase(words[1], "COUNT") || words.size() == 2) return Fault::kSyntax;
  ASSIGN_OR_RETURN(const std::optional<uint64_t> count,
                   TakeCount(ctx, words[2], 1, "count should be greater than 0"));
  if (!count) return std::optional<PopRequest>();
  if (words.size() > 3) return Fault::kSyntax;
  request.count = *count;
  return std::optional(request);
}

// The members of the first key that has some, with its name. False when none has.
FaultOr<bool> PopFirst(CommandContext& ctx, const PopRequest& request) {
  for (const Key& key : ctx.key_list) {
    ASSIGN_OR_RETURN(SortedSetEdit set, ctx.keys.Edit<SortedSetValue>(key));
    if (set->empty()) continue;
    ASSIGN_OR_RETURN(const Popped popped, Pop(ctx, key, set, request.end, request.count));
    ctx.reply.Array(2);
    ctx.reply.Bulk(key.name);
    ctx.reply.Array(popped.size());
    for (const auto& [member, score] : popped) {
      ctx.reply.Array(2);
      ctx.reply.Bulk(member);
      ctx.reply.Double(score);
    }
    return true;
  }
  return false;
}

// ZMPOP numkeys key ... MIN | MAX [COUNT n] -> a key, and members with their scores; or null.
FaultOr<> ZMPop(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const std::optional<PopRequest> request, ParsePopRequest(ctx, 1));
  if (!request) return Ok();
  ASSIGN_OR_RETURN(const bool has_popped, PopFirst(ctx, *request));
  if (!has_popped) ctx.reply.NullArray();
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
