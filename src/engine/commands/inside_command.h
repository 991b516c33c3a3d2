// SPDX-License-Identifier: Apache-2.0
// Runs a command inside another one that holds its shards: EXEC's queue, the calls of a script.
#pragma once

#include <span>
#include <string_view>

#include "engine/commands/command_context.h"

namespace mikura::engine {

// A command whose row was found, whose number of words fits, and which may run.
struct InsideCommand {
  const CommandSpec& spec;
  std::span<const std::string_view> args;
  std::span<const Key> keys;
  ShardSet* collected = nullptr;  // CommandContext::collected
};

// Runs `command` as if the client of `outer` had sent it, at the same moment, and writes its one
// reply to `reply`. Its effects join those of `outer`, which are logged together.
//
// held: all shards of its keys, at least; all shards at all when it visits shards by itself. Then
// nothing is locked here. The command does not wait: one that blocks answers as when its time is
// up.
void RunInside(CommandContext& outer, HeldShards held, const InsideCommand& command,
               wire::RespWriter& reply);

}  // namespace mikura::engine
