// SPDX-License-Identifier: Apache-2.0
// Commands that change strings in place: counters, APPEND, SETRANGE. The deadline stays, and so
// does what a memcached client stored beside the value, but for INCRBYFLOAT.
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"

namespace mikura::engine {
namespace {

// Adds `delta` to the integer of the key (0 when absent) and replies with the sum.
// Errors: kWrongType, kNotAnInteger, kOverflow, kOutOfMemory.
FaultOr<> Increment(CommandContext& ctx, int64_t delta) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(const store::Found found, ctx.keys.FindString(key));
  int64_t value = 0;
  store::Attributes attributes;
  if (found) {
    ASSIGN_OR_RETURN(value, ToInteger(found.entry.value()));
    attributes = found.entry.attributes();
    if (attributes.has_memcached) attributes.cas = ctx.keys.NextCas(key);
  }
  if (__builtin_add_overflow(value, delta, &value)) return Fault::kOverflow;
  const FaultOr<store::Found> stored = ctx.keys.SetString(key, NumberText(value), attributes);
  if (!stored.ok()) return stored.error();
  ctx.keys.effects().Add(ctx.keys.database(), ctx.args);
  ctx.keys.Notify(EventClass::kString, "incrby", key);
  ctx.reply.Integer(value);
  return Ok();
}

FaultOr<> Incr(CommandContext& ctx) { return Increment(ctx, 1); }
FaultOr<> Decr(CommandContext& ctx) { return Increment(ctx, -1); }

FaultOr<> IncrBy(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const int64_t delta, ToInteger(ctx.args[2]));
  return Increment(ctx, delta);
}

FaultOr<> DecrBy(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const int64_t delta, ToInteger(ctx.args[2]));
  if (delta == std::numeric_limits<int64_t>::min()) {
    ctx.reply.Error("ERR", "decrement would overflow");
    return Ok();
  }
  return Increment(ctx, -delta);
}

// INCRBYFLOAT key increment -> the sum as a string. Logged as a SET: other machines may round
// differently.
FaultOr<> IncrByFloat(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(const store::Found found, ctx.keys.FindString(key));
  long double value = 0;
  if (found) {
    ASSIGN_OR_RETURN(value, ToLongDouble(found.entry.value()));
  }
  ASSIGN_OR_RETURN(const long double delta, ToLongDouble(ctx.args[2]));
  value += delta;
  if (std::isnan(value) || std::isinf(value)) return Fault::kNanOrInfinity;
  const std::string text = FormatDouble(value);
  const UnixMillis deadline = found ? found.entry.deadline() : store::kNoDeadline;
  const FaultOr<store::Found> stored = ctx.keys.SetString(key, text, {.deadline = deadline});
  if (!stored.ok()) return stored.error();
  AddEffect(ctx, {"SET", key.name, text, "KEEPTTL"});
  ctx.keys.Notify(EventClass::kString, "incrbyfloat", key);
  ctx.reply.Bulk(text);
  return Ok();
}

// Makes the string of `key` hold `bytes` at `offset`, zeros in gaps; returns its new length.
FaultOr<int64_t> WriteAt(CommandContext& ctx, const Key& key, store::Found found, size_t offset,
                         std::string_view bytes) {
  const bool creates = !found;
  if (creates) {
    ASSIGN_OR_RETURN(found, ctx.keys.SetString(key, "", {}));
  }
  const size_t old_size = found.entry.value().size();
  const size_t size = std::max(old_size, offset + bytes.size());
  FaultOr<char*> resized = ctx.keys.ResizeString(found, key, size);
  if (!resized.ok()) {
    if (creates) ctx.keys.Erase(key);
    return resized.error();
  }
  std::memcpy(*resized + offset, bytes.data(), bytes.size());
  store::Attributes attributes = found.entry.attributes();
  if (attributes.has_memcached) {
    attributes.cas = ctx.keys.NextCas(key);
    RETURN_IF_ERROR(ctx.keys.SetAttributes(found, key, attributes));
  }
  return static_cast<int64_t>(size);
}

// APPEND key value -> the new length. Errors: kWrongType, kStringTooLong, kOutOfMemory.
// Cost: amortised O(1) per byte appended.
FaultOr<> Append(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  const std::string_view bytes = ctx.args[2];
  ASSIGN_OR_RETURN(const store::Found found, ctx.keys.FindString(key));
  const size_t old_size = found ? found.entry.value().size() : 0;
  if (found && bytes.empty()) {
    // A change that changes nothing, as in Redis.
    ctx.keys.Touched(key);
    ctx.keys.Notify(EventClass::kString, "append", key);
    ctx.reply.Integer(static_cast<int64_t>(old_size));
    return Ok();
  }
  if (old_size + bytes.size() > ctx.services.string_bytes_max) return Fault::kStringTooLong;
  if (!found) {
    const FaultOr<store::Found> stored = ctx.keys.SetString(key, bytes, {});
    if (!stored.ok()) return stored.error();
  } else {
    RETURN_IF_ERROR(WriteAt(ctx, key, found, old_size, bytes));
  }
  AddEffect(ctx, {"APPEND", key.name, bytes});
  ctx.keys.Notify(EventClass::kString, "append", key);
  ctx.reply.Integer(static_cast<int64_t>(old_size + bytes.size()));
  return Ok();
}

// SETRANGE key offset value -> the new length. Errors: kOffsetOutOfRange, kStringTooLong.
FaultOr<> SetRange(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  const std::string_view bytes = ctx.args[3];
  ASSIGN_OR_RETURN(const int64_t offset, ToInteger(ctx.args[2]));
  if (offset < 0) return Fault::kOffsetOutOfRange;
  ASSIGN_OR_RETURN(const store::Found found, ctx.keys.FindString(key));
  if (bytes.empty()) {
    ctx.reply.Integer(found ? static_cast<int64_t>(found.entry.value().size()) : 0);
    return Ok();
  }
  const uint64_t bytes_max = ctx.services.string_bytes_max;
  if (static_cast<uint64_t>(offset) > bytes_max || bytes.size() > bytes_max - offset) {
    return Fault::kStringTooLong;
  }
  ASSIGN_OR_RETURN(const int64_t size,
                   WriteAt(ctx, key, found, static_cast<size_t>(offset), bytes));
  AddEffect(ctx, {"SETRANGE", key.name, NumberText(offset), bytes});
  ctx.keys.Notify(EventClass::kString, "setrange", key);
  ctx.reply.Integer(size);
  return Ok();
}

constexpr uint32_t kCounterFlags = kWrite | kDenyOom | kFast;

constexpr CommandSpec kStringEditCommands[] = {
    {.name = "INCR",
     .handler = Incr,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kCounterFlags,
     .acl = kAclString,
     .group = "string",
     .since = "1.0.0",
     .summary = "Adds one to the integer of a key.",
     .key_access = "RW access update"},
    {.name = "DECR",
     .handler = Decr,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kCounterFlags,
     .acl = kAclString,
     .group = "string",
     .since = "1.0.0",
     .summary = "Subtracts one from the integer of a key.",
     .key_access = "RW access update"},
    {.name = "INCRBY",
     .handler = IncrBy,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kCounterFlags,
     .acl = kAclString,
     .group = "string",
     .since = "1.0.0",
     .summary = "Adds a number to the integer of a key.",
     .key_access = "RW access update"},
    {.name = "DECRBY",
     .handler = DecrBy,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kCounterFlags,
     .acl = kAclString,
     .group = "string",
     .since = "1.0.0",
     .summary = "Subtracts a number from the integer of a key.",
     .key_access = "RW access update"},
    {.name = "INCRBYFLOAT",
     .handler = IncrByFloat,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kCounterFlags,
     .acl = kAclString,
     .group = "string",
     .since = "2.6.0",
     .summary = "Adds a fraction to the number of a key.",
     .key_access = "RW access update"},
    {.name = "APPEND",
     .handler = Append,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclString,
     .group = "string",
     .since = "2.0.0",
     .summary = "Adds bytes at the end of a string.",
     .key_access = "RW insert"},
    {.name = "SETRANGE",
     .handler = SetRange,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom,
     .acl = kAclString,
     .group = "string",
     .since = "2.2.0",
     .summary = "Overwrites a part of a string.",
     .key_access = "RW update"},
};

}  // namespace

std::span<const CommandSpec> StringEditCommands() { return kStringEditCommands; }

}  // namespace mikura::engine
