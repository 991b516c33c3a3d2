// SPDX-License-Identifier: Apache-2.0
// How a command that changes something, and has much to compute for it, keeps its shards for a
// moment only.
//
// P1. Its handler takes the values that it reads (held_value.h), leaves the computation to another
//     thread, and changes nothing. Its session is suspended; the keys are free for others.
// P2. When that is done the request runs again from its bytes, with all checks, as if it came now.
// P3. What was computed is used only if every value is still the one it was computed from, which is
//     known with the shards locked: then it is what the handler would compute there and then. So
//     the command happens at one moment, as any other, with its effects and events at their places;
//     who comes in between has come before it, whole.
// P4. Otherwise it is prepared again, and when that has failed some times, it computes under the
//     locks: commands that change the same keys without pause do not hold it up for ever.
//
//   struct Store final : Preparation {
//     using Preparation::Preparation;
//     void Compute() override { result.emplace(Union(inputs...)); }
//     std::optional<SetValue> result;
//   };
//
//   const auto prepared = Prepare<Store>(ctx, [&](Store& store) { store.Hold(ctx, 1); });
//   if (ctx.outcome == RunOutcome::kPreparing) return Ok();
//   SetValue result = prepared ? std::move(*prepared->result) : Union(...);
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/commands/computation.h"
#include "engine/commands/held_value.h"

namespace mikura::engine {

// What is done at once: so many elements, which takes some milliseconds at most.
inline constexpr uint64_t kComputedAtOnce = 4096;

class Preparation : public Computation {
 public:
  // Of the request that runs: copies its words.
  explicit Preparation(const CommandContext& ctx);

  // Takes the value of ctx.key_list[index]. Its shard is locked.
  const HeldValue& Hold(CommandContext& ctx, size_t index);
  const HeldValue& held(size_t place) const { return inputs_[place].value; }
  size_t held_count() const { return inputs_.size(); }
  // The request's.
  const std::vector<std::string_view>& words() const { return words_; }

  // Whether it is done, for this very request.
  bool IsFor(const CommandContext& ctx) const;
  // Whether what it computed holds now. The shards of all keys are locked.
  bool IsCurrent(CommandContext& ctx) const;

 private:
  template <typename P, typename Fill>
  friend std::shared_ptr<P> Prepare(CommandContext& ctx, const Fill& fill);

  struct Input {
    Input(size_t key_index, store::CollectionMemory& memory, const store::Found& found)
        : index(key_index), value(memory, found) {}
    size_t index;
    HeldValue value;
  };

  const CommandSpec* const spec_;
  const int database_;
  std::string bytes_;  // of the words
  std::vector<std::string_view> words_;
  std::deque<Input> inputs_;
  int tries_ = 1;
};

// The client's one, which is its no more. Null when it is not done or not for this request.
std::shared_ptr<Preparation> TakePreparation(CommandContext& ctx);
// Suspends the client's session until `preparation` is done; sets ctx.outcome.
void Begin(CommandContext& ctx, std::shared_ptr<Preparation> preparation);

// What was prepared for this request; or null. Then it was begun, if ctx.outcome says so, with what
// `fill` has put into it, and the handler returns; if not, it computes by itself.
template <typename P, typename Fill>
std::shared_ptr<P> Prepare(CommandContext& ctx, const Fill& fill) {
  constexpr int kTriesMax = 4;
  if (!ctx.may_wait || ctx.services.computations == nullptr) return nullptr;
  int tries = 1;
  if (std::shared_ptr<Preparation> before = TakePreparation(ctx)) {
    if (before->IsCurrent(ctx)) return std::static_pointer_cast<P>(std::move(before));
    tries = before->tries_ + 1;
    if (tries > kTriesMax) return nullptr;
  }
  auto next = std::make_shared<P>(ctx);
  next->tries_ = tries;
  fill(*next);
  Begin(ctx, std::move(next));
  return nullptr;
}

}  // namespace mikura::engine
