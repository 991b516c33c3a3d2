// SPDX-License-Identifier: Apache-2.0
// Commands that combine several sorted sets, and sets.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/preparation.h"
#include "engine/commands/scored_operation.h"

namespace mikura::engine {
namespace {

struct OperationRequest {
  std::vector<WeightedInput> inputs;
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  uint64_t limit = 0;  // 0: none
};

// Which options a command takes.
struct OperationForm {
  bool stores = false;
  bool takes_weights = false;  // and AGGREGATE
  bool takes_limit = false;
};

// Opens the inputs behind the number at word `number_at`; returns how many. 0 after an error reply.
FaultOr<size_t> OpenInputs(CommandContext& ctx, size_t number_at, OperationRequest& request) {
  ASSIGN_OR_RETURN(const int64_t number, ToInteger(ctx.args[number_at]));
  if (number < 1) {
    ctx.reply.Error("ERR",
                    "at least 1 input key is needed for '" + FullName(ctx.spec) + "' command");
    return size_t{0};
  }
  if (static_cast<uint64_t>(number) > ctx.args.size() - number_at - 1) return Fault::kSyntax;
  for (const Key& key : ctx.key_list.last(static_cast<size_t>(number))) {
    ASSIGN_OR_RETURN(ScoredInput members, ScoredInput::Open(ctx, key));
    request.inputs.push_back({std::move(members)});
  }
  return static_cast<size_t>(number);
}

FaultOr<Aggregate> ParseAggregate(std::string_view word) {
  if (EqualsIgnoreCase(word, "SUM")) return Aggregate::kSum;
  if (EqualsIgnoreCase(word, "MIN")) return Aggregate::kMin;
  if (EqualsIgnoreCase(word, "MAX")) return Aggregate::kMax;
  return Fault::kSyntax;
}

// Takes one option off the front. False after an error reply.
FaultOr<bool> TakeOption(CommandContext& ctx, const OperationForm& form,
                         std::span<const std::string_view>& words, OperationRequest& request) {
  const size_t inputs = request.inputs.size();
  size_t taken = 2;
  if (form.takes_weights && words.size() > inputs && EqualsIgnoreCase(words[0], "WEIGHTS")) {
    for (size_t i = 0; i < inputs; ++i) {
      const std::optional<double> weight = ParseDouble(words[i + 1]);
      if (!weight) {
        ctx.reply.Error("ERR", "weight value is not a float");
        return false;
      }
      request.inputs[i].weight = *weight;
    }
    taken = inputs + 1;
  } else if (form.takes_weights && words.size() > 1 && EqualsIgnoreCase(words[0], "AGGREGATE")) {
    ASSIGN_OR_RETURN(request.aggregate, ParseAggregate(words[1]));
  } else if (!form.stores && !form.takes_limit && EqualsIgnoreCase(words[0], "WITHSCORES")) {
    request.with_scores = true;
    taken = 1;
  } else if (form.takes_limit && words.size() > 1 && EqualsIgnoreCase(words[0], "LIMIT")) {
    const std::optional<int64_t> limit = ParseInt64(words[1]);
    if (!limit || *limit < 0) {
      ctx.reply.Error("ERR", "LIMIT can't be negative");
      return false;
    }
    request.limit = static_cast<uint64_t>(*limit);
  } else {
    return Fault::kSyntax;
  }
  words = words.subspan(taken);
  return true;
}

// False after an error reply.
FaultOr<bool> ParseRequest(CommandContext& ctx, const OperationForm& form,
                           OperationRequest& request) {
  const size_t number_at = form.stores ? 2 : 1;
  ASSIGN_OR_RETURN(const size_t inputs, OpenInputs(ctx, number_at, request));
  if (inputs == 0) return false;
  std::span<const std::string_view> words = ctx.args.subspan(number_at + 1 + inputs);
  while (!words.empty()) {
    ASSIGN_OR_RETURN(const bool is_valid, TakeOption(ctx, form, words, request));
    if (!is_valid) return false;
  }
  return true;
}

FaultOr<> ReplyCombined(CommandContext& ctx, SetOperation operation) {
  OperationRequest request;
  const OperationForm form{.takes_weights = operation != SetOperation::kDifference};
  ASSIGN_OR_RETURN(const bool is_valid, ParseRequest(ctx, form, request));
  if (!is_valid) return Ok();
  const ScoredReply form_of_reply{
      .operation = operation, .aggregate = request.aggregate, .with_scores = request.with_scores};
  if (ReplyCombinedLater(ctx, form_of_reply, request.inputs)) return Ok();
  const ScoredMembers result = Combine(operation, request.aggregate, request.inputs);
  ReplyMemberCount(ctx.reply, result.size(), request.with_scores);
  for (const ScoredMember& element : result) ReplyMember(ctx.reply, element, request.with_scores);
  return Ok();
}

struct StoredCombination final : Preparation {
  using Preparation::Preparation;
  void Compute() override {
    std::vector<WeightedInput> inputs;
    for (size_t i = 0; i < held_count(); ++i) {
      inputs.push_back({ScoredInput(held(i).collection()), weights[i]});
    }
    result.emplace(MakeSortedSet(*memory, *limits, Combine(operation, aggregate, inputs)));
  }

  SetOperation operation = SetOperation::kUnion;
  Aggregate aggregate = Aggregate::kSum;
  std::vector<double> weights;
  collections::NodeMemory* memory = nullptr;
  const EncodingLimits* limits = nullptr;
  std::optional<SortedSetValue> result;
};

std::shared_ptr<StoredCombination> PrepareStore(CommandContext& ctx, SetOperation operation,
                                                const OperationRequest& request) {
  uint64_t members = 0;
  for (const WeightedInput& input : request.inputs) members += input.members.size();
  if (members < kComputedAtOnce) return nullptr;
  return Prepare<StoredCombination>(ctx, [&](StoredCombination& next) {
    next.operation = operation;
    next.aggregate = request.aggregate;
    next.memory = &ctx.keys.node_memory();
    next.limits = &ctx.services.encoding_limits;
    const size_t first = ctx.key_list.size() - request.inputs.size();
    for (size_t i = 0; i < request.inputs.size(); ++i) {
      next.weights.push_back(request.inputs[i].weight);
      next.Hold(ctx, first + i);
    }
  });
}

FaultOr<> StoreCombined(CommandContext& ctx, SetOperation operation, std::string_view event) {
  OperationRequest request;
  const OperationForm form{.stores = true, .takes_weights = operation != SetOperation::kDifference};
  ASSIGN_OR_RETURN(const bool is_valid, ParseRequest(ctx, form, request));
  if (!is_valid) return Ok();
  const std::shared_ptr<StoredCombination> prepared = PrepareStore(ctx, operation, request);
  if (ctx.outcome == RunOutcome::kPreparing) return Ok();
  SortedSetValue result =
      prepared ? std::move(*prepared->result)
               : MakeSortedSet(ctx, Combine(operation, request.aggregate, request.inputs));
  return StoreSortedSet(ctx, ctx.key_list[0], std::move(result), event);
}

// ZUNION numkeys key ... [WEIGHTS w ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES] -> members.
FaultOr<> ZUnion(CommandContext& ctx) { return ReplyCombined(ctx, SetOperation::kUnion); }
FaultOr<> ZInter(CommandContext& ctx) { return ReplyCombined(ctx, SetOperation::kIntersection); }
FaultOr<> ZDiff(CommandContext& ctx) { return ReplyCombined(ctx, SetOperation::kDifference); }

// ZUNIONSTORE destination numkeys key ... [...] -> how many members were stored.
FaultOr<> ZUnionStore(CommandContext& ctx) {
  return StoreCombined(ctx, SetOperation::kUnion, "zunionstore");
}
FaultOr<> ZInterStore(CommandContext& ctx) {
  return StoreCombined(ctx, SetOperation::kIntersection, "zinterstore");
}
FaultOr<> ZDiffStore(CommandContext& ctx) {
  return StoreCombined(ctx, SetOperation::kDifference, "zdiffstore");
}

// ZINTERCARD numkeys key ... [LIMIT n] -> the size of the intersection, counted up to n.
FaultOr<> ZInterCard(CommandContext& ctx) {
  OperationRequest request;
  ASSIGN_OR_RETURN(const bool is_valid, ParseRequest(ctx, {.takes_limit = true}, request));
  if (!is_valid) return Ok();
  const ScoredReply counting{
      .operation = SetOperation::kIntersection, .counts_only = true, .limit = request.limit};
  if (ReplyCombinedLater(ctx, counting, request.inputs)) return Ok();
  ctx.reply.Integer(static_cast<int64_t>(CountIntersection(request.inputs, request.limit)));
  return Ok();
}

constexpr KeySpec kInputKeys[] = {KeysByNumber("RO access", 1)};
constexpr KeySpec kStoreKeys[] = {KeysInRange("OW update", 1, 1), KeysByNumber("RO access", 2)};

constexpr CommandSpec kZsetOperationCommands[] = {
    {.name = "ZUNION",
     .handler = ZUnion,
     .arity = AtLeast(3),
     .flags = kReadOnly | kMovableKeys,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "6.2.0",
     .summary = "Returns the members of any of the sorted sets.",
     .key_specs = kInputKeys},
    {.name = "ZINTER",
     .handler = ZInter,
     .arity = AtLeast(3),
     .flags = kReadOnly | kMovableKeys,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "6.2.0",
     .summary = "Returns the members of all of the sorted sets.",
     .key_specs = kInputKeys},
    {.name = "ZDIFF",
     .handler = ZDiff,
     .arity = AtLeast(3),
     .flags = kReadOnly | kMovableKeys,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "6.2.0",
     .summary = "Returns the members of the first sorted set that no other has.",
     .key_specs = kInputKeys},
    {.name = "ZINTERCARD",
     .handler = ZInterCard,
     .arity = AtLeast(3),
     .flags = kReadOnly | kMovableKeys,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "7.0.0",
     .summary = "Counts the members of all of the sorted sets.",
     .key_specs = kInputKeys},
    {.name = "ZUNIONSTORE",
     .handler = ZUnionStore,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kMovableKeys,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "2.0.0",
     .summary = "Stores the members of any of the sorted sets.",
     .key_specs = kStoreKeys},
    {.name = "ZINTERSTORE",
     .handler = ZInterStore,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kMovableKeys,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "2.0.0",
     .summary = "Stores the members of all of the sorted sets.",
     .key_specs = kStoreKeys},
    {.name = "ZDIFFSTORE",
     .handler = ZDiffStore,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kMovableKeys,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "6.2.0",
     .summary = "Stores the members of the first sorted set that no other has.",
     .key_specs = kStoreKeys},
};

}  // namespace

std::span<const CommandSpec> ZsetOperationCommands() { return kZsetOperationCommands; }

}  // namespace mikura::engine
