// SPDX-License-Identifier: Apache-2.0
// CLIENT: the connections of the server.
#include <fmt/format.h>

#include <vector>

#include "engine/commands/blocking.h"
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

// The kind of client that a word of CLIENT LIST and KILL names; "" when it names none.
std::string_view ClientTypeOf(std::string_view word) {
  if (EqualsIgnoreCase(word, "slave")) return "replica";
  for (const std::string_view type : {"normal", "replica", "pubsub", "master"}) {
    if (EqualsIgnoreCase(word, type)) return type;
  }
  return {};
}

void ReplyUnknownType(CommandContext& ctx, std::string_view word) {
  ctx.reply.Error("ERR", fmt::format("Unknown client type '{}'", word));
}

size_t WordBytes(std::span<const std::string_view> words) {
  size_t bytes = 0;
  for (const std::string_view word : words) bytes += word.size();
  return bytes;
}

// The running request, as clients send it.
size_t RequestBytes(std::span<const std::string_view> words) {
  size_t bytes = WordBytes(words) + fmt::formatted_size("*{}\r\n", words.size());
  for (const std::string_view word : words) {
    bytes += fmt::formatted_size("${}\r\n\r\n", word.size());
  }
  return bytes;
}

// One line per client that `wanted` accepts. This client's own line shows its state as of now.
template <typename Wanted>
std::string ClientLines(CommandContext& ctx, Wanted wanted) {
  std::string text;
  for (ClientInfo& info : ctx.services.clients.List()) {
    if (info.state.id == ctx.client.id) {
      info.state = ctx.client;
      info.last_command = FullName(ctx.spec);
      info.last_active_at = ctx.now();
      info.held_input_bytes = RequestBytes(ctx.args);
      info.argument_bytes = WordBytes(ctx.args);
    }
    if (wanted(info.state)) text += ctx.services.clients.Describe(info, ctx.now()) + "\n";
  }
  return text;
}

// CLIENT LIST [TYPE type | ID id ...]
FaultOr<> ClientList(CommandContext& ctx) {
  std::string_view type;
  std::vector<uint64_t> ids;
  if (ctx.args.size() == 4 && EqualsIgnoreCase(ctx.args[2], "TYPE")) {
    type = ClientTypeOf(ctx.args[3]);
    if (type.empty()) {
      ReplyUnknownType(ctx, ctx.args[3]);
      return Ok();
    }
  } else if (ctx.args.size() > 3 && EqualsIgnoreCase(ctx.args[2], "ID")) {
    for (const std::string_view word : ctx.args.subspan(3)) {
      const std::optional<int64_t> id = ParseInt64(word);
      if (!id) {
        ctx.reply.Error("ERR", "Invalid client ID");
        return Ok();
      }
      ids.push_back(static_cast<uint64_t>(*id));
    }
  } else if (ctx.args.size() != 2) {
    return Fault::kSyntax;
  }
  const std::string text = ClientLines(ctx, [&](const ClientState& client) {
    if (!type.empty() && type != ClientTypeName(client)) return false;
    return ids.empty() || std::find(ids.begin(), ids.end(), client.id) != ids.end();
  });
  ctx.reply.Verbatim("txt", text);
  return Ok();
}

FaultOr<> ClientInfoLine(CommandContext& ctx) {
  ctx.reply.Verbatim("txt", ClientLines(ctx, [&](const ClientState& client) {
                       return client.id == ctx.client.id;
                     }));
  return Ok();
}

bool Matches(const ClientFilter& filter, const ClientState& client) {
  return (!filter.id || *filter.id == client.id) &&
         (!filter.address || *filter.address == client.address) &&
         (!filter.local_address || *filter.local_address == client.local_address) &&
         (!filter.user || *filter.user == client.user) &&
         (!filter.type || *filter.type == ClientTypeName(client));
}

// One pair of CLIENT KILL's filter. False after an error reply.
bool TakeFilter(CommandContext& ctx, std::string_view name, std::string_view value,
                ClientFilter& filter, bool& skip_me) {
  if (EqualsIgnoreCase(name, "ID")) {
    const std::optional<int64_t> id = ParseInt64(value);
    if (!id || *id < 1) {
      ctx.reply.Error("ERR", "client-id should be greater than 0");
      return false;
    }
    filter.id = static_cast<uint64_t>(*id);
  } else if (EqualsIgnoreCase(name, "TYPE")) {
    const std::string_view type = ClientTypeOf(value);
    if (type.empty()) {
      ReplyUnknownType(ctx, value);
      return false;
    }
    filter.type = std::string(type);
  } else if (EqualsIgnoreCase(name, "ADDR")) {
    filter.address = std::string(value);
  } else if (EqualsIgnoreCase(name, "LADDR")) {
    filter.local_address = std::string(value);
  } else if (EqualsIgnoreCase(name, "USER")) {
    if (value != "default") {
      ctx.reply.Error("ERR", fmt::format("No such user '{}'", value));
      return false;
    }
    filter.user = std::string(value);
  } else if (EqualsIgnoreCase(name, "SKIPME") &&
             (EqualsIgnoreCase(value, "yes") || EqualsIgnoreCase(value, "no"))) {
    skip_me = EqualsIgnoreCase(value, "yes");
  } else {
    ctx.reply.Error("ERR", "syntax error");
    return false;
  }
  return true;
}

// Ends the clients that match; this one after its reply. Returns how many.
int64_t KillMatching(CommandContext& ctx, ClientFilter filter, bool skip_me) {
  filter.skip_id = ctx.client.id;
  auto killed = static_cast<int64_t>(ctx.services.clients.Kill(filter));
  if (!skip_me && Matches(filter, ctx.client)) {
    ctx.client.close_after_reply = true;
    ++killed;
  }
  return killed;
}

// CLIENT KILL address, or CLIENT KILL filter value ...
FaultOr<> ClientKill(CommandContext& ctx) {
  ClientFilter filter;
  if (ctx.args.size() == 3) {
    filter.address = std::string(ctx.args[2]);
    if (KillMatching(ctx, filter, false) > 0) {
      ctx.reply.Ok();
    } else {
      ctx.reply.Error("ERR", "No such client");
    }
    return Ok();
  }
  bool skip_me = true;
  for (size_t i = 2; i < ctx.args.size(); i += 2) {
    if (i + 1 >= ctx.args.size()) return Fault::kSyntax;
    if (!TakeFilter(ctx, ctx.args[i], ctx.args[i + 1], filter, skip_me)) return Ok();
  }
  ctx.reply.Integer(KillMatching(ctx, filter, skip_me));
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
