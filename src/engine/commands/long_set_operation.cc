// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/long_set_operation.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "engine/commands/long_reply.h"

namespace mikura::engine {
namespace {

using collections::SetValue;
using Inputs = std::vector<OwnCopy<SetValue>>;

// One step looks at one member; when all were looked at, the steps write the result.
class SetOperationWalk {
 public:
  static constexpr size_t kSteps = 512;

  // inputs: the smallest first, of an intersection.
  SetOperationWalk(const LongSetOperation& request, Inputs inputs, store::CollectionMemory& memory,
                   const EncodingLimits& limits)
      : request_(request),
        inputs_(std::move(inputs)),
        result_(new SetValue(memory), ReleaseCopy{&memory}),
        limits_(limits) {}

  bool at_end() const { return is_computed_ && left_ == 0; }
  void Step(wire::RespWriter& reply) {
    if (!cursor_) cursor_.emplace(*inputs_[input_]);
    if (is_computed_) {
      reply.Bulk(cursor_->element());
      cursor_->Next();
      --left_;
    } else if (!cursor_->at_end()) {
      if (Belongs(cursor_->element())) Take(cursor_->element());
      cursor_->Next();
    } else {
      NextInput();
    }
    if (is_computed_ && !is_begun_) Begin(reply);
  }

 private:
  // Whether the member of the input is a new one of the result.
  bool Belongs(std::string_view member) const {
    const auto contains = [&](const auto& input) { return input->Contains(member); };
    switch (request_.operation) {
      case PlainSetOperation::kIntersection:
        return std::all_of(inputs_.begin() + 1, inputs_.end(), contains);
      case PlainSetOperation::kDifference:
        return std::none_of(inputs_.begin() + 1, inputs_.end(), contains);
      case PlainSetOperation::kUnion:
        return std::none_of(inputs_.begin(), inputs_.begin() + input_, contains);
    }
    return false;
  }

  void Take(std::string_view member) {
    ++count_;
    if (request_.counts_only) {
      is_computed_ = count_ == request_.limit;
      return;
    }
    result_->Add(member);
    const auto integers_max =
        static_cast<uint64_t>(limits_.set_integers.load(std::memory_order_relaxed));
    if (result_->is_intset() && result_->size() > integers_max) result_->BecomeHashtable();
  }

  void NextInput() {
    cursor_.reset();
    const bool takes_all = request_.operation == PlainSetOperation::kUnion;
    if (!takes_all || static_cast<size_t>(++input_) == inputs_.size()) is_computed_ = true;
  }

  void Begin(wire::RespWriter& reply) {
    is_begun_ = true;
    if (request_.counts_only) {
      reply.Integer(static_cast<int64_t>(count_));
      return;
    }
    left_ = result_->size();
    reply.Set(left_);
    cursor_.emplace(*result_);
  }

  LongSetOperation request_;
  Inputs inputs_;
  std::unique_ptr<SetValue, ReleaseCopy> result_;
  const EncodingLimits& limits_;
  ptrdiff_t input_ = 0;
  std::optional<SetValue::Cursor> cursor_;
  uint64_t count_ = 0;
  bool is_computed_ = false;
  bool is_begun_ = false;
  uint64_t left_ = 0;
};

}  // namespace

bool ReplySetOperationLater(CommandContext& ctx, const LongSetOperation& request,
                            const std::vector<CollectionView<SetValue>>& sets) {
  const bool is_intersection = request.operation == PlainSetOperation::kIntersection;
  std::vector<const SetValue*> inputs;
  uint64_t steps = 0;
  for (const auto& set : sets) {
    if (set) inputs.push_back(&*set);
    if (!set && (is_intersection || inputs.empty())) return false;
  }
  std::stable_sort(inputs.begin(), inputs.begin() + (is_intersection ? sets.size() : 0),
                   [](const SetValue* a, const SetValue* b) { return a->size() < b->size(); });
  for (const SetValue* const input : inputs) {
    steps += input->size();
    if (request.operation != PlainSetOperation::kUnion) break;
  }
  if (!IsComputedLater(ctx.reply, steps)) return false;
  store::CollectionMemory& memory = CollectionMemoryOf(ctx.keys);
  Inputs copies;
  for (const SetValue* const input : inputs) copies.emplace_back(memory, *input);
  const uint64_t member_bytes = inputs[0]->memory_bytes() / inputs[0]->size();
  ReplyComputed(ctx.reply, memory,
                SetOperationWalk(request, std::move(copies), memory, ctx.services.encoding_limits),
                steps, request.counts_only ? 0 : member_bytes);
  return true;
}

}  // namespace mikura::engine
