// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "engine/commands/long_reply.h"
#include "engine/commands/scored_operation.h"

namespace mikura::engine {
namespace {

using collections::SetValue;

// A copy of one input; without both it is empty.
struct InputCopy {
  InputCopy(store::CollectionMemory& memory, const WeightedInput& input) : weight(input.weight) {
    if (const SortedSetValue* const value = input.members.scored()) scored.emplace(memory, *value);
    if (const SetValue* const value = input.members.plain()) plain.emplace(memory, *value);
  }

  std::optional<double> ScoreOf(std::string_view member) const {
    if (scored) return (*scored)->ScoreOf(member);
    if (plain && (*plain)->Contains(member)) return 1;
    return std::nullopt;
  }

  std::optional<OwnCopy<SortedSetValue>> scored;
  std::optional<OwnCopy<SetValue>> plain;
  double weight;
};

// Walks the members of one input.
class InputCursor {
 public:
  explicit InputCursor(const InputCopy& input) {
    if (input.scored) scored_.emplace(**input.scored);
    if (input.plain) plain_.emplace(**input.plain);
  }
  bool at_end() const { return scored_ ? scored_->at_end() : !plain_ || plain_->at_end(); }
  ScoredMember element() const {
    return scored_ ? scored_->element() : ScoredMember{plain_->element(), 1};
  }
  void Next() {
    if (scored_) {
      scored_->Next();
    } else {
      plain_->Next();
    }
  }

 private:
  std::optional<SortedSetValue::Cursor> scored_;
  std::optional<SetValue::Cursor> plain_;
};

// One step looks at one member; when all were looked at, the steps write the result.
class ScoredOperationWalk {
 public:
  static constexpr size_t kSteps = 256;

  // inputs: the smallest first, unless of a difference.
  ScoredOperationWalk(const ScoredReply& request, std::vector<InputCopy> inputs,
                      store::CollectionMemory& memory)
      : request_(request),
        inputs_(std::move(inputs)),
        result_(new SortedSetValue(memory), ReleaseCopy{&memory}) {}

  bool at_end() const { return is_computed_ && left_ == 0; }
  void Step(wire::RespWriter& reply) {
    if (is_computed_) {
      ReplyMember(reply, output_->element(), request_.with_scores);
      output_->Next();
      --left_;
      return;
    }
    if (!cursor_) cursor_.emplace(inputs_[input_]);
    if (!cursor_->at_end()) {
      const ScoredMember element = cursor_->element();
      if (const std::optional<double> total = TotalOf(element)) Take(element.member, *total);
      cursor_->Next();
    } else {
      cursor_.reset();
      ++input_;
      const bool takes_all = request_.operation == SetOperation::kUnion;
      if (!takes_all || input_ == inputs_.size()) is_computed_ = true;
    }
    if (is_computed_) Begin(reply);
  }

 private:
  // Of a member that the current input has and that is new in the result; nullopt for others.
  std::optional<double> TotalOf(const ScoredMember& element) const {
    if (request_.operation == SetOperation::kDifference) {
      const bool is_elsewhere = std::any_of(
          inputs_.begin() + 1, inputs_.end(),
          [&](const InputCopy& input) { return input.ScoreOf(element.member).has_value(); });
      return is_elsewhere ? std::nullopt : std::optional(element.score);
    }
    const bool is_union = request_.operation == SetOperation::kUnion;
    double total = Weighted(element.score, inputs_[input_].weight);
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (i == input_) continue;
      const std::optional<double> score = inputs_[i].ScoreOf(element.member);
      if (is_union && i < input_) {
        if (score) return std::nullopt;
      } else if (score) {
        const double weight = inputs_[i].weight;
        AggregateInto(total, is_union ? Weighted(*score, weight) : *score * weight,
                      request_.aggregate);
      } else if (!is_union) {
        return std::nullopt;
      }
    }
    return total;
  }

  void Take(std::string_view member, double total) {
    ++count_;
    if (request_.counts_only) {
      is_computed_ = count_ == request_.limit;
    } else {
      result_->Set(member, total);
    }
  }

  void Begin(wire::RespWriter& reply) {
    if (request_.counts_only) {
      reply.Integer(static_cast<int64_t>(count_));
      return;
    }
    left_ = result_->size();
    ReplyMemberCount(reply, left_, request_.with_scores);
    output_.emplace(*result_);
  }

  ScoredReply request_;
  std::vector<InputCopy> inputs_;
  std::unique_ptr<SortedSetValue, ReleaseCopy> result_;
  size_t input_ = 0;
  std::optional<InputCursor> cursor_;
  std::optional<SortedSetValue::Cursor> output_;
  uint64_t count_ = 0;
  bool is_computed_ = false;
  uint64_t left_ = 0;
};

}  // namespace

bool ReplyCombinedLater(CommandContext& ctx, const ScoredReply& request,
                        const std::vector<WeightedInput>& inputs) {
  std::vector<const WeightedInput*> sorted;
  for (const WeightedInput& input : inputs) sorted.push_back(&input);
  if (request.operation != SetOperation::kDifference) {
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
      return a->members.size() < b->members.size();
    });
  }
  uint64_t steps = 0;
  for (const WeightedInput* const input : sorted) {
    steps += input->members.size();
    if (request.operation != SetOperation::kUnion) break;
  }
  if (!IsComputedLater(ctx.reply, steps)) return false;
  constexpr uint64_t kMemberBytes = 32;
  store::CollectionMemory& memory = CollectionMemoryOf(ctx.keys);
  std::vector<InputCopy> copies;
  for (const WeightedInput* const input : sorted) copies.emplace_back(memory, *input);
  ReplyComputed(ctx.reply, memory, ScoredOperationWalk(request, std::move(copies), memory), steps,
                request.counts_only ? 0 : kMemberBytes);
  return true;
}

}  // namespace mikura::engine
