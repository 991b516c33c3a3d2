// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/scored_operation.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace mikura::engine {

// 0 times infinity counts as 0.
double Weighted(double score, double weight) {
  const double product = score * weight;
  return std::isnan(product) ? 0 : product;
}

void AggregateInto(double& total, double score, Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::kSum:
      total += score;
      if (std::isnan(total)) total = 0;  // infinities of both signs
      break;
    case Aggregate::kMin:
      if (score < total) total = score;
      break;
    case Aggregate::kMax:
      if (score > total) total = score;
      break;
  }
}

namespace {

using Inputs = std::vector<const WeightedInput*>;

// The smallest first: the order in which sums are built up, which their last digits depend on.
Inputs SortedBySize(const std::vector<WeightedInput>& inputs) {
  Inputs sorted;
  for (const WeightedInput& input : inputs) sorted.push_back(&input);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    return a->members.size() < b->members.size();
  });
  return sorted;
}

ScoredMembers Union(const Inputs& inputs, Aggregate aggregate) {
  std::unordered_map<std::string_view, double> totals;
  for (const WeightedInput* const input : inputs) {
    input->members.VisitAll([&](const ScoredMember& element) {
      const double score = Weighted(element.score, input->weight);
      const auto [place, is_new] = totals.try_emplace(element.member, score);
      if (!is_new) AggregateInto(place->second, score, aggregate);
      return true;
    });
  }
  ScoredMembers result;
  result.reserve(totals.size());
  for (const auto& [member, score] : totals) result.push_back({member, score});
  return result;
}

// Calls visit(member, total) for members of all inputs while it returns true.
template <typename Visit>
void VisitIntersection(const Inputs& inputs, Aggregate aggregate, const Visit& visit) {
  inputs[0]->members.VisitAll([&](const ScoredMember& element) {
    double total = Weighted(element.score, inputs[0]->weight);
    for (size_t i = 1; i < inputs.size(); ++i) {
      const std::optional<double> score = inputs[i]->members.ScoreOf(element.member);
      if (!score) return true;
      AggregateInto(total, *score * inputs[i]->weight, aggregate);
    }
    return visit(element.member, total);
  });
}

ScoredMembers Difference(const std::vector<WeightedInput>& inputs) {
  ScoredMembers result;
  inputs[0].members.VisitAll([&](const ScoredMember& element) {
    const bool is_elsewhere =
        std::any_of(inputs.begin() + 1, inputs.end(), [&](const WeightedInput& input) {
          return input.members.ScoreOf(element.member).has_value();
        });
    if (!is_elsewhere) result.push_back(element);
    return true;
  });
  return result;
}

}  // namespace

ScoredMembers Combine(SetOperation operation, Aggregate aggregate,
                      const std::vector<WeightedInput>& inputs) {
  ScoredMembers result;
  if (operation == SetOperation::kDifference) {
    result = Difference(inputs);
  } else if (operation == SetOperation::kUnion) {
    result = Union(SortedBySize(inputs), aggregate);
  } else {
    VisitIntersection(SortedBySize(inputs), aggregate, [&](std::string_view member, double total) {
      result.push_back({member, total});
      return true;
    });
  }
  std::sort(result.begin(), result.end(), IsBefore);
  return result;
}

uint64_t CountIntersection(const std::vector<WeightedInput>& inputs, uint64_t limit) {
  uint64_t count = 0;
  VisitIntersection(SortedBySize(inputs), Aggregate::kSum,
                    [&](std::string_view, double) { return ++count != limit; });
  return count;
}

}  // namespace mikura::engine
