// SPDX-License-Identifier: Apache-2.0
// DEBUG, for tests: allowed by enable-debug-command only. It has one row, as in Redis, so its
// handler finds its keys and takes their locks itself.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/value_encoding.h"

namespace mikura::engine {
namespace {

// Holds up this connection's event loop, and nothing else. At most an hour.
FaultOr<> Sleep(CommandContext& ctx) {
  constexpr double kSecondsMax = 3600;
  const double seconds = ParseDouble(ctx.args[2]).value_or(0);
  if (seconds > 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(seconds, kSecondsMax)));
  }
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> ShowObject(CommandContext& ctx) {
  const Key key = ctx.keyspace.hasher()(ctx.args[2]);
  std::string line;
  {
    ShardGuard guard(ctx.keyspace.lock(key.shard()));
    const store::Found found = ctx.keys.Peek(key);
    if (!found) return Fault::kNoSuchKey;
    line =
        fmt::format("Value at:{} refcount:1 encoding:{} serializedlength:{}",
                    fmt::ptr(found.entry.value().data()),
                    EncodingName(found.entry, ctx.keys.node_memory()), found.entry.value().size());
  }
  ctx.reply.Simple(line);
  return Ok();
}

FaultOr<> ShowHelp(CommandContext& ctx) {
  constexpr std::string_view kLines[] = {
      "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "OBJECT <key>",
      "    Shows how the value of a key is stored.",
      "SLEEP <seconds>",
      "    Holds up the connection's event loop.",
      "HELP",
      "    Lists the subcommands.",
  };
  ctx.reply.Array(std::size(kLines));
  for (const std::string_view line : kLines) ctx.reply.Simple(line);
  return Ok();
}

FaultOr<> Debug(CommandContext& ctx) {
  if (!ctx.services.control.DebugAllowed(ctx.client)) {
    ctx.reply.Error("ERR",
                    "DEBUG command not allowed. If the enable-debug-command option is set to "
                    "\"local\", you can run it from a local connection, otherwise you need to set "
                    "this option in the configuration file, and then restart the server.");
    return Ok();
  }
  const std::string_view name = ctx.args[1];
  const size_t words = ctx.args.size();
  if (EqualsIgnoreCase(name, "SLEEP") && words == 3) return Sleep(ctx);
  if (EqualsIgnoreCase(name, "OBJECT") && words == 3) return ShowObject(ctx);
  if (EqualsIgnoreCase(name, "HELP") && words == 2) return ShowHelp(ctx);
  ctx.reply.Error(
      "ERR", fmt::format("unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
                         name.substr(0, 128), ctx.spec.name));
  return Ok();
}

constexpr CommandSpec kDebugCommands[] = {
    {.name = "DEBUG",
     .handler = Debug,
     .arity = AtLeast(2),
     .flags = kAdmin | kNoScript | kLoadingOk | kStaleOk,
     .group = "server",
     .since = "1.0.0",
     .summary = "Helps to test: OBJECT, SLEEP."},
};

}  // namespace

std::span<const CommandSpec> DebugCommands() { return kDebugCommands; }

}  // namespace mikura::engine
