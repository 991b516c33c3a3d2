// SPDX-License-Identifier: Apache-2.0
// CONFIG: the settings of the server (wire/engine_parameters.h).
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/subcommand_help.h"

namespace mikura::engine {
namespace {

// CONFIG GET pattern ... -> names and values.
FaultOr<> ConfigGet(CommandContext& ctx) {
  const auto found = ctx.services.parameters.Get(ctx.args.subspan(2));
  ctx.reply.Map(found.size());
  for (const auto& [name, value] : found) {
    ctx.reply.Bulk(name);
    ctx.reply.Bulk(value);
  }
  return Ok();
}

// CONFIG SET name value ...: all or none.
FaultOr<> ConfigSet(CommandContext& ctx) {
  if (ctx.args.size() % 2 != 0) return Fault::kSyntax;
  std::vector<std::pair<std::string_view, std::string_view>> changes;
  for (size_t i = 2; i < ctx.args.size(); i += 2) {
    changes.emplace_back(ctx.args[i], ctx.args[i + 1]);
  }
  const Status status = ctx.services.parameters.Set(changes);
  if (status.ok()) {
    ctx.reply.Ok();
  } else {
    ctx.reply.Error("ERR", status.error().message);
  }
  return Ok();
}

FaultOr<> ConfigResetStat(CommandContext& ctx) {
  ctx.services.control.ResetStatistics();
  ctx.reply.Ok();
  return Ok();
}

// The control plane owns the file of a node it runs: a node does not write it.
FaultOr<> ConfigRewrite(CommandContext& ctx) {
  ctx.reply.Error("ERR", "CONFIG REWRITE is not available: change the configuration file itself");
  return Ok();
}

constexpr uint32_t kFlags = kAdmin | kNoScript | kLoadingOk | kStaleOk;

constexpr CommandSpec kConfigSubcommands[] = {
    {.name = "GET",
     .handler = ConfigGet,
     .arity = AtLeast(3),
     .flags = kFlags,
     .group = "server",
     .since = "2.0.0",
     .summary = "Returns the settings that match patterns.",
     .parent = "CONFIG"},
    {.name = "SET",
     .handler = ConfigSet,
     .arity = AtLeast(4),
     .flags = kFlags,
     .group = "server",
     .since = "2.0.0",
     .summary = "Changes settings while the server runs.",
     .tips = "request_policy:all_nodes|response_policy:all_succeeded",
     .parent = "CONFIG"},
    {.name = "RESETSTAT",
     .handler = ConfigResetStat,
     .arity = Exactly(2),
     .flags = kFlags,
     .group = "server",
     .since = "2.0.0",
     .summary = "Sets the statistics of INFO to zero.",
     .parent = "CONFIG"},
    {.name = "REWRITE",
     .handler = ConfigRewrite,
     .arity = Exactly(2),
     .flags = kFlags,
     .group = "server",
     .since = "2.8.0",
     .summary = "Refused: the file is not ours to write.",
     .parent = "CONFIG"},
    {.name = "HELP",
     .handler = SubcommandHelp,
     .arity = Exactly(2),
     .flags = kLoadingOk | kStaleOk,
     .group = "server",
     .since = "5.0.0",
     .summary = "Lists the subcommands.",
     .parent = "CONFIG"},
};

constexpr CommandSpec kConfigCommands[] = {
    {.name = "CONFIG",
     .arity = AtLeast(2),
     .group = "server",
     .since = "2.0.0",
     .summary = "Shows and changes settings.",
     .subcommands = kConfigSubcommands},
};

}  // namespace

std::span<const CommandSpec> ConfigCommands() { return kConfigCommands; }

}  // namespace mikura::engine
