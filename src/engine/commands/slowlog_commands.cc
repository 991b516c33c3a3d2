// SPDX-License-Identifier: Apache-2.0
// SLOWLOG: commands that took long.
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/subcommand_help.h"

namespace mikura::engine {
namespace {

constexpr int64_t kCountUsually = 10;

// SLOWLOG GET [count] -> the newest entries; all for -1.
FaultOr<> SlowLogGet(CommandContext& ctx) {
  int64_t count = kCountUsually;
  if (ctx.args.size() > 3) {
    ctx.reply.Error("ERR", WrongArityMessage(ctx.spec));
    return Ok();
  }
  if (ctx.args.size() == 3) {
    const std::optional<int64_t> given = ParseInt64(ctx.args[2]);
    if (!given || *given < -1) {
      ctx.reply.Error("ERR", "count should be greater than or equal to -1");
      return Ok();
    }
    count = *given;
  }
  SlowLog& log = ctx.services.observation.slow_log;
  const auto entries = log.Newest(count == -1 ? SIZE_MAX : static_cast<size_t>(count));
  ctx.reply.Array(entries.size());
  for (const SlowLogEntry& entry : entries) {
    ctx.reply.Array(6);
    ctx.reply.Integer(static_cast<int64_t>(entry.id));
    ctx.reply.Integer(entry.at_seconds);
    ctx.reply.Integer(static_cast<int64_t>(entry.micros));
    ctx.reply.Array(entry.words.size());
    for (const std::string& word : entry.words) ctx.reply.Bulk(word);
    ctx.reply.Bulk(entry.client_address);
    ctx.reply.Bulk(entry.client_name);
  }
  return Ok();
}

FaultOr<> SlowLogLen(CommandContext& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(ctx.services.observation.slow_log.size()));
  return Ok();
}

FaultOr<> SlowLogReset(CommandContext& ctx) {
  ctx.services.observation.slow_log.Clear();
  ctx.reply.Ok();
  return Ok();
}

constexpr CommandSpec Row(std::string_view name, CommandHandler handler, Arity arity,
                          std::string_view summary, uint32_t flags, std::string_view tips) {
  return {.name = name,
          .handler = handler,
          .arity = arity,
          .flags = flags,
          .group = "server",
          .since = name == "HELP" ? "6.2.0" : "2.2.12",
          .summary = summary,
          .tips = tips,
          .parent = "SLOWLOG"};
}

constexpr uint32_t kFlags = kAdmin | kLoadingOk | kStaleOk;

constexpr CommandSpec kSubcommands[] = {
    Row("GET", SlowLogGet, AtLeast(2), "Shows the newest entries.", kFlags,
        "request_policy:all_nodes|nondeterministic_output"),
    Row("HELP", SubcommandHelp, Exactly(2), "Lists the subcommands.", kLoadingOk | kStaleOk, ""),
    Row("LEN", SlowLogLen, Exactly(2), "Counts the entries.", kFlags,
        "request_policy:all_nodes|response_policy:agg_sum|nondeterministic_output"),
    Row("RESET", SlowLogReset, Exactly(2), "Forgets all entries.", kFlags,
        "request_policy:all_nodes|response_policy:all_succeeded"),
};

constexpr CommandSpec kCommands[] = {
    {.name = "SLOWLOG",
     .arity = AtLeast(2),
     .group = "server",
     .since = "2.2.12",
     .summary = "Commands that took long.",
     .subcommands = kSubcommands},
};

}  // namespace

std::span<const CommandSpec> SlowLogCommands() { return kCommands; }

}  // namespace mikura::engine
