// SPDX-License-Identifier: Apache-2.0
// Shows commands to the clients that monitor.
#pragma once

#include <string>

#include "engine/commands/command_context.h"
#include "engine/messaging/monitors.h"

namespace mikura::engine {

// "+1700000000.123456 [0 127.0.0.1:51234] "SET" "k" "v"\r\n". where: the client's address, or
// "lua".
std::string MonitorLine(std::span<const std::string_view> args, int database,
                        std::string_view where, int64_t unix_micros);

// Shows the command whatever its row says. Scripts do that when they begin: what they call follows.
void ShowCommand(CommandContext& ctx);
// The same for a command that a script has called.
void ShowCallOfScript(CommandContext& ctx);

// After a command ran, with its shards locked still.
inline void ShowToMonitors(CommandContext& ctx) {
  if (!ctx.services.monitors.is_active()) [[likely]]
    return;
  const bool is_script = (ctx.spec.flags & kLocksItself) != 0;
  if (is_script ? !ctx.is_shown : (ctx.spec.flags & (kAdmin | kSkipMonitor)) == 0) ShowCommand(ctx);
}

}  // namespace mikura::engine
