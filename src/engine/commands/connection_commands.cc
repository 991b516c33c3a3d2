// SPDX-License-Identifier: Apache-2.0
// Commands on the connection itself: login, protocol version, liveness.
#include <fmt/format.h>

#include "engine/commands/client_name.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/subscriptions.h"
#include "engine/commands/transaction.h"
#include "engine/messaging/client_tracking.h"
#include "engine/messaging/monitors.h"
#include "engine/messaging/pubsub.h"

namespace mikura::engine {
namespace {

FaultOr<> Ping(CommandContext& ctx) {
  if (ctx.args.size() > 2) {
    ctx.reply.Error("ERR", WrongArityMessage(ctx.spec));
  } else if (ctx.client.is_subscriber && ctx.client.resp_version == 2) {
    // Subscribers of RESP2 read arrays only.
    ctx.reply.Array(2);
    ctx.reply.Bulk("pong");
    ctx.reply.Bulk(ctx.args.size() == 2 ? ctx.args[1] : "");
  } else if (ctx.args.size() == 2) {
    ctx.reply.Bulk(ctx.args[1]);
  } else {
    ctx.reply.Simple("PONG");
  }
  return Ok();
}

FaultOr<> Echo(CommandContext& ctx) {
  ctx.reply.Bulk(ctx.args[1]);
  return Ok();
}

FaultOr<> Login(CommandContext& ctx, std::string_view user, std::string_view password) {
  if (ctx.services.access.Login(ctx.client, user, password)) return Ok();
  ctx.services.access.NoteFailedLogin(user, AccessContext::kTopLevel,
                                      ctx.services.clients.DescribeOwn(ctx.client, ctx.now()),
                                      ctx.now());
  return Fault::kWrongPassword;
}

// AUTH [user] password. Errors: kWrongPassword, kSyntax.
FaultOr<> Auth(CommandContext& ctx) {
  if (ctx.args.size() > 3) return Fault::kSyntax;
  const bool password_only = ctx.args.size() == 2;
  if (password_only && !ctx.services.access.RequiresAuthentication()) {
    ctx.reply.Error("ERR",
                    "AUTH <password> called without any password configured for the default user. "
                    "Are you sure your configuration is correct?");
    return Ok();
  }
  RETURN_IF_ERROR(Login(ctx, password_only ? "default" : ctx.args[1], ctx.args.back()));
  ctx.services.clients.Publish(ctx.client);
  ctx.reply.Ok();
  return Ok();
}

struct HelloOptions {
  std::optional<int> version;
  std::string_view user;
  std::string_view password;
  bool has_login = false;
  std::optional<std::string_view> name;
};

// The words behind HELLO. Nullopt after an error reply.
std::optional<HelloOptions> ParseHello(CommandContext& ctx) {
  HelloOptions options;
  if (ctx.args.size() == 1) return options;
  const std::optional<int64_t> version = ParseInt64(ctx.args[1]);
  if (!version) {
    ctx.reply.Error("ERR", "Protocol version is not an integer or out of range");
    return std::nullopt;
  }
  if (*version != 2 && *version != 3) {
    ctx.reply.Error("NOPROTO", "unsupported protocol version");
    return std::nullopt;
  }
  options.version = static_cast<int>(*version);
  for (size_t i = 2; i < ctx.args.size(); ++i) {
    const size_t more = ctx.args.size() - i - 1;
    if (EqualsIgnoreCase(ctx.args[i], "AUTH") && more >= 2) {
      options.has_login = true;
      options.user = ctx.args[i + 1];
      options.password = ctx.args[i + 2];
      i += 2;
    } else if (EqualsIgnoreCase(ctx.args[i], "SETNAME") && more >= 1) {
      options.name = ctx.args[++i];
      if (!IsClientName(*options.name)) {
        ctx.reply.Error("ERR", kBadClientName);
        return std::nullopt;
      }
    } else {
      ctx.reply.Error("ERR", fmt::format("Syntax error in HELLO option '{}'", ctx.args[i]));
      return std::nullopt;
    }
  }
  return options;
}

void ReplyServerProperties(CommandContext& ctx) {
  const ShownVersion shown = ctx.services.control.Version();
  ctx.reply.Map(7);
  ctx.reply.Bulk("server");
  ctx.reply.Bulk(shown.server);
  ctx.reply.Bulk("version");
  ctx.reply.Bulk(shown.version);
  ctx.reply.Bulk("proto");
  ctx.reply.Integer(ctx.client.resp_version);
  ctx.reply.Bulk("id");
  ctx.reply.Integer(static_cast<int64_t>(ctx.client.id));
  ctx.reply.Bulk("mode");
  ctx.reply.Bulk("standalone");
  ctx.reply.Bulk("role");
  ctx.reply.Bulk(ctx.services.control.IsPrimary() ? "master" : "replica");
  ctx.reply.Bulk("modules");
  ctx.reply.Array(0);
}

// HELLO [version [AUTH user password] [SETNAME name]] -> what the server is. The reply already has
// the form of the new version.
FaultOr<> Hello(CommandContext& ctx) {
  const std::optional<HelloOptions> options = ParseHello(ctx);
  if (!options) return Ok();
  if (options->has_login) RETURN_IF_ERROR(Login(ctx, options->user, options->password));
  if (!ctx.client.authenticated) {
    ctx.reply.Error("NOAUTH",
                    "HELLO must be called with the client already authenticated, otherwise the "
                    "HELLO AUTH <user> <pass> option can be used to authenticate the "
                    "client and select the RESP protocol version at the same time");
    return Ok();
  }
  if (options->name) ctx.client.name = std::string(*options->name);
  if (options->version) {
    ctx.client.resp_version = *options->version;
    ctx.reply.set_version(*options->version);
  }
  ctx.services.clients.Publish(ctx.client);
  ReplyServerProperties(ctx);
  return Ok();
}

// RESET: the connection is as if it had just been made.
FaultOr<> Reset(CommandContext& ctx) {
  ClientState& client = ctx.client;
  if (client.receiver != nullptr) {
    ctx.services.pubsub.UnsubscribeAll(*client.receiver);
    ctx.services.tracking.Disable(*client.receiver);
    ctx.services.monitors.Remove(*client.receiver);
    client.is_monitor = false;
    CountSubscriptions(client);
  }
  client.name.clear();
  client.user = "default";
  client.database = 0;
  client.resp_version = 2;
  client.authenticated = !ctx.services.access.RequiresAuthentication();
  client.no_evict = false;
  client.no_touch = false;
  client.replies_off = false;
  client.skip_next_reply = false;
  DiscardTransaction(client);
  ctx.reply.set_version(2);
  ctx.services.clients.Publish(client);
  ctx.reply.Simple("RESET");
  return Ok();
}

FaultOr<> Quit(CommandContext& ctx) {
  ctx.client.close_after_reply = true;
  ctx.reply.Ok();
  return Ok();
}

constexpr uint32_t kLoginFlags =
    kNoScript | kLoadingOk | kStaleOk | kFast | kNoAuthNeeded | kAllowBusy;

constexpr CommandSpec kConnectionCommands[] = {
    {.name = "PING",
     .handler = Ping,
     .arity = AtLeast(1),
     .flags = kFast | kSubscriberOk,
     .acl = kAclConnection,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Answers PONG, or what it was given.",
     .tips = "request_policy:all_shards|response_policy:all_succeeded"},
    {.name = "ECHO",
     .handler = Echo,
     .arity = Exactly(2),
     .flags = kLoadingOk | kStaleOk | kFast,
     .acl = kAclConnection,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Answers what it was given."},
    {.name = "AUTH",
     .handler = Auth,
     .arity = AtLeast(2),
     .flags = kLoginFlags,
     .acl = kAclConnection,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Logs the connection in."},
    {.name = "HELLO",
     .handler = Hello,
     .arity = AtLeast(1),
     .flags = kLoginFlags,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.0.0",
     .summary = "Chooses the protocol version, and shows what the server is."},
    {.name = "RESET",
     .handler = Reset,
     .arity = Exactly(1),
     .flags = kLoginFlags | kRunsInMulti | kSubscriberOk,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.2.0",
     .summary = "Makes the connection as it was in the beginning."},
    {.name = "QUIT",
     .handler = Quit,
     .arity = AtLeast(1),
     .flags = kLoginFlags | kRunsInMulti | kSubscriberOk,
     .acl = kAclConnection,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Closes the connection."},
};

}  // namespace

std::span<const CommandSpec> ConnectionCommands() { return kConnectionCommands; }

}  // namespace mikura::engine
