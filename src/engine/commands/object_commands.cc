// SPDX-License-Identifier: Apache-2.0
// OBJECT: how values are stored.
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/subcommand_help.h"
#include "engine/commands/value_encoding.h"

namespace mikura::engine {
namespace {

FaultOr<> ObjectEncoding(CommandContext& ctx) {
  const store::Found found = ctx.keys.Peek(ctx.key_list[0]);
  if (!found) {
    ctx.reply.Null();
  } else {
    ctx.reply.Bulk(EncodingName(found.entry, ctx.keys.node_memory()));
  }
  return Ok();
}

// Values are shared with snapshots only; a client sees one reference.
FaultOr<> ObjectRefCount(CommandContext& ctx) {
  if (ctx.keys.Peek(ctx.key_list[0])) {
    ctx.reply.Integer(1);
  } else {
    ctx.reply.Null();
  }
  return Ok();
}

// The counter as it is now. A key that was not used since the policy was set counts as new.
FaultOr<> ObjectFreq(CommandContext& ctx) {
  const store::AccessTracking tracking = ctx.keyspace.tracking();
  const store::Found found = ctx.keys.Peek(ctx.key_list[0]);
  if (!found) {
    ctx.reply.Null();
  } else if (!tracking.is_lfu()) {
    ctx.reply.Error("ERR",
                    "An LFU maxmemory policy is not selected, access frequency not tracked. "
                    "Please note that when switching between policies at runtime LRU and LFU "
                    "data will take some time to adjust.");
  } else {
    ctx.reply.Integer(found.entry.has_access()
                          ? tracking.Counter(found.entry.access(), ctx.keys.now())
                          : store::AccessTracking::kCounterStart);
  }
  return Ok();
}

// Times are kept under an LRU policy, and under the others but LFU from the first OBJECT IDLETIME
// on. A key that was not used since then has been idle since then, or longer.
FaultOr<> ObjectIdleTime(CommandContext& ctx) {
  const store::AccessTracking tracking = ctx.keyspace.tracking();
  const store::Found found = ctx.keys.Peek(ctx.key_list[0]);
  if (!found) {
    ctx.reply.Null();
  } else if (tracking.is_lfu()) {
    ctx.reply.Error("ERR",
                    "An LFU maxmemory policy is selected, idle time not tracked. Please note that "
                    "when switching between policies at runtime LRU and LFU data will take some "
                    "time to adjust.");
  } else {
    if (!tracking.is_lru()) ctx.keyspace.evictor().BeginTimes();
    const UnixMillis since = ctx.keyspace.evictor().tracking_since();
    ctx.reply.Integer(found.entry.has_access()
                          ? store::AccessTracking::IdleSeconds(found.entry.access(), ctx.keys.now())
                          : (ctx.keys.now() - since) / 1000);
  }
  return Ok();
}

constexpr CommandSpec kObjectSubcommands[] = {
    {.name = "ENCODING",
     .handler = ObjectEncoding,
     .arity = Exactly(3),
     .keys = OneKeyAt(2),
     .flags = kReadOnly,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "2.2.3",
     .summary = "Returns the form in which a value is stored.",
     .tips = "nondeterministic_output",
     .key_access = "RO",
     .parent = "OBJECT"},
    {.name = "FREQ",
     .handler = ObjectFreq,
     .arity = Exactly(3),
     .keys = OneKeyAt(2),
     .flags = kReadOnly,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "4.0.0",
     .summary = "Returns how often a key is used, under an LFU policy.",
     .tips = "nondeterministic_output",
     .key_access = "RO",
     .parent = "OBJECT"},
    {.name = "IDLETIME",
     .handler = ObjectIdleTime,
     .arity = Exactly(3),
     .keys = OneKeyAt(2),
     .flags = kReadOnly,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "2.2.3",
     .summary = "Returns the seconds since a key was used.",
     .tips = "nondeterministic_output",
     .key_access = "RO",
     .parent = "OBJECT"},
    {.name = "REFCOUNT",
     .handler = ObjectRefCount,
     .arity = Exactly(3),
     .keys = OneKeyAt(2),
     .flags = kReadOnly,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "2.2.3",
     .summary = "Returns the number of references to a value.",
     .tips = "nondeterministic_output",
     .key_access = "RO",
     .parent = "OBJECT"},
    {.name = "HELP",
     .handler = SubcommandHelp,
     .arity = Exactly(2),
     .flags = kLoadingOk | kStaleOk,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "6.2.0",
     .summary = "Lists the subcommands.",
     .parent = "OBJECT"},
};

constexpr CommandSpec kObjectCommands[] = {
    {.name = "OBJECT",
     .arity = AtLeast(2),
     .group = "generic",
     .since = "2.2.3",
     .summary = "Shows how a value is stored.",
     .subcommands = kObjectSubcommands},
};

}  // namespace

std::span<const CommandSpec> ObjectCommands() { return kObjectCommands; }

}  // namespace mikura::engine
