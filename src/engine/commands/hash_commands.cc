// SPDX-License-Identifier: Apache-2.0
// Commands that change fields of hashes.
#include <cmath>

#include "engine/commands/command_families.h"
#include "engine/commands/hash_editor.h"
#include "engine/commands/prepared_edit.h"

namespace mikura::engine {
namespace {

using Words = std::span<const std::string_view>;
using HashEdit = CollectionEdit<HashValue>;

// Whether the request has many words, for a hash whose fields have no deadlines: then they need
// nothing but the hash.
FaultOr<bool> IsPlainLongEdit(CommandContext& ctx) {
  if (!HasManyWords(ctx)) [[likely]]
    return false;
  ASSIGN_OR_RETURN(const HashView& hash, ctx.keys.View<HashValue>(ctx.key_list[0]));
  return !hash || hash->first_deadline() == kNoFieldDeadline;
}

int64_t SetManyPairs(HashValue& hash, Words args, const EncodingLimits& limits) {
  int64_t added = 0;
  for (size_t i = 2; i + 1 < args.size(); i += 2) {
    if (hash.Set(args[i], args[i + 1])) ++added;
    NoteHashForm(hash, limits, args[i], args[i + 1]);
  }
  return added;
}

void ReplyToSet(CommandContext& ctx, int64_t added) {
  if (ctx.spec.name == "HMSET") {
    ctx.reply.Ok();
  } else {
    ctx.reply.Integer(added);
  }
}

FaultOr<> FinishPairs(CommandContext& ctx, HashEdit& hash, int64_t added) {
  const FaultOr<bool> stored = hash.Commit();
  if (!stored.ok()) return stored.error();
  ctx.keys.Notify(EventClass::kHash, "hset", ctx.key_list[0]);
  EffectWords effect(ctx, {"HSET"});
  for (const std::string_view word : ctx.args.subspan(1)) effect.Add(word);
  effect.Log();
  ReplyToSet(ctx, added);
  return Ok();
}

// Those of the fields that were there.
std::vector<std::string_view> EraseMany(HashValue& hash, Words args, const EncodingLimits&) {
  std::vector<std::string_view> removed;
  for (const std::string_view name : args.subspan(2)) {
    if (hash.Erase(name)) removed.push_back(name);
  }
  return removed;
}

FaultOr<> FinishErase(CommandContext& ctx, HashEdit& hash,
                      const std::vector<std::string_view>& removed) {
  if (!removed.empty()) {
    ASSIGN_OR_RETURN(const bool key_is_gone, hash.Commit());
    ctx.keys.Notify(EventClass::kHash, "hdel", ctx.key_list[0]);
    if (key_is_gone) ctx.keys.Notify(EventClass::kGeneric, "del", ctx.key_list[0]);
  }
  LogHashDeletion(ctx, removed);
  ctx.reply.Integer(static_cast<int64_t>(removed.size()));
  return Ok();
}

// Sets the pairs of the words from the third on, and replies.
FaultOr<> SetPairs(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const bool is_long, IsPlainLongEdit(ctx));
  if (is_long) return EditPrepared<HashValue, int64_t>(ctx, SetManyPairs, FinishPairs);
  HashEditor hash(ctx);
  RETURN_IF_ERROR(hash.Opened());
  int64_t added = 0;
  for (size_t i = 2; i + 1 < ctx.args.size(); i += 2) {
    if (hash.Put(ctx.args[i], ctx.args[i + 1])) ++added;
  }
  RETURN_IF_ERROR(hash.Commit({"hset"}));
  EffectWords effect(ctx, {"HSET"});
  for (const std::string_view word : ctx.args.subspan(1)) effect.Add(word);
  effect.Log();
  ReplyToSet(ctx, added);
  return Ok();
}

bool HasPairs(CommandContext& ctx) {
  if (ctx.args.size() % 2 == 0) return true;
  ctx.reply.Error("ERR", WrongArityMessage(ctx.spec));
  return false;
}

// HSET key field value ... -> the number of new fields. Fields that had a deadline lose it.
FaultOr<> HSet(CommandContext& ctx) {
  if (!HasPairs(ctx)) return Ok();
  return SetPairs(ctx);
}

FaultOr<> HMSet(CommandContext& ctx) {
  if (!HasPairs(ctx)) return Ok();
  return SetPairs(ctx);
}

// HSETNX key field value -> 1 when the field was absent and is set now, else 0.
FaultOr<> HSetNx(CommandContext& ctx) {
  HashEditor hash(ctx);
  RETURN_IF_ERROR(hash.Opened());
  if (hash.Find(ctx.args[2])) {
    ctx.reply.Integer(0);
    return Ok();
  }
  hash.Set(ctx.args[2], ctx.args[3]);
  RETURN_IF_ERROR(hash.Commit({"hset"}));
  AddEffect(ctx, {"HSET", ctx.args[1], ctx.args[2], ctx.args[3]});
  ctx.reply.Integer(1);
  return Ok();
}

// HDEL key field ... -> how many of the fields were there. The key goes with its last field.
FaultOr<> HDel(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const bool is_long, IsPlainLongEdit(ctx));
  if (is_long) {
    return EditPrepared<HashValue, std::vector<std::string_view>>(ctx, EraseMany, FinishErase);
  }
  HashEditor hash(ctx);
  RETURN_IF_ERROR(hash.Opened());
  std::vector<std::string_view> removed;
  for (const std::string_view name : ctx.args.subspan(2)) {
    if (hash.Erase(name)) removed.push_back(name);
  }
  RETURN_IF_ERROR(hash.Commit({removed.empty() ? "" : "hdel"}));
  LogHashDeletion(ctx, removed);
  ctx.reply.Integer(static_cast<int64_t>(removed.size()));
  return Ok();
}

// Stores the result of arithmetic; the field keeps its deadline. The effect is the result: other
// machines may round differently, and due fields are another matter there.
FaultOr<> StoreResult(CommandContext& ctx, HashEditor& hash, std::string_view text,
                      UnixMillis deadline, std::string_view event) {
  const std::string_view name = ctx.args[2];
  hash.Set(name, text, deadline);
  RETURN_IF_ERROR(hash.Commit({event}));
  AddEffect(ctx, {"HSET", ctx.args[1], name, text});
  if (deadline != kNoFieldDeadline) {
    AddEffect(ctx, {"HPEXPIREAT", ctx.args[1], NumberText(deadline), "FIELDS", "1", name});
  }
  return Ok();
}

// HINCRBY key field increment -> the sum; an absent field counts as 0.
FaultOr<> HIncrBy(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const int64_t increment, ToInteger(ctx.args[3]));
  HashEditor hash(ctx);
  RETURN_IF_ERROR(hash.Opened());
  int64_t sum = 0;
  UnixMillis deadline = kNoFieldDeadline;
  if (const std::optional<HashField> field = hash.Find(ctx.args[2])) {
    const std::optional<int64_t> value = ParseInt64(field->value);
    if (!value) {
      ctx.reply.Error("ERR", "hash value is not an integer");
      return Ok();
    }
    sum = *value;
    deadline = field->deadline;
  }
  if (__builtin_add_overflow(sum, increment, &sum)) return Fault::kOverflow;
  RETURN_IF_ERROR(StoreResult(ctx, hash, NumberText(sum), deadline, "hincrby"));
  ctx.reply.Integer(sum);
  return Ok();
}

// HINCRBYFLOAT key field increment -> the sum as a string.
FaultOr<> HIncrByFloat(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const long double increment, ToLongDouble(ctx.args[3]));
  if (std::isinf(increment)) {
    ctx.reply.Error("ERR", "value is NaN or Infinity");
    return Ok();
  }
  HashEditor hash(ctx);
  RETURN_IF_ERROR(hash.Opened());
  long double sum = 0;
  UnixMillis deadline = kNoFieldDeadline;
  if (const std::optional<HashField> field = hash.Find(ctx.args[2])) {
    const FaultOr<long double> value = ToLongDouble(field->value);
    if (!value.ok()) {
      ctx.reply.Error("ERR", "hash value is not a float");
      return Ok();
    }
    sum = *value;
    deadline = field->deadline;
  }
  sum += increment;
  if (std::isnan(sum) || std::isinf(sum)) return Fault::kNanOrInfinity;
  const std::string text = FormatDouble(sum);
  RETURN_IF_ERROR(StoreResult(ctx, hash, text, deadline, "hincrbyfloat"));
  ctx.reply.Bulk(text);
  return Ok();
}

constexpr uint32_t kSetFlags = kWrite | kDenyOom | kFast;

constexpr CommandSpec kHashCommands[] = {
    {.name = "HSET",
     .handler = HSet,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kSetFlags,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.0.0",
     .summary = "Sets fields of a hash.",
     .key_access = "RW update"},
    {.name = "HMSET",
     .handler = HMSet,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kSetFlags,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.0.0",
     .summary = "Older name of HSET, with another reply.",
     .key_access = "RW update"},
    {.name = "HSETNX",
     .handler = HSetNx,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kSetFlags,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.0.0",
     .summary = "Sets a field of a hash that is absent.",
     .key_access = "RW insert"},
    {.name = "HDEL",
     .handler = HDel,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.0.0",
     .summary = "Removes fields of a hash.",
     .key_access = "RW delete"},
    {.name = "HINCRBY",
     .handler = HIncrBy,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kSetFlags,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.0.0",
     .summary = "Adds to the integer of a field.",
     .key_access = "RW access update"},
    {.name = "HINCRBYFLOAT",
     .handler = HIncrByFloat,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kSetFlags,
     .acl = kAclHash,
     .group = "hash",
     .since = "2.6.0",
     .summary = "Adds a fraction to the number of a field.",
     .key_access = "RW access update"},
};

}  // namespace

std::span<const CommandSpec> HashCommands() { return kHashCommands; }

}  // namespace mikura::engine
