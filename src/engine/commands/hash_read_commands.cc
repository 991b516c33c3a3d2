// SPDX-License-Identifier: Apache-2.0
// Commands that read hashes.
#include "engine/commands/command_families.h"
#include "engine/commands/hash_editor.h"

namespace mikura::engine {
namespace {

FaultOr<HashView> ViewOf(CommandContext& ctx) { return ctx.keys.View<HashValue>(ctx.key_list[0]); }

void ReplyValueOf(wire::RespWriter& reply, const std::optional<HashField>& field) {
  if (field) {
    reply.Bulk(field->value);
  } else {
    reply.Null();
  }
}

// HGET key field -> the value, or null.
FaultOr<> HGet(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView hash, ViewOf(ctx));
  ReplyValueOf(ctx.reply, FindLive(hash, ctx.args[2], ctx.now()));
  return Ok();
}

// HMGET key field ... -> a value or null each.
FaultOr<> HMGet(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView hash, ViewOf(ctx));
  const std::span<const std::string_view> names = ctx.args.subspan(2);
  ctx.reply.Array(names.size());
  for (const std::string_view name : names) {
    ReplyValueOf(ctx.reply, FindLive(hash, name, ctx.now()));
  }
  return Ok();
}

FaultOr<> HExists(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView hash, ViewOf(ctx));
  ctx.reply.Integer(FindLive(hash, ctx.args[2], ctx.now()) ? 1 : 0);
  return Ok();
}

FaultOr<> HStrLen(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView hash, ViewOf(ctx));
  const std::optional<HashField> field = FindLive(hash, ctx.args[2], ctx.now());
  ctx.reply.Integer(field ? static_cast<int64_t>(field->value.size()) : 0);
  return Ok();
}

// HLEN key -> the number of fields; due ones are gone already. Cost: O(log n).
FaultOr<> HLen(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView hash, ViewOf(ctx));
  ctx.reply.Integer(hash ? static_cast<int64_t>(LiveSize(*hash, ctx.now())) : 0);
  return Ok();
}

template <typename Visit>
void ForEachLive(const HashView& hash, UnixMillis now, const Visit& visit) {
  if (!hash) return;
  for (HashValue::Cursor c(*hash); !c.at_end(); c.Next()) {
    const HashField field = c.field();
    if (!field.IsDue(now)) visit(field);
  }
}

// HGETALL key -> all fields with their values. Cost: O(n).
FaultOr<> HGetAll(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView hash, ViewOf(ctx));
  ctx.reply.Map(hash ? static_cast<size_t>(LiveSize(*hash, ctx.now())) : 0);
  ForEachLive(hash, ctx.now(), [&](const HashField& field) {
    ctx.reply.Bulk(field.name);
    ctx.reply.Bulk(field.value);
  });
  return Ok();
}

FaultOr<> HKeys(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView hash, ViewOf(ctx));
  ctx.reply.Array(hash ? static_cast<size_t>(LiveSize(*hash, ctx.now())) : 0);
  ForEachLive(hash, ctx.now(), [&](const HashField& field) { ctx.reply.Bulk(field.name); });
  return Ok();
}

FaultOr<> HVals(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView hash, ViewOf(ctx));
  ctx.reply.Array(hash ? static_cast<size_t>(LiveSize(*hash, ctx.now())) : 0);
  ForEachLive(hash, ctx.now(), [&](const HashField& field) { ctx.reply.Bulk(field.value); });
  return Ok();
}

constexpr CommandSpec kHashReadCommands[] = {
    {.name = "HGET",
     .handler = HGet,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.0.0",
     .summary = "Returns the value of a field.",
     .key_access = "RO access"},
    {.name = "HMGET",
     .handler = HMGet,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.0.0",
     .summary = "Returns the values of several fields.",
     .key_access = "RO access"},
    {.name = "HEXISTS",
     .handler = HExists,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.0.0",
     .summary = "Says whether a hash has a field.",
     .key_access = "RO"},
    {.name = "HSTRLEN",
     .handler = HStrLen,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclHash,
     .group = "hash",
     .since = "3.2.0",
     .summary = "Returns the number of bytes of a field's value.",
     .key_access = "RO"},
    {.name = "HLEN",
     .handler = HLen,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.0.0",
     .summary = "Returns the number of fields.",
     .key_access = "RO"},
    {.name = "HGETALL",
     .handler = HGetAll,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.0.0",
     .summary = "Returns all fields and values.",
     .tips = "nondeterministic_output_order",
     .key_access = "RO access"},
    {.name = "HKEYS",
     .handler = HKeys,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.0.0",
     .summary = "Returns all fields.",
     .tips = "nondeterministic_output_order",
     .key_access = "RO access"},
    {.name = "HVALS",
     .handler = HVals,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.0.0",
     .summary = "Returns all values.",
     .tips = "nondeterministic_output_order",
     .key_access = "RO access"},
};

}  // namespace

std::span<const CommandSpec> HashReadCommands() { return kHashReadCommands; }

}  // namespace mikura::engine
