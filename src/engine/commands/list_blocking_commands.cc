// SPDX-License-Identifier: Apache-2.0
// Commands that take elements from lists, and wait for some to come.
#include "engine/commands/blocking.h"
#include "engine/commands/command_families.h"
#include "engine/commands/list_support.h"

namespace mikura::engine {
namespace {

class ListWait : public BlockedCommand {
 public:
  FaultOr<bool> IsReady(KeyAccess& keys, const Key& key) override {
    ASSIGN_OR_RETURN(const ListView& list, keys.View<ListValue>(key));
    return static_cast<bool>(list);
  }
};

// BLPOP, BRPOP: the key and the element.
class PopWait final : public ListWait {
 public:
  explicit PopWait(ListEnd end) : end_(end) {}

  FaultOr<> Serve(const ServeContext& ctx, const Key& key) override {
    ASSIGN_OR_RETURN(ListEdit && list, ctx.keys.Edit<ListValue>(key));
    const size_t mark = ctx.reply.out().size();
    ctx.reply.Array(2);
    ctx.reply.Bulk(key.name);
    return PopElements(ctx.keys, ctx.reply, mark, key, list, {.end = end_, .counted = false});
  }

 private:
  const ListEnd end_;
};

// BLMPOP: the key and its elements.
class MultiPopWait final : public ListWait {
 public:
  explicit MultiPopWait(const PopOptions& options) : options_(options) {}

  FaultOr<> Serve(const ServeContext& ctx, const Key& key) override {
    ASSIGN_OR_RETURN(ListEdit && list, ctx.keys.Edit<ListValue>(key));
    return PopWithName(ctx.keys, ctx.reply, key, list, options_);
  }

 private:
  const PopOptions options_;
};

// BLMOVE, BRPOPLPUSH: the element. When the target is no list, that is the answer.
class MoveWait final : public ListWait {
 public:
  MoveWait(ListEnd from, ListEnd to) : from_(from), to_(to) {}

  FaultOr<> Serve(const ServeContext& ctx, const Key& key) override {
    return MoveElement(ctx.keys, ctx.reply, {key, from_, *ctx.target, to_});
  }
  void ReplyNothing(wire::RespWriter& reply, bool waited) override {
    if (waited) return reply.NullArray();
    reply.Null();
  }

 private:
  const ListEnd from_;
  const ListEnd to_;
};

// BLPOP key ... timeout -> the first key that has an element, and that; or null. Cost: O(keys).
FaultOr<> BlockingPop(CommandContext& ctx, ListEnd end) {
  const std::optional<UnixMillis> timeout = WaitSeconds(ctx, ctx.args.back());
  if (!timeout) return Ok();
  return ServeOrWait(ctx, ctx.key_list, *timeout, std::make_unique<PopWait>(end));
}

FaultOr<> BLPop(CommandContext& ctx) { return BlockingPop(ctx, ListEnd::kHead); }
FaultOr<> BRPop(CommandContext& ctx) { return BlockingPop(ctx, ListEnd::kTail); }

// BLMPOP timeout numkeys key ... LEFT | RIGHT [COUNT n]
FaultOr<> BLMPop(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const std::optional<PopOptions> options, ParsePopOptions(ctx, 2));
  if (!options) return Ok();
  const std::optional<UnixMillis> timeout = WaitSeconds(ctx, ctx.args[1]);
  if (!timeout) return Ok();
  return ServeOrWait(ctx, ctx.key_list, *timeout, std::make_unique<MultiPopWait>(*options));
}

FaultOr<> BlockingMove(CommandContext& ctx, ListEnd from, ListEnd to) {
  const std::optional<UnixMillis> timeout = WaitSeconds(ctx, ctx.args.back());
  if (!timeout) return Ok();
  return ServeOrWait(ctx, ctx.key_list.first(1), *timeout, std::make_unique<MoveWait>(from, to),
                     &ctx.key_list[1]);
}

// BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout -> the element, or null.
FaultOr<> BLMove(CommandContext& ctx) {
  const std::optional<ListEnd> from = ParseListEnd(ctx.args[3]);
  const std::optional<ListEnd> to = ParseListEnd(ctx.args[4]);
  if (!from || !to) return Fault::kSyntax;
  return BlockingMove(ctx, *from, *to);
}

// BRPOPLPUSH source destination timeout
FaultOr<> BRPopLPush(CommandContext& ctx) {
  return BlockingMove(ctx, ListEnd::kTail, ListEnd::kHead);
}

constexpr uint32_t kFlags = kWrite | kNoScript | kBlocking;
constexpr KeySpec kBLMPopKeys[] = {KeysByNumber("RW access delete", 2)};

constexpr CommandSpec kListBlockingCommands[] = {
    {.name = "BLPOP",
     .handler = BLPop,
     .arity = AtLeast(3),
     .keys = KeysFrom(1, -2, 1),
     .flags = kFlags,
     .acl = kAclList | kAclBlocking,
     .group = "list",
     .since = "2.0.0",
     .summary = "Removes and returns the head of a list, or waits for one.",
     .key_access = "RW access delete"},
    {.name = "BRPOP",
     .handler = BRPop,
     .arity = AtLeast(3),
     .keys = KeysFrom(1, -2, 1),
     .flags = kFlags,
     .acl = kAclList | kAclBlocking,
     .group = "list",
     .since = "2.0.0",
     .summary = "Removes and returns the tail of a list, or waits for one.",
     .key_access = "RW access delete"},
    {.name = "BLMPOP",
     .handler = BLMPop,
     .arity = AtLeast(5),
     .flags = kWrite | kBlocking | kMovableKeys,
     .acl = kAclList | kAclBlocking,
     .group = "list",
     .since = "7.0.0",
     .summary = "Removes and returns elements of the first list that has some, or waits for them.",
     .key_specs = kBLMPopKeys},
    {.name = "BLMOVE",
     .handler = BLMove,
     .arity = Exactly(6),
     .keys = KeysFrom(1, 2, 1),
     .flags = kFlags | kDenyOom,
     .acl = kAclList | kAclBlocking,
     .group = "list",
     .since = "6.2.0",
     .summary = "Moves an element from a list to another one, or waits for it.",
     .key_access = "RW access delete;RW insert"},
    {.name = "BRPOPLPUSH",
     .handler = BRPopLPush,
     .arity = Exactly(4),
     .keys = KeysFrom(1, 2, 1),
     .flags = kFlags | kDenyOom,
     .acl = kAclList | kAclBlocking,
     .group = "list",
     .since = "2.2.0",
     .summary = "Moves the tail of a list to the head of another one, or waits for it.",
     .key_access = "RW access delete;RW insert"},
};

}  // namespace

std::span<const CommandSpec> ListBlockingCommands() { return kListBlockingCommands; }

}  // namespace mikura::engine
