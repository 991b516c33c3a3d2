// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/commands/command_context.h"

namespace mikura::engine {

// X HELP -> the subcommands of X with their summaries, from their rows.
FaultOr<> SubcommandHelp(CommandContext& ctx);

// Replies that the subcommand does not take these words.
void ReplySubcommandSyntax(CommandContext& ctx);

}  // namespace mikura::engine
