// SPDX-License-Identifier: Apache-2.0
// The subcommands of CLIENT that name connections by what they are; their rows are in
// client_commands.cc.
#pragma once

#include "engine/commands/command_context.h"

namespace mikura::engine {

FaultOr<> ClientList(CommandContext& ctx);
FaultOr<> ClientInfoLine(CommandContext& ctx);  // CLIENT INFO
FaultOr<> ClientKill(CommandContext& ctx);

}  // namespace mikura::engine
