// SPDX-License-Identifier: Apache-2.0
// What ZUNION, ZINTER and ZDIFF take: sorted sets, and sets, whose members all count as 1.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "engine/commands/set_support.h"
#include "engine/commands/sorted_set_support.h"

namespace mikura::engine {

class ScoredInput {
 public:
  // An absent key is an empty input. Errors: kWrongType.
  static FaultOr<ScoredInput> Open(CommandContext& ctx, const Key& key);

  // Of a sorted set or a set that is kept elsewhere; null: an empty input.
  explicit ScoredInput(const collections::Collection* kept);

  uint64_t size() const;
  // Cost: O(log n).
  std::optional<double> ScoreOf(std::string_view member) const;
  // What it is: one of these, or nothing.
  const SortedSetValue* scored() const {
    const auto* const view = std::get_if<SortedSetView>(&members_);
    return view == nullptr ? nullptr : &**view;
  }
  const collections::SetValue* plain() const {
    const auto* const view = std::get_if<SetView>(&members_);
    return view == nullptr ? nullptr : &**view;
  }
  // Calls visit(element) for all members while it returns true.
  template <typename Visit>
  void VisitAll(const Visit& visit) const;

 private:
  ScoredInput() = default;

  std::variant<std::monostate, SortedSetView, SetView> members_;
};

template <typename Visit>
void ScoredInput::VisitAll(const Visit& visit) const {
  if (const auto* const scored = std::get_if<SortedSetView>(&members_)) {
    (*scored)->VisitRange(0, (*scored)->size(), false, visit);
  } else if (const auto* const plain = std::get_if<SetView>(&members_)) {
    for (collections::SetValue::Cursor c(**plain); !c.at_end(); c.Next()) {
      if (!visit(ScoredMember{c.element(), 1})) return;
    }
  }
}

}  // namespace mikura::engine
