// SPDX-License-Identifier: Apache-2.0
// Changes of many elements of one collection (SADD of 100,000 members): made to a copy of it, which
// costs O(1), on another thread, and stored when it is still the one that was copied.
//
//   FaultOr<> SAdd(CommandContext& ctx) {
//     if (HasManyWords(ctx)) [[unlikely]]
//       return EditPrepared<SetValue, int64_t>(ctx, AddMembers, FinishAdd);
//     ASSIGN_OR_RETURN(CollectionEdit<SetValue>&& set, ctx.keys.Edit<SetValue>(ctx.key_list[0]));
//     return FinishAdd(ctx, set, AddMembers(*set, ctx.args, ctx.services.encoding_limits));
//   }
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "engine/commands/preparation.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {

// So many take some milliseconds.
inline bool HasManyWords(const CommandContext& ctx) { return ctx.args.size() > 4096; }

// Changes `value` as the words of the request say. What it keeps of them lives as long as `args`.
template <typename T, typename Outcome>
using ChangeOf = std::function<Outcome(T& value, std::span<const std::string_view> args,
                                       const EncodingLimits& limits)>;

template <typename T, typename Outcome>
struct PreparedEdit final : Preparation {
  using Preparation::Preparation;
  void Compute() override {
    if (const T* const before = held(0).template As<T>()) {
      value.emplace(*before);
    } else {
      value.emplace(*memory);
    }
    outcome.emplace(change(*value, words(), *limits));
  }

  ChangeOf<T, Outcome> change;
  collections::NodeMemory* memory = nullptr;
  const EncodingLimits* limits = nullptr;
  std::optional<T> value;
  std::optional<Outcome> outcome;
};

// Lets `change` change the collection of the row's key, and then finish(ctx, edit, outcome) do what
// is to be done under the lock: commit, log, reply. Errors: kWrongType, those of `finish`.
template <typename T, typename Outcome, typename Finish>
FaultOr<> EditPrepared(CommandContext& ctx, const ChangeOf<T, Outcome>& change,
                       const Finish& finish) {
  const Key& key = ctx.key_list[0];
  const EncodingLimits& limits = ctx.services.encoding_limits;
  RETURN_IF_ERROR(ctx.keys.View<T>(key));
  const auto prepared = Prepare<PreparedEdit<T, Outcome>>(ctx, [&](auto& next) {
    next.change = change;
    next.memory = &ctx.keys.node_memory();
    next.limits = &limits;
    next.Hold(ctx, 0);
  });
  if (ctx.outcome == RunOutcome::kPreparing) return Ok();
  if (prepared) {
    CollectionEdit<T> edit(ctx.keys, key, std::move(*prepared->value));
    return finish(ctx, edit, std::move(*prepared->outcome));
  }
  ASSIGN_OR_RETURN(CollectionEdit<T> && edit, ctx.keys.Edit<T>(key));
  return finish(ctx, edit, change(*edit, ctx.args, limits));
}

}  // namespace mikura::engine
