// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/sorted_set_range.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

namespace mikura::engine {
namespace {

// As strtod reads it, which here means: blanks in front, nothing at all, and too large are fine.
FaultOr<ScoreBound> ParseScoreBound(std::string_view text) {
  ScoreBound bound;
  bound.excludes = text.starts_with('(');
  const std::string number(text.substr(bound.excludes ? 1 : 0));
  char* stop = nullptr;
  bound.score = std::strtod(number.c_str(), &stop);
  if (*stop != '\0' || std::isnan(bound.score)) return Fault::kNotAScoreRange;
  return bound;
}

FaultOr<LexBound> ParseLexBound(std::string_view text) {
  if (text == "-") return LexBound{.kind = LexBound::Kind::kLowest};
  if (text == "+") return LexBound{.kind = LexBound::Kind::kHighest};
  if (!text.starts_with('[') && !text.starts_with('(')) return Fault::kNotALexRange;
  return LexBound{.member = text.substr(1), .excludes = text[0] == '('};
}

// Members below a bound; or_equal: or at it.
uint64_t CountBelow(const SortedSetValue& set, const LexBound& bound, bool or_equal) {
  switch (bound.kind) {
    case LexBound::Kind::kLowest:
      return 0;
    case LexBound::Kind::kHighest:
      return set.size();
    case LexBound::Kind::kMember:
      break;
  }
  return set.CountBefore(bound.member, or_equal);
}

RankRange Between(uint64_t first, uint64_t end) { return {first, end > first ? end - first : 0}; }

}  // namespace

FaultOr<RankBounds> ParseRankBounds(std::string_view first, std::string_view last) {
  RankBounds bounds;
  ASSIGN_OR_RETURN(bounds.first, ToInteger(first));
  ASSIGN_OR_RETURN(bounds.last, ToInteger(last));
  return bounds;
}

FaultOr<ScoreBounds> ParseScoreBounds(std::string_view min, std::string_view max) {
  ScoreBounds bounds;
  ASSIGN_OR_RETURN(bounds.min, ParseScoreBound(min));
  ASSIGN_OR_RETURN(bounds.max, ParseScoreBound(max));
  return bounds;
}

FaultOr<LexBounds> ParseLexBounds(std::string_view min, std::string_view max) {
  LexBounds bounds;
  ASSIGN_OR_RETURN(bounds.min, ParseLexBound(min));
  ASSIGN_OR_RETURN(bounds.max, ParseLexBound(max));
  return bounds;
}

RankRange RangeOf(const SortedSetValue& set, const RankBounds& bounds) {
  const auto size = static_cast<int64_t>(set.size());
  const int64_t first = std::max<int64_t>(bounds.first < 0 ? bounds.first + size : bounds.first, 0);
  const int64_t last = std::min(bounds.last < 0 ? bounds.last + size : bounds.last, size - 1);
  if (first > last) return {};
  return {static_cast<uint64_t>(first), static_cast<uint64_t>(last - first + 1)};
}

RankRange RangeOf(const SortedSetValue& set, const ScoreBounds& bounds) {
  return Between(set.CountBelow(bounds.min.score, bounds.min.excludes),
                 set.CountBelow(bounds.max.score, !bounds.max.excludes));
}

RankRange RangeOf(const SortedSetValue& set, const LexBounds& bounds) {
  return Between(CountBelow(set, bounds.min, bounds.min.excludes),
                 CountBelow(set, bounds.max, !bounds.max.excludes));
}

}  // namespace mikura::engine
