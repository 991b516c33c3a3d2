// SPDX-License-Identifier: Apache-2.0
// What the sorted set and geo commands share.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/collections/sorted_set_value.h"
#include "engine/commands/command_support.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {

using collections::SortedSetValue;
using SortedSetView = CollectionView<SortedSetValue>;
using SortedSetEdit = CollectionEdit<SortedSetValue>;
using ScoredMember = SortedSetValue::Element;

// A score, as clients write them: infinities are some, NaN is none.
inline FaultOr<double> ToScore(std::string_view text) {
  const std::optional<double> score = ParseDouble(text);
  if (!score) return Fault::kNotAFloat;
  return *score;
}

// The text of a score, on the stack.
class ScoreText {
 public:
  explicit ScoreText(double score) : size_(FormatDouble17(score, text_)) {}
  operator std::string_view() const { return {text_, size_}; }  // NOLINT(*-explicit-*)

 private:
  char text_[kDoubleTextMax];
  size_t size_;
};

// The order of a sorted set.
inline bool IsBefore(const ScoredMember& a, const ScoredMember& b) {
  return a.score != b.score ? a.score < b.score : a.member < b.member;
}

// Sets a member's score, and what OBJECT ENCODING says after it. `member` lies outside the set.
SortedSetValue::Change PutMember(SortedSetValue& set, const EncodingLimits& limits,
                                 std::string_view member, double score);

// A sorted set of these members, each of which is there once.
SortedSetValue MakeSortedSet(collections::NodeMemory& memory, const EncodingLimits& limits,
                             std::vector<ScoredMember> members);
inline SortedSetValue MakeSortedSet(CommandContext& ctx, std::vector<ScoredMember> members) {
  return MakeSortedSet(ctx.keys.node_memory(), ctx.services.encoding_limits, std::move(members));
}

// Stores what a command removed from `set`: its event, and "del" when the key went.
FaultOr<> CommitRemoval(KeyAccess& keys, const Key& key, SortedSetEdit& set,
                        std::string_view event);

// Replaces what is under `key` by the result of a command, or removes it when that is empty;
// replies with the size. The effect is the command as it came: same data, same result.
FaultOr<> StoreSortedSet(CommandContext& ctx, const Key& key, SortedSetValue result,
                         std::string_view event);

// ---- Replies of members, which with their scores are pairs in RESP3, and a flat list in RESP2.
void ReplyMemberCount(wire::RespWriter& reply, uint64_t members, bool with_scores);
void ReplyMember(wire::RespWriter& reply, const ScoredMember& element, bool with_scores);

// The same as something that walks can call.
struct MemberWriter {
  bool with_scores;
  void operator()(wire::RespWriter& reply, const SortedSetValue::Cursor& cursor) const {
    ReplyMember(reply, cursor.element(), with_scores);
  }
};

}  // namespace mikura::engine
