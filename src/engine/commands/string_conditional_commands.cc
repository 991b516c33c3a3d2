// SPDX-License-Identifier: Apache-2.0
// Newer commands that look at the value before they change it: DELEX, DELIFEQ, DIGEST; and MSETEX.
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/set_options.h"
#include "engine/commands/string_store.h"
#include "engine/commands/value_condition.h"

namespace mikura::engine {
namespace {

void Remove(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  const bool removed = ctx.keys.Erase(key);
  if (removed) {
    AddEffect(ctx, {"DEL", key.name});
    ctx.keys.Notify(EventClass::kGeneric, "del", key);
  }
  ctx.reply.Integer(removed ? 1 : 0);
}

FaultOr<> RemoveIf(CommandContext& ctx, const ValueCondition& condition) {
  ASSIGN_OR_RETURN(const store::Found found, ctx.keys.FindString(ctx.key_list[0]));
  if (!found || !condition.Holds(found.entry.value())) {
    ctx.reply.Integer(0);
    return Ok();
  }
  Remove(ctx);
  return Ok();
}

// DELIFEQ key value -> 1 when the key had this value and was removed.
FaultOr<> DelIfEq(CommandContext& ctx) { return RemoveIf(ctx, {.operand = ctx.args[2]}); }

// DELEX key [IFEQ value | IFNE value | IFDEQ digest | IFDNE digest] -> 1 when it was removed.
FaultOr<> DelEx(CommandContext& ctx) {
  if (ctx.args.size() == 2) {
    Remove(ctx);
    return Ok();
  }
  if (ctx.args.size() != 4) {
    ctx.reply.Error("ERR", WrongArityMessage(ctx.spec));
    return Ok();
  }
  std::optional<ValueCondition> condition = ValueCondition::OfWord(ctx.args[2]);
  if (!condition) return Fault::kSyntax;
  condition->operand = ctx.args[3];
  if (!condition->is_valid()) {
    ctx.reply.Error("ERR", kNotADigest);
    return Ok();
  }
  return RemoveIf(ctx, *condition);
}

FaultOr<> Digest(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const store::Found found, ctx.keys.FindString(ctx.key_list[0]));
  if (found) {
    ctx.reply.Bulk(DigestText(found.entry.value()));
  } else {
    ctx.reply.Null();
  }
  return Ok();
}

bool HoldsForAll(CommandContext& ctx, SetCondition condition) {
  if (condition == SetCondition::kAlways) return true;
  for (const Key& key : ctx.key_list) {
    if (static_cast<bool>(ctx.keys.Find(key)) != (condition == SetCondition::kIfPresent)) {
      return false;
    }
  }
  return true;
}

// MSETEX numkeys key value [key value ...] [NX | XX] [EX | PX | EXAT | PXAT n | KEEPTTL] -> 1, or 0
// and no change when NX or XX does not hold for all keys.
FaultOr<> MSetEx(CommandContext& ctx) {
  const std::optional<int64_t> count = ParseInt64(ctx.args[1]);
  if (!count || *count <= 0 || *count > INT32_MAX) {
    ctx.reply.Error("ERR", "invalid numkeys value");
    return Ok();
  }
  const size_t behind = 2 + 2 * static_cast<size_t>(*count);
  if (behind > ctx.args.size()) {
    ctx.reply.Error("ERR", "wrong number of key-value pairs");
    return Ok();
  }
  ASSIGN_OR_RETURN(const SetOptions options, ParseMSetExOptions(ctx.args.subspan(behind)));
  const FaultOr<UnixMillis> given = DeadlineOf(options, ctx.now());
  if (!given.ok()) return ExpireFault(ctx, given.error());
  UnixMillis deadline = *given;
  if (!HoldsForAll(ctx, options.condition)) {
    ctx.reply.Integer(0);
    return Ok();
  }
  for (size_t i = 0; i < ctx.key_list.size(); ++i) {
    const Key& key = ctx.key_list[i];
    if (options.keep_deadline) {
      const store::Found old = ctx.keys.Find(key);
      deadline = old ? old.entry.deadline() : store::kNoDeadline;
    }
    RETURN_IF_ERROR(StoreString(ctx, key, ctx.args[3 + 2 * i], deadline));
    if (options.form) ctx.keys.Notify(EventClass::kGeneric, "expire", key);
  }
  ctx.reply.Integer(1);
  return Ok();
}

constexpr KeySpec MSetExKeys() {
  KeySpec keys = KeysByNumber("OW update", 1);
  keys.step = 2;
  return keys;
}
constexpr KeySpec kMSetExKeys[] = {MSetExKeys()};

constexpr CommandSpec kStringConditionalCommands[] = {
    {.name = "DELIFEQ",
     .handler = DelIfEq,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclString,
     .group = "string",
     .since = "9.0.0",
     .summary = "Removes a key whose string has this value.",
     .key_access = "RW access delete"},
    {.name = "DELEX",
     .handler = DelEx,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclString,
     .group = "string",
     .since = "8.4.0",
     .summary = "Removes a key when its value, or the digest of it, is this one or another one.",
     .key_access = "RW delete variable_flags"},
    {.name = "DIGEST",
     .handler = Digest,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclString,
     .group = "string",
     .since = "8.4.0",
     .summary = "Returns the XXH3 digest of a string.",
     .key_access = "RO access"},
    {.name = "MSETEX",
     .handler = MSetEx,
     .arity = AtLeast(4),
     .flags = kWrite | kDenyOom | kMovableKeys,
     .acl = kAclString,
     .group = "string",
     .since = "8.4.0",
     .summary = "Sets several strings at once, with a condition and expiry.",
     .tips = "request_policy:multi_shard|response_policy:all_succeeded",
     .key_specs = kMSetExKeys},
};

}  // namespace

std::span<const CommandSpec> StringConditionalCommands() { return kStringConditionalCommands; }

}  // namespace mikura::engine
