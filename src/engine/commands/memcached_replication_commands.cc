// SPDX-License-Identifier: Apache-2.0
// What the replication stream and the append log carry of memcached writes. Internal: a client has
// no need of them, and COMMAND should not list them.
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/memcached_entry.h"

namespace mikura::engine {
namespace {

// The four words "flags cas deadline state" from args[first] on; deadline -1: none.
// Errors: kNotAnInteger.
FaultOr<store::Attributes> AttributesFrom(const CommandContext& ctx, size_t first) {
  const std::optional<uint64_t> flags = ParseUint64(ctx.args[first]);
  const std::optional<uint64_t> cas = ParseUint64(ctx.args[first + 1]);
  const std::optional<int64_t> deadline = ParseInt64(ctx.args[first + 2]);
  const std::optional<uint64_t> state = ParseUint64(ctx.args[first + 3]);
  if (!flags || *flags > UINT32_MAX || !cas || !deadline || *deadline < -1 || !state ||
      *state > UINT8_MAX) {
    return Fault::kNotAnInteger;
  }
  store::Attributes attributes;
  attributes.has_memcached = true;
  attributes.memcached_flags = static_cast<uint32_t>(*flags);
  attributes.cas = *cas;
  attributes.memcached_state = static_cast<uint8_t>(*state);
  if (*deadline >= 0) attributes.deadline = *deadline;
  return attributes;
}

// Passes the effect on as it came, to replicas of this node.
void Repeat(CommandContext& ctx) { ctx.keys.effects().Add(ctx.keys.database(), ctx.args); }

// MIKURA.SET key value flags cas deadline-ms state -> OK. Errors: kNotAnInteger, kOutOfMemory.
FaultOr<> MikuraSet(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const store::Attributes attributes, AttributesFrom(ctx, 3));
  const FaultOr<store::Found> stored = ctx.keys.SetString(ctx.key_list[0], ctx.args[2], attributes);
  if (!stored.ok()) return stored.error();
  ctx.keys.Notify(EventClass::kString, "set", ctx.key_list[0]);
  Repeat(ctx);
  ctx.reply.Ok();
  return Ok();
}

// MIKURA.ATTRIBUTES key flags cas deadline-ms state -> OK; nothing happens when the key is absent.
// Errors: kWrongType, kNotAnInteger, kOutOfMemory.
FaultOr<> MikuraAttributes(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const store::Attributes attributes, AttributesFrom(ctx, 2));
  ASSIGN_OR_RETURN(store::Found found, ctx.keys.FindString(ctx.key_list[0]));
  if (found) {
    RETURN_IF_ERROR(ctx.keys.SetAttributes(found, ctx.key_list[0], attributes));
    Repeat(ctx);
  }
  ctx.reply.Ok();
  return Ok();
}

constexpr uint32_t kInternal = kWrite | kAdmin | kNoScript | kSkipMonitor | kSkipSlowlog;

constexpr CommandSpec kMemcachedReplicationCommands[] = {
    {.name = "MIKURA.SET",
     .handler = MikuraSet,
     .arity = Exactly(7),
     .keys = OneKeyAt(1),
     .flags = kInternal | kDenyOom,
     .acl = kAclKeyspace | kAclString | kAclDangerous,
     .group = "internal",
     .since = "1.0.0",
     .summary = "Stores a value with what memcached keeps beside it; sent to replicas."},
    {.name = "MIKURA.ATTRIBUTES",
     .handler = MikuraAttributes,
     .arity = Exactly(6),
     .keys = OneKeyAt(1),
     .flags = kInternal,
     .acl = kAclKeyspace | kAclString | kAclDangerous,
     .group = "internal",
     .since = "1.0.0",
     .summary = "Changes what memcached keeps beside a value; sent to replicas."},
};

}  // namespace

std::span<const CommandSpec> MemcachedReplicationCommands() {
  return kMemcachedReplicationCommands;
}

}  // namespace mikura::engine
