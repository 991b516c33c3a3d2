// SPDX-License-Identifier: Apache-2.0
// Commands that read hashes.
#include "engine/commands/command_families.h"
#include "engine/commands/hash_editor.h"
#include "engine/commands/long_read.h"
#include "engine/commands/long_reply.h"

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
  ASSIGN_OR_RETURN(const HashView& hash, ViewOf(ctx));
  ReplyValueOf(ctx.reply, FindLive(hash, ctx.args[2], ctx.now()));
  return Ok();
}

// HMGET key field ... -> a value or null each.
FaultOr<> HMGet(CommandContext& ctx) {
  return ReplyForNames<HashValue>(
      ctx,
      [now = ctx.now()](wire::RespWriter& reply, const HashValue* hash, std::string_view name) {
        ReplyValueOf(reply, hash != nullptr ? FindLive(*hash, name, now) : std::nullopt);
      });
}

FaultOr<> HExists(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView& hash, ViewOf(ctx));
  ctx.reply.Integer(FindLive(hash, ctx.args[2], ctx.now()) ? 1 : 0);
  return Ok();
}

FaultOr<> HStrLen(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView& hash, ViewOf(ctx));
  const std::optional<HashField> field = FindLive(hash, ctx.args[2], ctx.now());
  ctx.reply.Integer(field ? static_cast<int64_t>(field->value.size()) : 0);
  return Ok();
}

// HLEN key -> the number of fields; due ones are gone already. Cost: O(log n).
FaultOr<> HLen(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView& hash, ViewOf(ctx));
  ctx.reply.Integer(hash ? static_cast<int64_t>(LiveSize(*hash, ctx.now())) : 0);
  return Ok();
}

// The live fields of a hash, written one by one: write(reply, field).
template <typename Write>
class LiveFieldsWalk {
 public:
  static constexpr size_t kSteps = 4096;

  LiveFieldsWalk(const HashValue& hash, UnixMillis now, Write write)
      : cursor_(hash), now_(now), write_(write) {}
  bool at_end() const { return cursor_.at_end(); }
  void Step(wire::RespWriter& reply) {
    const HashField field = cursor_.field();
    if (!field.IsDue(now_)) write_(reply, field);
    cursor_.Next();
  }

 private:
  HashValue::Cursor cursor_;
  UnixMillis now_;
  Write write_;
};

// What is written of the live fields; the header is there. Of many fields: later.
template <typename Write>
void ReplyLiveFields(CommandContext& ctx, const HashView& hash, uint64_t live, const Write& write) {
  if (live == 0) return;
  const auto make_walk = [&, now = ctx.now()](const HashValue& copy) {
    return LiveFieldsWalk(copy, now, write);
  };
  if (ReplyLater(ctx.keys, ctx.reply, *hash, live, make_walk)) return;
  for (LiveFieldsWalk walk(*hash, ctx.now(), write); !walk.at_end();) walk.Step(ctx.reply);
}

size_t LiveSizeOf(const HashView& hash, UnixMillis now) {
  return hash ? static_cast<size_t>(LiveSize(*hash, now)) : 0;
}

// HGETALL key -> all fields with their values. Cost: O(n).
FaultOr<> HGetAll(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView& hash, ViewOf(ctx));
  const size_t live = LiveSizeOf(hash, ctx.now());
  ctx.reply.Map(live);
  ReplyLiveFields(ctx, hash, live, [](wire::RespWriter& reply, const HashField& field) {
    reply.Bulk(field.name);
    reply.Bulk(field.value);
  });
  return Ok();
}

FaultOr<> HKeys(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView& hash, ViewOf(ctx));
  const size_t live = LiveSizeOf(hash, ctx.now());
  ctx.reply.Array(live);
  ReplyLiveFields(ctx, hash, live,
                  [](wire::RespWriter& reply, const HashField& field) { reply.Bulk(field.name); });
  return Ok();
}

FaultOr<> HVals(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const HashView& hash, ViewOf(ctx));
  const size_t live = LiveSizeOf(hash, ctx.now());
  ctx.reply.Array(live);
  ReplyLiveFields(ctx, hash, live,
                  [](wire::RespWriter& reply, const HashField& field) { reply.Bulk(field.value); });
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
