// SPDX-License-Identifier: Apache-2.0
// Commands on keys of any type.
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/type_names.h"

namespace mikura::engine {
namespace {

// DEL key ... -> how many were there.
FaultOr<> Del(CommandContext& ctx) {
  std::vector<std::string_view> effect;
  const bool logged = ctx.keys.effects().active();
  if (logged) effect.push_back("DEL");
  int64_t removed = 0;
  for (const Key& key : ctx.key_list) {
    if (!ctx.keys.Erase(key)) continue;
    ++removed;
    ctx.keys.Notify(EventClass::kGeneric, "del", key);
    if (logged) effect.push_back(key.name);
  }
  if (effect.size() > 1) ctx.keys.effects().Add(ctx.keys.database(), effect);
  ctx.reply.Integer(removed);
  return Ok();
}

// EXISTS key ... -> how many of the arguments name a key; one named twice counts twice.
FaultOr<> Exists(CommandContext& ctx) {
  int64_t count = 0;
  for (const Key& key : ctx.key_list) {
    if (ctx.keys.Peek(key)) {
      ++count;
    } else {
      ctx.keys.NotifyMiss(key);
    }
  }
  ctx.reply.Integer(count);
  return Ok();
}

// TOUCH key ... -> how many exist; counts a use of each, even for a client that asked not to touch.
FaultOr<> Touch(CommandContext& ctx) {
  int64_t count = 0;
  for (const Key& key : ctx.key_list) {
    if (!ctx.keys.Find(key)) continue;
    if (ctx.client.no_touch) ctx.keys.Touch(key);
    ++count;
  }
  ctx.reply.Integer(count);
  return Ok();
}

FaultOr<> Type(CommandContext& ctx) {
  const store::Found found = ctx.keys.Peek(ctx.key_list[0]);
  if (!found) ctx.keys.NotifyMiss(ctx.key_list[0]);
  ctx.reply.Simple(found ? TypeName(found.entry.type()) : "none");
  return Ok();
}

constexpr std::string_view kSumTips = "request_policy:multi_shard|response_policy:agg_sum";

constexpr CommandSpec kGenericCommands[] = {
    {.name = "DEL",
     .handler = Del,
     .arity = AtLeast(2),
     .keys = KeysFrom(1, -1, 1),
     .flags = kWrite,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "1.0.0",
     .summary = "Removes keys.",
     .tips = kSumTips,
     .key_access = "RM delete"},
    {.name = "UNLINK",
     .handler = Del,
     .arity = AtLeast(2),
     .keys = KeysFrom(1, -1, 1),
     .flags = kWrite | kFast,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "4.0.0",
     .summary = "Removes keys; their memory may be freed later.",
     .tips = kSumTips,
     .key_access = "RM delete"},
    {.name = "EXISTS",
     .handler = Exists,
     .arity = AtLeast(2),
     .keys = KeysFrom(1, -1, 1),
     .flags = kReadOnly | kFast,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "1.0.0",
     .summary = "Counts the keys that exist.",
     .tips = kSumTips,
     .key_access = "RO"},
    {.name = "TOUCH",
     .handler = Touch,
     .arity = AtLeast(2),
     .keys = KeysFrom(1, -1, 1),
     .flags = kReadOnly | kFast,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "3.2.1",
     .summary = "Marks keys as used and counts those that exist.",
     .tips = kSumTips,
     .key_access = "RO"},
    {.name = "TYPE",
     .handler = Type,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "1.0.0",
     .summary = "Returns the type of the value of a key.",
     .key_access = "RO"},
};

}  // namespace

std::span<const CommandSpec> GenericCommands() { return kGenericCommands; }

}  // namespace mikura::engine
