// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/scored_input.h"

namespace mikura::engine {

FaultOr<ScoredInput> ScoredInput::Open(CommandContext& ctx, const Key& key) {
  ScoredInput input;
  const store::Found found = ctx.keys.Find(key);
  if (!found) return input;
  if (found.entry.type() == store::ValueType::kSortedSet) {
    input.members_.emplace<SortedSetView>(ctx.keys.node_memory(), found.entry);
  } else if (found.entry.type() == store::ValueType::kSet) {
    input.members_.emplace<SetView>(ctx.keys.node_memory(), found.entry);
  } else {
    return Fault::kWrongType;
  }
  return input;
}

ScoredInput::ScoredInput(const collections::Collection* kept) {
  if (kept == nullptr) return;
  if (kept->type() == collections::CollectionType::kSortedSet) {
    members_.emplace<SortedSetView>(static_cast<const SortedSetValue&>(*kept));
  } else {
    members_.emplace<SetView>(static_cast<const collections::SetValue&>(*kept));
  }
}

uint64_t ScoredInput::size() const {
  if (const auto* const scored = std::get_if<SortedSetView>(&members_)) return (*scored)->size();
  if (const auto* const plain = std::get_if<SetView>(&members_)) return (*plain)->size();
  return 0;
}

std::optional<double> ScoredInput::ScoreOf(std::string_view member) const {
  if (const auto* const scored = std::get_if<SortedSetView>(&members_)) {
    return (*scored)->ScoreOf(member);
  }
  const auto* const plain = std::get_if<SetView>(&members_);
  if (plain != nullptr && (*plain)->Contains(member)) return 1;
  return std::nullopt;
}

}  // namespace mikura::engine
