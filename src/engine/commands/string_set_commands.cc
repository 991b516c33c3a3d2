// SPDX-License-Identifier: Apache-2.0
// Commands that replace whole strings.
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/set_options.h"
#include "engine/commands/string_store.h"

namespace mikura::engine {
namespace {

void NotifyRemoved(CommandContext& ctx, const Key& key) {
  ctx.keys.Notify(EventClass::kGeneric, "del", key);
}

// As StoreString(); when that fails, takes back what was replied since `mark`.
FaultOr<> StoreOrUnreply(CommandContext& ctx, size_t mark, std::string_view value,
                         UnixMillis deadline, bool keeps_deadline = false) {
  FaultOr<> stored = StoreString(ctx, ctx.key_list[0], value, deadline, keeps_deadline);
  if (!stored.ok()) ctx.reply.out().Truncate(mark);
  return stored;
}

bool ConditionHolds(const SetOptions& options, const store::Found& old) {
  switch (options.condition) {
    case SetCondition::kAlways:
      return true;
    case SetCondition::kIfAbsent:
      return !old;
    case SetCondition::kIfPresent:
      return static_cast<bool>(old);
    case SetCondition::kByValue:
      return old ? options.by_value.Holds(old.entry.value()) : options.by_value.negated;
  }
  return false;
}

// SET with options -> OK or null; with GET the old value or null.
// Errors: kSyntax, kNotAnInteger, invalid expire time, kWrongType (GET, IFEQ), kOutOfMemory.
FaultOr<> SetWithOptions(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const SetOptions options, ParseSetOptions(ctx.args.subspan(3)));
  if (!options.by_value.is_valid()) {
    ctx.reply.Error("ERR", kNotADigest);
    return Ok();
  }
  const FaultOr<UnixMillis> given = DeadlineOf(options, ctx.now());
  if (!given.ok()) return ExpireFault(ctx, given.error());
  UnixMillis deadline = *given;
  const Key& key = ctx.key_list[0];
  const store::Found old = ctx.keys.Find(key);
  const bool needs_string = options.get || options.condition == SetCondition::kByValue;
  if (needs_string && old && old.entry.type() != store::ValueType::kString) {
    return Fault::kWrongType;
  }
  const size_t mark = ctx.reply.out().size();
  const bool holds = ConditionHolds(options, old);
  if (options.keep_deadline && old) deadline = old.entry.deadline();
  if (options.get && old) {
    ctx.reply.Bulk(old.entry.value());
  } else if (options.get || !holds) {
    ctx.reply.Null();
  } else {
    ctx.reply.Ok();
  }
  if (options.get && !old) ctx.keys.NotifyMiss(key);
  if (!holds) return Ok();
  RETURN_IF_ERROR(StoreOrUnreply(ctx, mark, ctx.args[2], deadline, options.keep_deadline));
  if (options.form) ctx.keys.Notify(EventClass::kGeneric, "expire", key);
  return Ok();
}

// SET key value [options]. Cost: O(1), one copy of the value.
FaultOr<> Set(CommandContext& ctx) {
  if (ctx.args.size() > 3) return SetWithOptions(ctx);
  RETURN_IF_ERROR(StoreString(ctx, ctx.key_list[0], ctx.args[2], store::kNoDeadline));
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> SetNx(CommandContext& ctx) {
  if (ctx.keys.Find(ctx.key_list[0])) {
    ctx.reply.Integer(0);
    return Ok();
  }
  RETURN_IF_ERROR(StoreString(ctx, ctx.key_list[0], ctx.args[2], store::kNoDeadline));
  ctx.reply.Integer(1);
  return Ok();
}

FaultOr<> SetExpiring(CommandContext& ctx, ExpireForm form) {
  const FaultOr<UnixMillis> deadline = DeadlineOf(ctx.args[2], form, ctx.now());
  if (!deadline.ok()) return ExpireFault(ctx, deadline.error());
  RETURN_IF_ERROR(StoreString(ctx, ctx.key_list[0], ctx.args[3], *deadline));
  ctx.keys.Notify(EventClass::kGeneric, "expire", ctx.key_list[0]);
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> SetEx(CommandContext& ctx) { return SetExpiring(ctx, ExpireForm::kSeconds); }
FaultOr<> PSetEx(CommandContext& ctx) { return SetExpiring(ctx, ExpireForm::kMillis); }

void ReplyValueOrNull(CommandContext& ctx, const store::Found& found) {
  if (found) {
    ctx.reply.Bulk(found.entry.value());
  } else {
    ctx.reply.Null();
  }
}

// GETSET key value -> the old value or null; the deadline goes with the old value.
FaultOr<> GetSet(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const store::Found old, ctx.keys.FindString(ctx.key_list[0]));
  if (!old) ctx.keys.NotifyMiss(ctx.key_list[0]);
  const size_t mark = ctx.reply.out().size();
  ReplyValueOrNull(ctx, old);
  return StoreOrUnreply(ctx, mark, ctx.args[2], store::kNoDeadline);
}

FaultOr<> GetDel(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(const store::Found old, ctx.keys.FindString(key));
  ReplyValueOrNull(ctx, old);
  if (!old) ctx.keys.NotifyMiss(key);
  if (old && ctx.keys.Erase(key)) {
    AddEffect(ctx, {"DEL", key.name});
    NotifyRemoved(ctx, key);
  }
  return Ok();
}

// GETEX key [EX | PX | EXAT | PXAT n | PERSIST] -> the value or null, and a new deadline.
FaultOr<> GetEx(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const SetOptions options, ParseGetExOptions(ctx.args.subspan(2)));
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(store::Found found, ctx.keys.FindString(key));
  if (!found) {
    ctx.keys.NotifyMiss(key);
    ctx.reply.Null();
    return Ok();
  }
  const FaultOr<UnixMillis> given = DeadlineOf(options, ctx.now());
  if (!given.ok()) return ExpireFault(ctx, given.error());
  UnixMillis deadline = *given;
  const size_t mark = ctx.reply.out().size();
  ctx.reply.Bulk(found.entry.value());
  if (options.form && deadline <= ctx.now() && ctx.keys.access().may_expire) {
    if (ctx.keys.Erase(key)) AddEffect(ctx, {"DEL", key.name});
    NotifyRemoved(ctx, key);
    return Ok();
  }
  const bool changes =
      options.form || (options.persist && found.entry.deadline() != store::kNoDeadline);
  if (!changes) return Ok();
  const FaultOr<> set = ctx.keys.SetDeadline(found, key, deadline);
  if (!set.ok()) {
    ctx.reply.out().Truncate(mark);
    return set.error();
  }
  if (options.persist) {
    AddEffect(ctx, {"PERSIST", key.name});
  } else {
    AddEffect(ctx, {"PEXPIREAT", key.name, NumberText(deadline)});
  }
  ctx.keys.Notify(EventClass::kGeneric, options.persist ? "persist" : "expire", key);
  return Ok();
}

// Stores all pairs; the effect holds those that were stored, even when memory ends half-way.
FaultOr<> StorePairs(CommandContext& ctx) {
  std::vector<std::string_view> effect;
  const bool logged = ctx.keys.effects().active();
  if (logged) effect.push_back("MSET");
  FaultOr<> result = Ok();
  for (size_t i = 0; i < ctx.key_list.size(); ++i) {
    const std::string_view value = ctx.args[2 + 2 * i];
    const FaultOr<store::Found> stored = ctx.keys.SetString(ctx.key_list[i], value, {});
    if (!stored.ok()) {
      result = stored.error();
      break;
    }
    ctx.keys.Notify(EventClass::kString, "set", ctx.key_list[i]);
    if (logged) effect.insert(effect.end(), {ctx.key_list[i].name, value});
  }
  if (effect.size() > 1) ctx.keys.effects().Add(ctx.keys.database(), effect);
  return result;
}

// False, after an error reply, when a key has no value.
bool PairsAreWhole(CommandContext& ctx) {
  if (ctx.args.size() % 2 == 1) return true;
  ctx.reply.Error("ERR", WrongArityMessage(ctx.spec));
  return false;
}

FaultOr<> MSet(CommandContext& ctx) {
  if (!PairsAreWhole(ctx)) return Ok();
  RETURN_IF_ERROR(StorePairs(ctx));
  ctx.reply.Ok();
  return Ok();
}

// MSETNX key value ... -> 1, or 0 and no change when one of the keys exists.
FaultOr<> MSetNx(CommandContext& ctx) {
  if (!PairsAreWhole(ctx)) return Ok();
  for (const Key& key : ctx.key_list) {
    if (!ctx.keys.Find(key)) continue;
    ctx.reply.Integer(0);
    return Ok();
  }
  RETURN_IF_ERROR(StorePairs(ctx));
  ctx.reply.Integer(1);
  return Ok();
}

constexpr CommandSpec kStringSetCommands[] = {
    {.name = "SET",
     .handler = Set,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom,
     .acl = kAclString,
     .group = "string",
     .since = "1.0.0",
     .summary = "Sets the string value of a key, with conditions and expiry.",
     .key_access = "RW access update variable_flags",
     .key_notes = "With GET the old value is read."},
    {.name = "SETNX",
     .handler = SetNx,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclString,
     .group = "string",
     .since = "1.0.0",
     .summary = "Sets a string only when the key is absent.",
     .key_access = "OW insert"},
    {.name = "SETEX",
     .handler = SetEx,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom,
     .acl = kAclString,
     .group = "string",
     .since = "2.0.0",
     .summary = "Sets a string that expires after seconds.",
     .key_access = "OW update"},
    {.name = "PSETEX",
     .handler = PSetEx,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom,
     .acl = kAclString,
     .group = "string",
     .since = "2.6.0",
     .summary = "Sets a string that expires after milliseconds.",
     .key_access = "OW update"},
    {.name = "GETSET",
     .handler = GetSet,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclString,
     .group = "string",
     .since = "1.0.0",
     .summary = "Sets a string and returns the one before.",
     .key_access = "RW access update"},
    {.name = "GETDEL",
     .handler = GetDel,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclString,
     .group = "string",
     .since = "6.2.0",
     .summary = "Returns a string and removes its key.",
     .key_access = "RW access delete"},
    {.name = "GETEX",
     .handler = GetEx,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclString,
     .group = "string",
     .since = "6.2.0",
     .summary = "Returns a string and changes when it expires.",
     .key_access = "RW access update",
     .key_notes = "The deadline is written."},
    {.name = "MSET",
     .handler = MSet,
     .arity = AtLeast(3),
     .keys = KeysFrom(1, -1, 2),
     .flags = kWrite | kDenyOom,
     .acl = kAclString,
     .group = "string",
     .since = "1.0.1",
     .summary = "Sets several strings at once.",
     .tips = "request_policy:multi_shard|response_policy:all_succeeded",
     .key_access = "OW update"},
    {.name = "MSETNX",
     .handler = MSetNx,
     .arity = AtLeast(3),
     .keys = KeysFrom(1, -1, 2),
     .flags = kWrite | kDenyOom,
     .acl = kAclString,
     .group = "string",
     .since = "1.0.1",
     .summary = "Sets several strings when all keys are absent.",
     .tips = "request_policy:multi_shard|response_policy:agg_min",
     .key_access = "OW insert"},
};

}  // namespace

std::span<const CommandSpec> StringSetCommands() { return kStringSetCommands; }

}  // namespace mikura::engine
