// SPDX-License-Identifier: Apache-2.0
// Commands on the server as a whole.
#include <fmt/format.h>

#include <chrono>
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/compatible_version.h"
#include "engine/commands/subcommand_help.h"
#include "engine/messaging/monitors.h"

namespace mikura::engine {
namespace {

// INFO [section ...] -> text, one "name:value" per line.
FaultOr<> Info(CommandContext& ctx) {
  std::vector<std::string> sections;
  for (const std::string_view word : ctx.args.subspan(1)) sections.push_back(ToLower(word));
  if (sections.empty()) sections.emplace_back("default");
  const std::vector<std::string_view> views(sections.begin(), sections.end());
  ctx.reply.Verbatim("txt", ctx.services.control.Info(views));
  return Ok();
}

// MONITOR -> OK, and then a line for every command of anybody. The second one has no answer.
FaultOr<> Monitor(CommandContext& ctx) {
  ClientState& client = ctx.client;
  if (!ctx.may_wait || client.receiver == nullptr) {
    ctx.reply.Error("ERR", "MONITOR isn't allowed for DENY BLOCKING client");
    return Ok();
  }
  if (client.is_monitor) return Ok();
  client.is_monitor = true;
  ctx.services.monitors.Add(*client.receiver);
  ctx.services.clients.Publish(client);
  ctx.reply.Ok();
  return Ok();
}

// TIME -> seconds and microseconds of now, not of the batch.
FaultOr<> Time(CommandContext& ctx) {
  using std::chrono::microseconds;
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const int64_t micros = std::chrono::duration_cast<microseconds>(since_epoch).count();
  ctx.reply.Array(2);
  ctx.reply.BulkInteger(micros / 1'000'000);
  ctx.reply.BulkInteger(micros % 1'000'000);
  return Ok();
}

// ROLE -> "master", offset, replicas; or "slave", host, port, link state, offset.
FaultOr<> Role(CommandContext& ctx) {
  const RoleInfo role = ctx.services.control.Role();
  if (!role.is_primary) {
    ctx.reply.Array(5);
    ctx.reply.Bulk("slave");
    ctx.reply.Bulk(role.primary_host);
    ctx.reply.Integer(role.primary_port);
    ctx.reply.Bulk(role.link_state);
    ctx.reply.Integer(role.offset);
    return Ok();
  }
  ctx.reply.Array(3);
  ctx.reply.Bulk("master");
  ctx.reply.Integer(role.offset);
  ctx.reply.Array(role.replicas.size());
  for (const RoleInfo::Replica& replica : role.replicas) {
    ctx.reply.Array(3);
    ctx.reply.Bulk(replica.host);
    ctx.reply.BulkInteger(replica.port);
    ctx.reply.BulkInteger(replica.offset);
  }
  return Ok();
}

// REPLICAOF host port | NO ONE. Answers before the link is there.
FaultOr<> ReplicaOf(CommandContext& ctx) {
  if (EqualsIgnoreCase(ctx.args[1], "NO") && EqualsIgnoreCase(ctx.args[2], "ONE")) {
    ReplyStatus(ctx, ctx.services.control.ReplicaOf("", 0));
    return Ok();
  }
  const std::optional<int64_t> port = ParseInt64(ctx.args[2]);
  if (!port || *port < 0 || *port > 65535) {
    ctx.reply.Error("ERR", "Invalid master port");
    return Ok();
  }
  const RoleInfo role = ctx.services.control.Role();
  if (!role.is_primary && EqualsIgnoreCase(role.primary_host, ctx.args[1]) &&
      role.primary_port == *port) {
    ctx.reply.Simple("OK Already connected to specified master");
    return Ok();
  }
  ReplyStatus(ctx, ctx.services.control.ReplicaOf(ctx.args[1], static_cast<int>(*port)));
  return Ok();
}

// LOLWUT -> a small picture: a storehouse, which is what "mikura" means.
FaultOr<> LolWut(CommandContext& ctx) {
  ctx.reply.Verbatim("txt", fmt::format("     /\\\n"
                                        "    /  \\\n"
                                        "   /____\\\n"
                                        "   |    |\n"
                                        "   | [] |\n"
                                        "  _|____|_\n"
                                        "\nMikura. Redis ver. {}\n",
                                        kCompatibleRedisVersion));
  return Ok();
}

// MODULE LIST -> nothing: there are none.
FaultOr<> ModuleList(CommandContext& ctx) {
  ctx.reply.Array(0);
  return Ok();
}

FaultOr<> RefuseModule(CommandContext& ctx) {
  ctx.reply.Error("ERR", "Modules are not supported");
  return Ok();
}

constexpr CommandSpec ModuleRow(std::string_view name, CommandHandler handler, Arity arity,
                                std::string_view summary) {
  const bool is_help = name == "HELP";
  const bool is_list = name == "LIST";
  return {.name = name,
          .handler = handler,
          .arity = arity,
          .flags = is_help   ? kLoadingOk | kStaleOk
                   : is_list ? kAdmin | kNoScript
                             : kAdmin | kNoScript | kNoAsyncLoading,
          .group = "server",
          .since = is_help            ? "5.0.0"
                   : name == "LOADEX" ? "7.0.0"
                                      : "4.0.0",
          .summary = summary,
          .tips = is_list ? "nondeterministic_output_order" : "",
          .parent = "MODULE"};
}

constexpr CommandSpec kModuleSubcommands[] = {
    ModuleRow("HELP", SubcommandHelp, Exactly(2), "Lists the subcommands."),
    ModuleRow("LIST", ModuleList, Exactly(2), "Lists the loaded modules: none."),
    ModuleRow("LOAD", RefuseModule, AtLeast(3), "Refused: there are no modules."),
    ModuleRow("LOADEX", RefuseModule, AtLeast(3), "Refused: there are no modules."),
    ModuleRow("UNLOAD", RefuseModule, Exactly(3), "Refused: there are no modules."),
};

constexpr CommandSpec kServerCommands[] = {
    {.name = "MODULE",
     .arity = AtLeast(2),
     .group = "server",
     .since = "4.0.0",
     .summary = "Modules, of which there are none.",
     .subcommands = kModuleSubcommands},
    {.name = "INFO",
     .handler = Info,
     .arity = AtLeast(1),
     .flags = kLoadingOk | kStaleOk,
     .acl = kAclDangerous,
     .group = "server",
     .since = "1.0.0",
     .summary = "Returns information and statistics of the server.",
     .tips = "nondeterministic_output|request_policy:all_shards|response_policy:special"},
    {.name = "MONITOR",
     .handler = Monitor,
     .arity = Exactly(1),
     .flags = kAdmin | kNoScript | kLoadingOk | kStaleOk,
     .group = "server",
     .since = "1.0.0",
     .summary = "Shows every command that is run, until RESET or the end."},
    {.name = "TIME",
     .handler = Time,
     .arity = Exactly(1),
     .flags = kLoadingOk | kStaleOk | kFast,
     .group = "server",
     .since = "2.6.0",
     .summary = "Returns the server's time.",
     .tips = "nondeterministic_output"},
    {.name = "ROLE",
     .handler = Role,
     .arity = Exactly(1),
     .flags = kNoScript | kLoadingOk | kStaleOk | kFast,
     .acl = kAclAdmin | kAclDangerous,
     .group = "server",
     .since = "2.8.12",
     .summary = "Returns the replication role."},
    {.name = "REPLICAOF",
     .handler = ReplicaOf,
     .arity = Exactly(3),
     .flags = kAdmin | kNoScript | kStaleOk | kNoAsyncLoading,
     .group = "server",
     .since = "5.0.0",
     .summary = "Makes the server a replica, or a primary."},
    {.name = "SLAVEOF",
     .handler = ReplicaOf,
     .arity = Exactly(3),
     .flags = kAdmin | kNoScript | kStaleOk | kNoAsyncLoading,
     .group = "server",
     .since = "1.0.0",
     .summary = "Older name of REPLICAOF."},
    {.name = "LOLWUT",
     .handler = LolWut,
     .arity = AtLeast(1),
     .flags = kReadOnly | kFast,
     .group = "server",
     .since = "5.0.0",
     .summary = "Draws a picture and names the version."},
};

}  // namespace

std::span<const CommandSpec> ServerCommands() { return kServerCommands; }

}  // namespace mikura::engine
