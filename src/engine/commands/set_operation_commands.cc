// SPDX-License-Identifier: Apache-2.0
// Intersections, unions and differences of sets.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/collections/set_value.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/long_set_operation.h"
#include "engine/commands/set_support.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {
namespace {

using collections::SetValue;
using Sets = std::vector<CollectionView<SetValue>>;

using Operation = PlainSetOperation;

FaultOr<Sets> ViewAll(CommandContext& ctx, std::span<const Key> keys) {
  Sets sets;
  for (const Key& key : keys) {
    ASSIGN_OR_RETURN(CollectionView<SetValue> set, ctx.keys.View<SetValue>(key));
    sets.push_back(std::move(set));
  }
  return sets;
}

// Calls visit(member) for each member of the result, while it returns true. Cost: the members of
// the smallest set times the number of sets for an intersection, those of the first for a
// difference.
template <typename Visit>
void ForEachInAll(const Sets& sets, const Visit& visit) {
  const bool has_empty =
      std::any_of(sets.begin(), sets.end(), [](const auto& set) { return !set; });
  if (has_empty) return;
  const auto smallest = std::min_element(
      sets.begin(), sets.end(), [](const auto& a, const auto& b) { return a->size() < b->size(); });
  for (SetValue::Cursor c(**smallest); !c.at_end(); c.Next()) {
    const bool in_all = std::all_of(sets.begin(), sets.end(), [&](const auto& set) {
      return &*set == &**smallest || set->Contains(c.element());
    });
    if (in_all && !visit(c.element())) return;
  }
}

template <typename Visit>
void ForEachInFirstOnly(const Sets& sets, const Visit& visit) {
  if (!sets[0]) return;
  for (SetValue::Cursor c(*sets[0]); !c.at_end(); c.Next()) {
    const bool elsewhere = std::any_of(sets.begin() + 1, sets.end(), [&](const auto& set) {
      return set && set->Contains(c.element());
    });
    if (!elsewhere && !visit(c.element())) return;
  }
}

// Redis stores a difference by taking members out of a copy of the first set, unless looking each
// of them up in all sets is less work; what the copy held shows in OBJECT ENCODING.
bool StartsFromFirst(const Sets& sets) {
  uint64_t lookups = 0;
  uint64_t members = 0;
  for (const auto& set : sets) {
    if (!set) continue;
    lookups += sets[0]->size();
    members += set->size();
  }
  return lookups / 2 > members;
}

bool OutgrowsIntset(const CommandContext& ctx, const SetValue& set) {
  const int64_t most = ctx.services.encoding_limits.set_integers.load(std::memory_order_relaxed);
  if (set.size() > static_cast<uint64_t>(most)) return true;
  if (set.is_intset()) return false;
  SetValue::Cursor c(set);
  while (!c.at_end() && ParseInt64(c.element())) c.Next();
  return !c.at_end();
}

SetValue Compute(CommandContext& ctx, Operation operation, const Sets& sets) {
  SetValue result(ctx.keys.node_memory());
  const auto add = [&](std::string_view member) {
    result.Add(member);
    return true;
  };
  switch (operation) {
    case Operation::kIntersection:
      ForEachInAll(sets, add);
      break;
    case Operation::kDifference:
      ForEachInFirstOnly(sets, add);
      if (sets[0] && StartsFromFirst(sets) && OutgrowsIntset(ctx, *sets[0])) {
        result.BecomeHashtable();
      }
      break;
    case Operation::kUnion:
      for (const auto& set : sets) {
        if (!set) continue;
        for (SetValue::Cursor c(*set); !c.at_end(); c.Next()) add(c.element());
      }
      break;
  }
  ApplySetLimits(ctx, result);
  return result;
}

FaultOr<> Reply(CommandContext& ctx, Operation operation) {
  ASSIGN_OR_RETURN(const Sets sets, ViewAll(ctx, ctx.key_list));
  if (ReplySetOperationLater(ctx, {.operation = operation}, sets)) return Ok();
  const SetValue result = Compute(ctx, operation, sets);
  ctx.reply.Set(result.size());
  for (SetValue::Cursor c(result); !c.at_end(); c.Next()) ctx.reply.Bulk(c.element());
  return Ok();
}

// The result under the first key: in the change log the members, so that replicas need not compute.
FaultOr<> Store(CommandContext& ctx, Operation operation, std::string_view event) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(const Sets sets, ViewAll(ctx, ctx.key_list.subspan(1)));
  SetValue result = Compute(ctx, operation, sets);
  const auto size = static_cast<int64_t>(result.size());
  const bool existed = static_cast<bool>(ctx.keys.Peek(key));
  const bool logs = ctx.keys.effects().active();
  std::vector<std::string> members;
  if (logs) {
    for (SetValue::Cursor c(result); !c.at_end(); c.Next()) members.emplace_back(c.element());
  }
  RETURN_IF_ERROR(ctx.keys.StoreCollection(key, std::move(result)));
  ctx.reply.Integer(size);
  if (existed) AddEffect(ctx, {"DEL", key.name});
  if (size == 0) {
    if (existed) ctx.keys.Notify(EventClass::kGeneric, "del", key);
    return Ok();
  }
  if (logs) {
    std::vector<std::string_view> words = {"SADD", key.name};
    words.insert(words.end(), members.begin(), members.end());
    ctx.keys.effects().Add(ctx.keys.database(), words);
  }
  ctx.keys.Notify(EventClass::kSet, event, key);
  return Ok();
}

FaultOr<> SInter(CommandContext& ctx) { return Reply(ctx, Operation::kIntersection); }
FaultOr<> SUnion(CommandContext& ctx) { return Reply(ctx, Operation::kUnion); }
FaultOr<> SDiff(CommandContext& ctx) { return Reply(ctx, Operation::kDifference); }
FaultOr<> SInterStore(CommandContext& ctx) {
  return Store(ctx, Operation::kIntersection, "sinterstore");
}
FaultOr<> SUnionStore(CommandContext& ctx) { return Store(ctx, Operation::kUnion, "sunionstore"); }
FaultOr<> SDiffStore(CommandContext& ctx) {
  return Store(ctx, Operation::kDifference, "sdiffstore");
}

// SINTERCARD numkeys key ... [LIMIT limit]
FaultOr<> SInterCard(CommandContext& ctx) {
  const std::optional<int64_t> count = ParseInt64(ctx.args[1]);
  if (!count || *count <= 0) {
    ctx.reply.Error("ERR", "numkeys should be greater than 0");
    return Ok();
  }
  if (*count > static_cast<int64_t>(ctx.args.size()) - 2) {
    ctx.reply.Error("ERR", "Number of keys can't be greater than number of args");
    return Ok();
  }
  uint64_t limit = 0;
  const std::span<const std::string_view> options =
      ctx.args.subspan(2 + static_cast<size_t>(*count));
  for (size_t i = 0; i < options.size(); i += 2) {
    if (!EqualsIgnoreCase(options[i], "LIMIT") || i + 1 == options.size()) return Fault::kSyntax;
    const std::optional<int64_t> given = ParseInt64(options[i + 1]);
    if (!given || *given < 0) {
      ctx.reply.Error("ERR", "LIMIT can't be negative");
      return Ok();
    }
    limit = static_cast<uint64_t>(*given);
  }
  ASSIGN_OR_RETURN(const Sets sets, ViewAll(ctx, ctx.key_list));
  const LongSetOperation request{
      .operation = Operation::kIntersection, .counts_only = true, .limit = limit};
  if (ReplySetOperationLater(ctx, request, sets)) return Ok();
  uint64_t size = 0;
  ForEachInAll(sets, [&](std::string_view) { return ++size != limit; });
  ctx.reply.Integer(static_cast<int64_t>(size));
  return Ok();
}

constexpr CommandSpec Reading(std::string_view name, CommandHandler handler,
                              std::string_view summary) {
  return {.name = name,
          .handler = handler,
          .arity = AtLeast(2),
          .keys = KeysFrom(1, -1, 1),
          .flags = kReadOnly,
          .acl = kAclSet,
          .group = "set",
          .since = "1.0.0",
          .summary = summary,
          .tips = "nondeterministic_output_order",
          .key_access = "RO access"};
}

constexpr CommandSpec Storing(std::string_view name, CommandHandler handler,
                              std::string_view summary, std::span<const KeySpec> keys) {
  return {.name = name,
          .handler = handler,
          .arity = AtLeast(3),
          .keys = KeysFrom(1, -1, 1),
          .flags = kWrite | kDenyOom,
          .acl = kAclSet,
          .group = "set",
          .since = "1.0.0",
          .summary = summary,
          .key_specs = keys};
}

constexpr KeySpec kStoreKeys[] = {KeysInRange("OW update", 1, 1), KeysInRange("RO access", 2, -1)};
constexpr KeySpec kInterStoreKeys[] = {KeysInRange("RW update", 1, 1),
                                       KeysInRange("RO access", 2, -1)};
constexpr KeySpec kCardKeys[] = {KeysByNumber("RO access", 1)};

constexpr CommandSpec kCommands[] = {
    Reading("SINTER", SInter, "Returns the members that all sets have."),
    Reading("SUNION", SUnion, "Returns the members that some set has."),
    Reading("SDIFF", SDiff, "Returns the members that only the first set has."),
    Storing("SINTERSTORE", SInterStore, "Stores the members that all sets have.", kInterStoreKeys),
    Storing("SUNIONSTORE", SUnionStore, "Stores the members that some set has.", kStoreKeys),
    Storing("SDIFFSTORE", SDiffStore, "Stores the members that only the first set has.",
            kStoreKeys),
    {.name = "SINTERCARD",
     .handler = SInterCard,
     .arity = AtLeast(3),
     .flags = kReadOnly | kMovableKeys,
     .acl = kAclSet,
     .group = "set",
     .since = "7.0.0",
     .summary = "Counts the members that all sets have.",
     .key_specs = kCardKeys},
};

}  // namespace

std::span<const CommandSpec> SetOperationCommands() { return kCommands; }

}  // namespace mikura::engine
