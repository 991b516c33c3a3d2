// SPDX-License-Identifier: Apache-2.0
// Commands that put elements into lists and read them.
#include <algorithm>
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/list_support.h"
#include "engine/commands/long_reply.h"

namespace mikura::engine {
namespace {

// Pushes the words one by one; `if_exists`: only onto a list that is there.
FaultOr<> Push(CommandContext& ctx, ListEnd end, bool if_exists) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(ListEdit && list, ctx.keys.Edit<ListValue>(key));
  if (if_exists && !list.existed()) {
    ctx.reply.Integer(0);
    return Ok();
  }
  for (const std::string_view element : ctx.args.subspan(2)) PushAt(*list, end, element);
  const auto size = static_cast<int64_t>(list->size());
  const bool at_head = end == ListEnd::kHead;
  RETURN_IF_ERROR(list.Commit());
  ctx.keys.Notify(EventClass::kList, at_head ? "lpush" : "rpush", key);
  if (ctx.keys.effects().active()) {
    std::vector<std::string_view> effect(ctx.args.begin(), ctx.args.end());
    effect[0] = at_head ? "LPUSH" : "RPUSH";
    ctx.keys.effects().Add(ctx.keys.database(), effect);
  }
  ctx.reply.Integer(size);
  return Ok();
}

// LPUSH key element ... -> the new length. Cost: O(log n) for each.
FaultOr<> LPush(CommandContext& ctx) { return Push(ctx, ListEnd::kHead, false); }
FaultOr<> RPush(CommandContext& ctx) { return Push(ctx, ListEnd::kTail, false); }
FaultOr<> LPushX(CommandContext& ctx) { return Push(ctx, ListEnd::kHead, true); }
FaultOr<> RPushX(CommandContext& ctx) { return Push(ctx, ListEnd::kTail, true); }

FaultOr<> LLen(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const ListView& list, ctx.keys.View<ListValue>(ctx.key_list[0]));
  ctx.reply.Integer(list ? static_cast<int64_t>(list->size()) : 0);
  return Ok();
}

// The place that an index means, negative ones counted from the tail; nullopt: outside.
std::optional<uint64_t> PlaceOf(int64_t index, uint64_t size) {
  if (index < 0) index += static_cast<int64_t>(size);
  if (index < 0 || static_cast<uint64_t>(index) >= size) return std::nullopt;
  return static_cast<uint64_t>(index);
}

// LINDEX key index -> the element, or null. Cost: O(log n).
FaultOr<> LIndex(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const ListView& list, ctx.keys.View<ListValue>(ctx.key_list[0]));
  if (!list) {
    ctx.reply.Null();
    return Ok();
  }
  ASSIGN_OR_RETURN(const int64_t index, ToInteger(ctx.args[2]));
  const std::optional<uint64_t> place = PlaceOf(index, list->size());
  if (place) {
    ctx.reply.Bulk(list->At(*place));
  } else {
    ctx.reply.Null();
  }
  return Ok();
}

// LSET key index element. Errors: kNoSuchKey, kIndexOutOfRange. Cost: O(log n).
FaultOr<> LSet(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(ListEdit && list, ctx.keys.Edit<ListValue>(key));
  if (!list.existed()) return Fault::kNoSuchKey;
  ASSIGN_OR_RETURN(const int64_t index, ToInteger(ctx.args[2]));
  const std::optional<uint64_t> place = PlaceOf(index, list->size());
  if (!place) return Fault::kIndexOutOfRange;
  list->Replace(*place, ctx.args[3]);
  RETURN_IF_ERROR(list.Commit());
  ctx.keys.Notify(EventClass::kList, "lset", key);
  AddEffect(ctx, {"LSET", key.name, NumberText(static_cast<int64_t>(*place)), ctx.args[3]});
  ctx.reply.Ok();
  return Ok();
}

// The elements from `start` to `stop` of a list, as clients give them; `count` 0: none.
struct Range {
  uint64_t first = 0;
  uint64_t count = 0;
};

Range RangeOf(int64_t start, int64_t stop, uint64_t size) {
  const auto length = static_cast<int64_t>(size);
  if (start < 0) start = std::max<int64_t>(start + length, 0);
  if (stop < 0) stop += length;
  stop = std::min(stop, length - 1);
  if (start > stop) return {};
  return {static_cast<uint64_t>(start), static_cast<uint64_t>(stop - start + 1)};
}

// LRANGE key start stop -> the elements between, ends included. Cost: O(log n) and what is
// returned; many elements are made later.
FaultOr<> LRange(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const int64_t start, ToInteger(ctx.args[2]));
  ASSIGN_OR_RETURN(const int64_t stop, ToInteger(ctx.args[3]));
  ASSIGN_OR_RETURN(const ListView& list, ctx.keys.View<ListValue>(ctx.key_list[0]));
  const Range range = list ? RangeOf(start, stop, list->size()) : Range();
  ctx.reply.Array(static_cast<size_t>(range.count));
  if (range.count == 0) return Ok();
  const auto make_walk = [&](const ListValue& copy) {
    return RangeWalk(ListValue::Cursor(copy, range.first), range.count, ReplyListElement);
  };
  if (ReplyLater(ctx.keys, ctx.reply, *list, range.count, make_walk)) return Ok();
  ListValue::Cursor cursor(*list, range.first);
  for (uint64_t left = range.count; left > 0; --left, cursor.Next()) {
    ctx.reply.Bulk(cursor.element());
  }
  return Ok();
}

// LTRIM key start stop: keeps the elements between. Cost: O(log n), and a step for each leaf that
// goes.
FaultOr<> LTrim(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const int64_t start, ToInteger(ctx.args[2]));
  ASSIGN_OR_RETURN(const int64_t stop, ToInteger(ctx.args[3]));
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(ListEdit && list, ctx.keys.Edit<ListValue>(key));
  if (list.existed()) {
    const uint64_t size = list->size();
    const Range range = RangeOf(start, stop, size);
    list->Erase(range.first + range.count, size - range.first - range.count);
    list->Erase(0, range.first);
    RETURN_IF_ERROR(CommitRemoval(ctx.keys, key, list, "ltrim"));
    if (range.count < size) AddEffect(ctx, {"LTRIM", key.name, ctx.args[2], ctx.args[3]});
  }
  ctx.reply.Ok();
  return Ok();
}

constexpr uint32_t kPushFlags = kWrite | kDenyOom | kFast;

constexpr CommandSpec kListCommands[] = {
    {.name = "LPUSH",
     .handler = LPush,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kPushFlags,
     .acl = kAclList,
     .group = "list",
     .since = "1.0.0",
     .summary = "Puts elements at the head of a list.",
     .key_access = "RW insert"},
    {.name = "RPUSH",
     .handler = RPush,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kPushFlags,
     .acl = kAclList,
     .group = "list",
     .since = "1.0.0",
     .summary = "Puts elements at the tail of a list.",
     .key_access = "RW insert"},
    {.name = "LPUSHX",
     .handler = LPushX,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kPushFlags,
     .acl = kAclList,
     .group = "list",
     .since = "2.2.0",
     .summary = "Puts elements at the head of a list that exists.",
     .key_access = "RW insert"},
    {.name = "RPUSHX",
     .handler = RPushX,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kPushFlags,
     .acl = kAclList,
     .group = "list",
     .since = "2.2.0",
     .summary = "Puts elements at the tail of a list that exists.",
     .key_access = "RW insert"},
    {.name = "LLEN",
     .handler = LLen,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclList,
     .group = "list",
     .since = "1.0.0",
     .summary = "Returns the number of elements of a list.",
     .key_access = "RO"},
    {.name = "LINDEX",
     .handler = LIndex,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclList,
     .group = "list",
     .since = "1.0.0",
     .summary = "Returns the element at a place in a list.",
     .key_access = "RO access"},
    {.name = "LSET",
     .handler = LSet,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom,
     .acl = kAclList,
     .group = "list",
     .since = "1.0.0",
     .summary = "Replaces the element at a place in a list.",
     .key_access = "RW update"},
    {.name = "LRANGE",
     .handler = LRange,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclList,
     .group = "list",
     .since = "1.0.0",
     .summary = "Returns a part of a list.",
     .key_access = "RO access"},
    {.name = "LTRIM",
     .handler = LTrim,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kWrite,
     .acl = kAclList,
     .group = "list",
     .since = "1.0.0",
     .summary = "Keeps a part of a list, and removes the rest.",
     .key_access = "RW delete"},
};

}  // namespace

std::span<const CommandSpec> ListCommands() { return kListCommands; }

}  // namespace mikura::engine
