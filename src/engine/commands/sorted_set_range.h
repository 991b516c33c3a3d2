// SPDX-License-Identifier: Apache-2.0
// Ranges of a sorted set: by rank, by score, by member.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/commands/sorted_set_support.h"

namespace mikura::engine {

// Members from a rank on, upwards.
struct RankRange {
  uint64_t first = 0;
  uint64_t count = 0;

  uint64_t end() const { return first + count; }
};

// Ranks; negative ones count from the end.
struct RankBounds {
  int64_t first = 0;
  int64_t last = 0;
};

struct ScoreBound {
  double score = 0;
  bool excludes = false;  // "(" in front
};
struct ScoreBounds {
  ScoreBound min;
  ScoreBound max;
};

struct LexBound {
  enum class Kind : uint8_t { kLowest, kHighest, kMember };
  Kind kind = Kind::kMember;
  std::string_view member;
  bool excludes = false;  // "(" in front rather than "["
};
struct LexBounds {
  LexBound min;
  LexBound max;
};

// Errors: kNotAnInteger; kNotAScoreRange; kNotALexRange.
FaultOr<RankBounds> ParseRankBounds(std::string_view first, std::string_view last);
FaultOr<ScoreBounds> ParseScoreBounds(std::string_view min, std::string_view max);
FaultOr<LexBounds> ParseLexBounds(std::string_view min, std::string_view max);

// The members within bounds. Cost O(log n).
RankRange RangeOf(const SortedSetValue& set, const RankBounds& bounds);
RankRange RangeOf(const SortedSetValue& set, const ScoreBounds& bounds);
// The scores are all equal; otherwise see SortedSetValue::CountBefore().
RankRange RangeOf(const SortedSetValue& set, const LexBounds& bounds);

}  // namespace mikura::engine
