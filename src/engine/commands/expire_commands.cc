// SPDX-License-Identifier: Apache-2.0
// Deadlines of keys.
#include <fmt/format.h>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"

namespace mikura::engine {
namespace {

struct ExpireConditions {
  bool if_none = false;     // NX
  bool if_some = false;     // XX
  bool if_later = false;    // GT
  bool if_earlier = false;  // LT
};

// The words behind EXPIRE's number. Nullopt after an error reply.
std::optional<ExpireConditions> ParseConditions(CommandContext& ctx) {
  ExpireConditions conditions;
  for (const std::string_view word : ctx.args.subspan(3)) {
    if (EqualsIgnoreCase(word, "NX")) {
      conditions.if_none = true;
    } else if (EqualsIgnoreCase(word, "XX")) {
      conditions.if_some = true;
    } else if (EqualsIgnoreCase(word, "GT")) {
      conditions.if_later = true;
    } else if (EqualsIgnoreCase(word, "LT")) {
      conditions.if_earlier = true;
    } else {
      ctx.reply.Error("ERR", fmt::format("Unsupported option {}", word));
      return std::nullopt;
    }
  }
  if (conditions.if_none && (conditions.if_some || conditions.if_later || conditions.if_earlier)) {
    ctx.reply.Error("ERR", "NX and XX, GT or LT options at the same time are not compatible");
    return std::nullopt;
  }
  if (conditions.if_later && conditions.if_earlier) {
    ctx.reply.Error("ERR", "GT and LT options at the same time are not compatible");
    return std::nullopt;
  }
  return conditions;
}

// A key without a deadline counts as one that never expires: nothing is later.
bool ConditionsHold(const ExpireConditions& conditions, UnixMillis current, UnixMillis wanted) {
  const bool has_deadline = current != store::kNoDeadline;
  if (conditions.if_none && has_deadline) return false;
  if (conditions.if_some && !has_deadline) return false;
  if (conditions.if_later && (!has_deadline || wanted <= current)) return false;
  if (conditions.if_earlier && has_deadline && wanted >= current) return false;
  return true;
}

// As DeadlineOf(), but the past is allowed here: it removes the key.
FaultOr<UnixMillis> AnyDeadlineOf(std::string_view text, ExpireForm form, UnixMillis now) {
  ASSIGN_OR_RETURN(const int64_t amount, ToInteger(text));
  return DeadlineAt(amount, form, now);
}

// EXPIRE key amount [NX | XX | GT | LT] -> 1 when the deadline was set (or the key removed), else
// 0.
FaultOr<> ExpireIn(CommandContext& ctx, ExpireForm form) {
  const std::optional<ExpireConditions> conditions = ParseConditions(ctx);
  if (!conditions) return Ok();
  const FaultOr<UnixMillis> deadline = AnyDeadlineOf(ctx.args[2], form, ctx.now());
  if (!deadline.ok()) return ExpireFault(ctx, deadline.error());
  const Key& key = ctx.key_list[0];
  store::Found found = ctx.keys.Find(key);
  if (!found || !ConditionsHold(*conditions, found.entry.deadline(), *deadline)) {
    ctx.reply.Integer(0);
    return Ok();
  }
  if (*deadline <= ctx.now() && ctx.keys.access().may_expire) {
    if (ctx.keys.Erase(key)) AddEffect(ctx, {"DEL", key.name});
    ctx.keys.Notify(EventClass::kGeneric, "del", key);
    ctx.reply.Integer(1);
    return Ok();
  }
  RETURN_IF_ERROR(ctx.keys.SetDeadline(found, key, *deadline));
  AddEffect(ctx, {"PEXPIREAT", key.name, NumberText(*deadline)});
  ctx.keys.Notify(EventClass::kGeneric, "expire", key);
  ctx.reply.Integer(1);
  return Ok();
}

FaultOr<> Expire(CommandContext& ctx) { return ExpireIn(ctx, ExpireForm::kSeconds); }
FaultOr<> PExpire(CommandContext& ctx) { return ExpireIn(ctx, ExpireForm::kMillis); }
FaultOr<> ExpireAt(CommandContext& ctx) { return ExpireIn(ctx, ExpireForm::kAtSeconds); }
FaultOr<> PExpireAt(CommandContext& ctx) { return ExpireIn(ctx, ExpireForm::kAtMillis); }

// Seconds nearest to `millis`.
int64_t ToSeconds(int64_t millis) {
  return static_cast<int64_t>((static_cast<uint64_t>(millis) + 500) / 1000);
}

// Replies with `value` of the key's deadline; -2 without key, -1 without deadline.
template <typename Value>
FaultOr<> ReplyDeadline(CommandContext& ctx, Value value) {
  const store::Found found = ctx.keys.Peek(ctx.key_list[0]);
  if (!found) {
    ctx.keys.NotifyMiss(ctx.key_list[0]);
    ctx.reply.Integer(-2);
  } else if (found.entry.deadline() == store::kNoDeadline) {
    ctx.reply.Integer(-1);
  } else {
    ctx.reply.Integer(value(found.entry.deadline()));
  }
  return Ok();
}

FaultOr<> Ttl(CommandContext& ctx) {
  return ReplyDeadline(ctx, [&](UnixMillis deadline) { return ToSeconds(deadline - ctx.now()); });
}

FaultOr<> PTtl(CommandContext& ctx) {
  return ReplyDeadline(ctx, [&](UnixMillis deadline) { return deadline - ctx.now(); });
}

FaultOr<> ExpireTime(CommandContext& ctx) { return ReplyDeadline(ctx, ToSeconds); }

FaultOr<> PExpireTime(CommandContext& ctx) {
  return ReplyDeadline(ctx, [](UnixMillis deadline) { return deadline; });
}

// PERSIST key -> 1 when a deadline was taken away.
FaultOr<> Persist(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  store::Found found = ctx.keys.Find(key);
  if (!found || found.entry.deadline() == store::kNoDeadline) {
    ctx.reply.Integer(0);
    return Ok();
  }
  RETURN_IF_ERROR(ctx.keys.SetDeadline(found, key, store::kNoDeadline));
  AddEffect(ctx, {"PERSIST", key.name});
  ctx.keys.Notify(EventClass::kGeneric, "persist", key);
  ctx.reply.Integer(1);
  return Ok();
}

constexpr uint32_t kReadFlags = kReadOnly | kFast;
constexpr uint32_t kWriteFlags = kWrite | kFast;

constexpr CommandSpec kExpireCommands[] = {
    {.name = "EXPIRE",
     .handler = Expire,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kWriteFlags,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "1.0.0",
     .summary = "Lets a key expire after seconds.",
     .key_access = "RW update"},
    {.name = "PEXPIRE",
     .handler = PExpire,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kWriteFlags,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "2.6.0",
     .summary = "Lets a key expire after milliseconds.",
     .key_access = "RW update"},
    {.name = "EXPIREAT",
     .handler = ExpireAt,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kWriteFlags,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "1.2.0",
     .summary = "Lets a key expire at a Unix time in seconds.",
     .key_access = "RW update"},
    {.name = "PEXPIREAT",
     .handler = PExpireAt,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kWriteFlags,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "2.6.0",
     .summary = "Lets a key expire at a Unix time in milliseconds.",
     .key_access = "RW update"},
    {.name = "PERSIST",
     .handler = Persist,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kWriteFlags,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "2.2.0",
     .summary = "Takes a key's deadline away.",
     .key_access = "RW update"},
    {.name = "TTL",
     .handler = Ttl,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadFlags,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "1.0.0",
     .summary = "Returns the seconds a key has left.",
     .tips = "nondeterministic_output",
     .key_access = "RO access"},
    {.name = "PTTL",
     .handler = PTtl,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadFlags,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "2.6.0",
     .summary = "Returns the milliseconds a key has left.",
     .tips = "nondeterministic_output",
     .key_access = "RO access"},
    {.name = "EXPIRETIME",
     .handler = ExpireTime,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadFlags,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "7.0.0",
     .summary = "Returns when a key expires, in seconds.",
     .key_access = "RO access"},
    {.name = "PEXPIRETIME",
     .handler = PExpireTime,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadFlags,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "7.0.0",
     .summary = "Returns when a key expires, in milliseconds.",
     .key_access = "RO access"},
};

}  // namespace

std::span<const CommandSpec> ExpireCommands() { return kExpireCommands; }

}  // namespace mikura::engine
