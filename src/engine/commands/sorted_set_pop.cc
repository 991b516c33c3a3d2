// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/sorted_set_pop.h"

#include <algorithm>

namespace mikura::engine {

FaultOr<> EraseFromEnd(KeyAccess& keys, const Key& key, SortedSetEdit& set, ScoreEnd end,
                       uint64_t count) {
  set->EraseAt(end == ScoreEnd::kLowest ? 0 : set->size() - count, count);
  return CommitPop(keys, key, set, end, count);
}

FaultOr<> CommitPop(KeyAccess& keys, const Key& key, SortedSetEdit& set, ScoreEnd end,
                    uint64_t count) {
  const bool is_lowest = end == ScoreEnd::kLowest;
  RETURN_IF_ERROR(CommitRemoval(keys, key, set, is_lowest ? "zpopmin" : "zpopmax"));
  keys.effects().Add(keys.database(), {is_lowest ? "ZPOPMIN" : "ZPOPMAX", key.name,
                                       NumberText(static_cast<int64_t>(count))});
  return Ok();
}

FaultOr<PoppedMembers> PopMembers(KeyAccess& keys, const Key& key, SortedSetEdit& set, ScoreEnd end,
                                  uint64_t count) {
  const bool is_lowest = end == ScoreEnd::kLowest;
  const uint64_t size = set->size();
  count = std::min(count, size);
  PoppedMembers popped;
  popped.reserve(static_cast<size_t>(count));
  set->VisitRange(is_lowest ? 0 : size - 1, count, !is_lowest, [&](const ScoredMember& element) {
    popped.emplace_back(element.member, element.score);
    return true;
  });
  RETURN_IF_ERROR(EraseFromEnd(keys, key, set, end, count));
  return popped;
}

std::optional<uint64_t> TakeCountFrom(CommandContext& ctx, std::string_view text, int64_t least,
                                      std::string_view complaint) {
  const std::optional<int64_t> count = ParseInt64(text);
  if (count && *count >= least) return static_cast<uint64_t>(*count);
  ctx.reply.Error("ERR", complaint);
  return std::nullopt;
}

FaultOr<std::optional<ScorePopOptions>> ParseScorePopOptions(CommandContext& ctx, size_t first) {
  constexpr std::optional<ScorePopOptions> kAnswered;
  const std::optional<uint64_t> keys =
      TakeCountFrom(ctx, ctx.args[first], 1, "numkeys should be greater than 0");
  if (!keys) return kAnswered;
  if (*keys >= ctx.args.size() - first - 1) return Fault::kSyntax;
  const auto words = ctx.args.subspan(first + 1 + static_cast<size_t>(*keys));
  ScorePopOptions options;
  if (EqualsIgnoreCase(words[0], "MAX")) {
    options.end = ScoreEnd::kHighest;
  } else if (!EqualsIgnoreCase(words[0], "MIN")) {
    return Fault::kSyntax;
  }
  if (words.size() == 1) return std::optional(options);
  if (!EqualsIgnoreCase(words[1], "COUNT") || words.size() == 2) return Fault::kSyntax;
  const std::optional<uint64_t> count =
      TakeCountFrom(ctx, words[2], 1, "count should be greater than 0");
  if (!count) return kAnswered;
  if (words.size() > 3) return Fault::kSyntax;
  options.count = *count;
  return std::optional(options);
}

FaultOr<> PopWithName(KeyAccess& keys, wire::RespWriter& reply, const Key& key, SortedSetEdit& set,
                      const ScorePopOptions& options) {
  ASSIGN_OR_RETURN(const PoppedMembers popped,
                   PopMembers(keys, key, set, options.end, options.count));
  reply.Array(2);
  reply.Bulk(key.name);
  reply.Array(popped.size());
  for (const auto& [member, score] : popped) {
    reply.Array(2);
    reply.Bulk(member);
    reply.Double(score);
  }
  return Ok();
}

}  // namespace mikura::engine
