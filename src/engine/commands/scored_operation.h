// SPDX-License-Identifier: Apache-2.0
// Union, intersection and difference of sorted sets and sets.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/commands/scored_input.h"

namespace mikura::engine {

enum class SetOperation : uint8_t { kUnion, kIntersection, kDifference };
enum class Aggregate : uint8_t { kSum, kMin, kMax };

// The parts of a total: a score with its weight, and a further score.
double Weighted(double score, double weight);
void AggregateInto(double& total, double score, Aggregate aggregate);

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

// What ZUNION, ZINTER, ZDIFF and ZINTERCARD reply with.
struct ScoredReply {
  SetOperation operation = SetOperation::kUnion;
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  bool counts_only = false;  // replies with the number of members
  uint64_t limit = 0;        // of the number; 0: none
};
// Computes the reply from copies of the inputs, piece by piece, while the keys are free for others.
// False when it is better made at once.
bool ReplyCombinedLater(CommandContext& ctx, const ScoredReply& request,
                        const std::vector<WeightedInput>& inputs);

// Members of the intersection; counts up to `limit`, or all when that is 0.
uint64_t CountIntersection(const std::vector<WeightedInput>& inputs, uint64_t limit);

}  // namespace mikura::engine
