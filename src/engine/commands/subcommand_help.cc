// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/subcommand_help.h"

#include <fmt/format.h>

#include "base/check.h"
#include "engine/commands/command_table.h"

namespace mikura::engine {

FaultOr<> SubcommandHelp(CommandContext& ctx) {
  const CommandSpec* command = ctx.table.Find(ctx.spec.parent);
  CHECK(command != nullptr);
  ctx.reply.Array(1 + 2 * command->subcommands.size());
  ctx.reply.Simple(
      fmt::format("{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", command->name));
  for (const CommandSpec& subcommand : command->subcommands) {
    ctx.reply.Simple(subcommand.name);
    ctx.reply.Simple(fmt::format("    {}", subcommand.summary));
  }
  return Ok();
}

void ReplySubcommandSyntax(CommandContext& ctx) {
  ctx.reply.Error(
      "ERR", fmt::format("unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
                         ctx.args[1], ctx.spec.parent));
}

}  // namespace mikura::engine
