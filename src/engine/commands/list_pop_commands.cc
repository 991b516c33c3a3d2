// SPDX-License-Identifier: Apache-2.0
// Commands that take elements from the ends of lists, or move them to other lists.
#include <algorithm>

#include "engine/commands/command_families.h"
#include "engine/commands/list_support.h"

namespace mikura::engine {
namespace {

// LPOP key [count]: an element or null; with a count an array, null when the key is absent.
FaultOr<> Pop(CommandContext& ctx, ListEnd end) {
  if (ctx.args.size() > 3) {
    ctx.reply.Error("ERR", WrongArityMessage(ctx.spec));
    return Ok();
  }
  const bool has_count = ctx.args.size() == 3;
  uint64_t count = 1;
  if (has_count) {
    const std::optional<int64_t> wanted = ParseInt64(ctx.args[2]);
    if (!wanted || *wanted < 0) return Fault::kNotPositive;
    count = static_cast<uint64_t>(*wanted);
  }
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(ListEdit && list, ctx.keys.Edit<ListValue>(key));
  const size_t mark = ctx.reply.out().size();
  if (!list.existed()) {
    if (has_count) {
      ctx.reply.NullArray();
    } else {
      ctx.reply.Null();
    }
    return Ok();
  }
  count = std::min(count, list->size());
  if (has_count) ctx.reply.Array(static_cast<size_t>(count));
  if (count == 0) return Ok();
  return PopElements(ctx.keys, ctx.reply, mark, key, list, {end, count, has_count});
}

// Cost: O(log n) and what is returned.
FaultOr<> LPop(CommandContext& ctx) { return Pop(ctx, ListEnd::kHead); }
FaultOr<> RPop(CommandContext& ctx) { return Pop(ctx, ListEnd::kTail); }

// LMPOP numkeys key ... LEFT | RIGHT [COUNT n] -> the first key that has elements, and those; or
// null.
FaultOr<> LMPop(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const std::optional<PopOptions> options, ParsePopOptions(ctx, 1));
  if (!options) return Ok();
  for (const Key& key : ctx.key_list) {
    ASSIGN_OR_RETURN(ListEdit && list, ctx.keys.Edit<ListValue>(key));
    if (list.existed()) return PopWithName(ctx.keys, ctx.reply, key, list, *options);
  }
  ctx.reply.NullArray();
  return Ok();
}

// LMOVE source destination LEFT | RIGHT LEFT | RIGHT -> the element, or null. Cost: O(log n).
FaultOr<> LMove(CommandContext& ctx) {
  const std::optional<ListEnd> from = ParseListEnd(ctx.args[3]);
  const std::optional<ListEnd> to = ParseListEnd(ctx.args[4]);
  if (!from || !to) return Fault::kSyntax;
  return MoveElement(ctx.keys, ctx.reply, {ctx.key_list[0], *from, ctx.key_list[1], *to});
}

FaultOr<> RPopLPush(CommandContext& ctx) {
  return MoveElement(ctx.keys, ctx.reply,
                     {ctx.key_list[0], ListEnd::kTail, ctx.key_list[1], ListEnd::kHead});
}

constexpr KeySpec kLMPopKeys[] = {KeysByNumber("RW access delete", 1)};

constexpr CommandSpec kListPopCommands[] = {
    {.name = "LPOP",
     .handler = LPop,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclList,
     .group = "list",
     .since = "1.0.0",
     .summary = "Removes and returns elements at the head of a list.",
     .key_access = "RW access delete"},
    {.name = "RPOP",
     .handler = RPop,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclList,
     .group = "list",
     .since = "1.0.0",
     .summary = "Removes and returns elements at the tail of a list.",
     .key_access = "RW access delete"},
    {.name = "LMPOP",
     .handler = LMPop,
     .arity = AtLeast(4),
     .flags = kWrite | kMovableKeys,
     .acl = kAclList,
     .group = "list",
     .since = "7.0.0",
     .summary = "Removes and returns elements of the first list that has some.",
     .key_specs = kLMPopKeys},
    {.name = "LMOVE",
     .handler = LMove,
     .arity = Exactly(5),
     .keys = KeysFrom(1, 2, 1),
     .flags = kWrite | kDenyOom,
     .acl = kAclList,
     .group = "list",
     .since = "6.2.0",
     .summary = "Moves an element from an end of a list to an end of another one.",
     .key_access = "RW access delete;RW insert"},
    {.name = "RPOPLPUSH",
     .handler = RPopLPush,
     .arity = Exactly(3),
     .keys = KeysFrom(1, 2, 1),
     .flags = kWrite | kDenyOom,
     .acl = kAclList,
     .group = "list",
     .since = "1.2.0",
     .summary = "Moves the last element of a list to the head of another one.",
     .key_access = "RW access delete;RW insert"},
};

}  // namespace

std::span<const CommandSpec> ListPopCommands() { return kListPopCommands; }

}  // namespace mikura::engine
