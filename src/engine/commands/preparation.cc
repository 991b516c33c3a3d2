// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/preparation.h"

#include <algorithm>

namespace mikura::engine {

Preparation::Preparation(const CommandContext& ctx)
    : spec_(&ctx.spec), database_(ctx.keys.database()) {
  size_t size = 0;
  for (const std::string_view word : ctx.args) size += word.size();
  bytes_.reserve(size);  // the views below are on it
  words_.reserve(ctx.args.size());
  for (const std::string_view word : ctx.args) {
    const size_t begin = bytes_.size();
    bytes_ += word;
    words_.push_back(std::string_view(bytes_).substr(begin));
  }
}

const HeldValue& Preparation::Hold(CommandContext& ctx, size_t index) {
  return inputs_
      .emplace_back(index, CollectionMemoryOf(ctx.keys), ctx.keys.Peek(ctx.key_list[index]))
      .value;
}

bool Preparation::IsFor(const CommandContext& ctx) const {
  return is_done() && spec_ == &ctx.spec && database_ == ctx.keys.database() &&
         std::equal(words_.begin(), words_.end(), ctx.args.begin(), ctx.args.end());
}

bool Preparation::IsCurrent(CommandContext& ctx) const {
  return std::all_of(inputs_.begin(), inputs_.end(), [&](const Input& input) {
    return input.value.IsStill(ctx.keys.Peek(ctx.key_list[input.index]));
  });
}

std::shared_ptr<Preparation> TakePreparation(CommandContext& ctx) {
  std::shared_ptr<Preparation> taken = ctx.client.preparation.shared();
  ctx.client.preparation.reset();
  if (taken == nullptr || taken->IsFor(ctx)) return taken;
  taken->Abandon();
  return nullptr;
}

void Begin(CommandContext& ctx, std::shared_ptr<Preparation> preparation) {
  ctx.outcome = RunOutcome::kPreparing;
  ctx.client.preparation.set(preparation);
  ctx.services.computations->Start(std::move(preparation), ctx.client.id);
}

}  // namespace mikura::engine
