// SPDX-License-Identifier: Apache-2.0
// Union, intersection and difference of sorted sets and sets.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/commands/scored_input.h"

namespace mikura::engine {

enum class SetOperation : uint8_t { kUnion, kIntersection, kDifference };
enum class Aggregate : uint8_t { kSum, kMin, kMax };

struct WeightedInput {
  ScoredInput members;
  double weight = 1;
};

// Members in ascending order; their bytes are those of the inputs.
using ScoredMembers = std::vector<ScoredMember>;

// Cost: O(n log n) over the members of all inputs; over those of the smallest one (intersection),
// or of the first (difference), once for each other input.
ScoredMembers Combine(SetOperation operation, Aggregate aggregate,
                      const std::vector<WeightedInput>& inputs);

// Members of the intersection; counts up to `limit`, or all when that is 0.
uint64_t CountIntersection(const std::vector<WeightedInput>& inputs, uint64_t limit);

}  // namespace mikura::engine
