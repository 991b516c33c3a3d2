// SPDX-License-Identifier: Apache-2.0
// CLIENT: the connections of the server.
#include <fmt/format.h>

#include "engine/commands/blocking.h"
#include "engine/commands/client_list_commands.h"
#include "engine/commands/client_name.h"
#include "engine/commands/client_tracking_commands.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/subcommand_help.h"

namespace mikura::engine {
namespace {

FaultOr<> ClientId(CommandContext& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(ctx.client.id));
  return Ok();
}

FaultOr<> ClientSetName(CommandContext& ctx) {
  if (!IsClientName(ctx.args[2])) {
    ctx.reply.Error("ERR", kBadClientName);
    return Ok();
  }
  ctx.client.name = std::string(ctx.args[2]);
  ctx.services.clients.Publish(ctx.client);
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> ClientGetName(CommandContext& ctx) {
  if (ctx.client.name.empty()) {
    ctx.reply.Null();
  } else {
    ctx.reply.Bulk(ctx.client.name);
  }
  return Ok();
}

// CLIENT SETINFO LIB-NAME | LIB-VER text: what library speaks here.
FaultOr<> ClientSetInfo(CommandContext& ctx) {
  const bool is_name = EqualsIgnoreCase(ctx.args[2], "LIB-NAME");
  if (!is_name && !EqualsIgnoreCase(ctx.args[2], "LIB-VER")) {
    ctx.reply.Error("ERR", fmt::format("Unrecognized option '{}'", ctx.args[2]));
    return Ok();
  }
  if (!IsClientName(ctx.args[3])) {
    ctx.reply.Error("ERR", fmt::format("{} cannot contain spaces, newlines or special characters.",
                                       ToLower(ctx.args[2])));
    return Ok();
  }
  (is_name ? ctx.client.library_name : ctx.client.library_version) = std::string(ctx.args[3]);
  ctx.services.clients.Publish(ctx.client);
  ctx.reply.Ok();
  return Ok();
}

// CLIENT UNBLOCK id [TIMEOUT | ERROR]
FaultOr<> ClientUnblock(CommandContext& ctx) {
  bool with_error = false;
  if (ctx.args.size() == 4) {
    with_error = EqualsIgnoreCase(ctx.args[3], "ERROR");
    if (!with_error && !EqualsIgnoreCase(ctx.args[3], "TIMEOUT")) {
      ctx.reply.Error("ERR", "CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
      return Ok();
    }
  } else if (ctx.args.size() > 4) {
    ctx.reply.Error("ERR", WrongArityMessage(ctx.spec));
    return Ok();
  }
  ASSIGN_OR_RETURN(const int64_t id, ToInteger(ctx.args[2]));
  const bool unblocked =
      id > 0 && ctx.services.clients.Unblock(static_cast<uint64_t>(id), with_error);
  ctx.reply.Integer(unblocked ? 1 : 0);
  return Ok();
}

// CLIENT PAUSE milliseconds [WRITE | ALL]
FaultOr<> ClientPause(CommandContext& ctx) {
  bool all = true;
  if (ctx.args.size() == 4) {
    all = EqualsIgnoreCase(ctx.args[3], "ALL");
    if (!all && !EqualsIgnoreCase(ctx.args[3], "WRITE")) {
      ctx.reply.Error("ERR", "CLIENT PAUSE mode must be WRITE or ALL");
      return Ok();
    }
  } else if (ctx.args.size() > 4) {
    ctx.reply.Error("ERR", WrongArityMessage(ctx.spec));
    return Ok();
  }
  const std::optional<UnixMillis> timeout = WaitMillis(ctx, ctx.args[2]);
  if (!timeout) return Ok();
  UnixMillis end = INT64_MAX;
  if (__builtin_add_overflow(ctx.now(), *timeout, &end)) end = INT64_MAX;
  ctx.services.control.Pause(ctx.now(), end, all);
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> ClientUnpause(CommandContext& ctx) {
  ctx.services.control.Unpause();
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> SetSwitch(CommandContext& ctx, bool ClientState::*field) {
  const bool on = EqualsIgnoreCase(ctx.args[2], "ON");
  if (!on && !EqualsIgnoreCase(ctx.args[2], "OFF")) return Fault::kSyntax;
  ctx.client.*field = on;
  ctx.services.clients.Publish(ctx.client);
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> ClientNoEvict(CommandContext& ctx) { return SetSwitch(ctx, &ClientState::no_evict); }
FaultOr<> ClientNoTouch(CommandContext& ctx) { return SetSwitch(ctx, &ClientState::no_touch); }

// CLIENT REPLY ON | OFF | SKIP. Only ON is answered.
FaultOr<> ClientReply(CommandContext& ctx) {
  if (EqualsIgnoreCase(ctx.args[2], "ON")) {
    ctx.client.replies_off = false;
    ctx.client.reply_is_push = true;  // answered even if one reply was to be left out
    ctx.reply.Ok();
  } else if (EqualsIgnoreCase(ctx.args[2], "OFF")) {
    ctx.client.replies_off = true;
  } else if (EqualsIgnoreCase(ctx.args[2], "SKIP")) {
    ctx.client.skip_next_reply = !ctx.client.replies_off;
  } else {
    return Fault::kSyntax;
  }
  return Ok();
}

constexpr uint32_t kFlags = kNoScript | kLoadingOk | kStaleOk;

constexpr CommandSpec kClientSubcommands[] = {
    {.name = "ID",
     .handler = ClientId,
     .arity = Exactly(2),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "connection",
     .since = "5.0.0",
     .summary = "Returns the number of the connection.",
     .parent = "CLIENT"},
    {.name = "SETNAME",
     .handler = ClientSetName,
     .arity = Exactly(3),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "connection",
     .since = "2.6.9",
     .summary = "Names the connection.",
     .parent = "CLIENT"},
    {.name = "GETNAME",
     .handler = ClientGetName,
     .arity = Exactly(2),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "connection",
     .since = "2.6.9",
     .summary = "Returns the name of the connection.",
     .parent = "CLIENT"},
    {.name = "SETINFO",
     .handler = ClientSetInfo,
     .arity = Exactly(4),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "connection",
     .since = "7.2.0",
     .summary = "Names the client's library and its version.",
     .parent = "CLIENT"},
    {.name = "LIST",
     .handler = ClientList,
     .arity = AtLeast(2),
     .flags = kFlags | kAdmin,
     .acl = kAclConnection,
     .group = "connection",
     .since = "2.4.0",
     .summary = "Lists the connections.",
     .tips = "nondeterministic_output",
     .parent = "CLIENT"},
    {.name = "INFO",
     .handler = ClientInfoLine,
     .arity = Exactly(2),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.2.0",
     .summary = "Shows this connection as CLIENT LIST does.",
     .tips = "nondeterministic_output",
     .parent = "CLIENT"},
    {.name = "KILL",
     .handler = ClientKill,
     .arity = AtLeast(3),
     .flags = kFlags | kAdmin,
     .acl = kAclConnection,
     .group = "connection",
     .since = "2.4.0",
     .summary = "Closes connections.",
     .parent = "CLIENT"},
    {.name = "NO-EVICT",
     .handler = ClientNoEvict,
     .arity = Exactly(3),
     .flags = kFlags | kAdmin,
     .acl = kAclConnection,
     .group = "connection",
     .since = "7.0.0",
     .summary = "Protects the connection from being closed for its memory.",
     .parent = "CLIENT"},
    {.name = "NO-TOUCH",
     .handler = ClientNoTouch,
     .arity = Exactly(3),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "connection",
     .since = "7.2.0",
     .summary = "Lets the connection use keys without a trace.",
     .parent = "CLIENT"},
    {.name = "TRACKING",
     .handler = ClientTrackingSwitch,
     .arity = AtLeast(3),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.0.0",
     .summary = "Tells of changes of keys that the connection has read.",
     .parent = "CLIENT"},
    {.name = "TRACKINGINFO",
     .handler = ClientTrackingInfo,
     .arity = Exactly(2),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.2.0",
     .summary = "Shows how the connection tracks keys.",
     .parent = "CLIENT"},
    {.name = "CACHING",
     .handler = ClientCaching,
     .arity = Exactly(3),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.0.0",
     .summary = "Says whether the keys of the next command are tracked.",
     .parent = "CLIENT"},
    {.name = "GETREDIR",
     .handler = ClientGetRedir,
     .arity = Exactly(2),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.0.0",
     .summary = "Returns the connection that is told instead of this one.",
     .parent = "CLIENT"},
    {.name = "REPLY",
     .handler = ClientReply,
     .arity = Exactly(3),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "connection",
     .since = "3.2.0",
     .summary = "Switches replies off and on.",
     .parent = "CLIENT"},
    {.name = "UNBLOCK",
     .handler = ClientUnblock,
     .arity = AtLeast(3),
     .flags = kFlags | kAdmin,
     .acl = kAclConnection,
     .group = "connection",
     .since = "5.0.0",
     .summary = "Ends the waiting of a connection.",
     .parent = "CLIENT"},
    {.name = "PAUSE",
     .handler = ClientPause,
     .arity = AtLeast(3),
     .flags = kFlags | kAdmin,
     .acl = kAclConnection,
     .group = "connection",
     .since = "3.0.0",
     .summary = "Lets no connection write, or do anything, for some time.",
     .parent = "CLIENT"},
    {.name = "UNPAUSE",
     .handler = ClientUnpause,
     .arity = Exactly(2),
     .flags = kFlags | kAdmin,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.2.0",
     .summary = "Ends a pause.",
     .parent = "CLIENT"},
    {.name = "HELP",
     .handler = SubcommandHelp,
     .arity = Exactly(2),
     .flags = kLoadingOk | kStaleOk,
     .acl = kAclConnection,
     .group = "connection",
     .since = "5.0.0",
     .summary = "Lists the subcommands.",
     .parent = "CLIENT"},
};

constexpr CommandSpec kClientCommands[] = {
    {.name = "CLIENT",
     .arity = AtLeast(2),
     .group = "connection",
     .since = "2.4.0",
     .summary = "Shows and changes connections.",
     .subcommands = kClientSubcommands},
};

}  // namespace

std::span<const CommandSpec> ClientCommands() { return kClientCommands; }

}  // namespace mikura::engine
