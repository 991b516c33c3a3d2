// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/sorted_set_support.h"

#include <algorithm>
#include <utility>

namespace mikura::engine {
namespace {

// A listpack does not keep the sign of a zero.
double WithoutZeroSign(double score) { return score == 0 ? 0 : score; }

bool IsBeyondListpack(const EncodingLimits& limits, std::span<const ScoredMember> members) {
  const auto bytes_max = limits.zset_value_bytes.load(std::memory_order_relaxed);
  return static_cast<int64_t>(members.size()) >
             limits.zset_entries.load(std::memory_order_relaxed) ||
         std::any_of(members.begin(), members.end(), [&](const ScoredMember& element) {
           return static_cast<int64_t>(element.member.size()) > bytes_max;
         });
}

}  // namespace

SortedSetValue::Change PutMember(SortedSetValue& set, const EncodingLimits& limits,
                                 std::string_view member, double score) {
  if (set.is_skiplist()) return set.Set(member, score);
  const auto entries_max = limits.zset_entries.load(std::memory_order_relaxed);
  const auto bytes_max = limits.zset_value_bytes.load(std::memory_order_relaxed);
  const bool is_beyond = static_cast<int64_t>(set.size()) >= entries_max ||
                         static_cast<int64_t>(member.size()) > bytes_max;
  if (is_beyond && !set.ScoreOf(member)) {
    set.set_is_skiplist();
  } else {
    score = WithoutZeroSign(score);
  }
  return set.Set(member, score);
}

SortedSetValue MakeSortedSet(collections::NodeMemory& memory, const EncodingLimits& limits,
                             std::vector<ScoredMember> members) {
  const bool is_skiplist = IsBeyondListpack(limits, members);
  if (!is_skiplist) {
    for (ScoredMember& element : members) element.score = WithoutZeroSign(element.score);
  }
  std::sort(members.begin(), members.end(), IsBefore);
  SortedSetValue set(memory, members);
  if (is_skiplist) set.set_is_skiplist();
  return set;
}

FaultOr<> CommitRemoval(KeyAccess& keys, const Key& key, SortedSetEdit& set,
                        std::string_view event) {
  ASSIGN_OR_RETURN(const bool is_gone, set.Commit());
  keys.Notify(EventClass::kSortedSet, event, key);
  if (is_gone) keys.Notify(EventClass::kGeneric, "del", key);
  return Ok();
}

FaultOr<> StoreSortedSet(CommandContext& ctx, const Key& key, SortedSetValue result,
                         std::string_view event) {
  const uint64_t size = result.size();
  ASSIGN_OR_RETURN(const bool is_gone, ctx.keys.StoreCollection(key, std::move(result)));
  if (size > 0) {
    ctx.keys.Notify(EventClass::kSortedSet, event, key);
    ctx.keys.effects().Add(ctx.keys.database(), ctx.args);
  } else if (is_gone) {
    ctx.keys.Notify(EventClass::kGeneric, "del", key);
    AddEffect(ctx, {"DEL", key.name});
  }
  ctx.reply.Integer(static_cast<int64_t>(size));
  return Ok();
}

void ReplyMemberCount(wire::RespWriter& reply, uint64_t members, bool with_scores) {
  const bool is_flat = with_scores && reply.version() == 2;
  reply.Array(static_cast<size_t>(is_flat ? members * 2 : members));
}

void ReplyMember(wire::RespWriter& reply, const ScoredMember& element, bool with_scores) {
  if (with_scores && reply.version() > 2) reply.Array(2);
  reply.Bulk(element.member);
  if (with_scores) reply.Double(element.score);
}

}  // namespace mikura::engine
