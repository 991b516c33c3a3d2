// SPDX-License-Identifier: Apache-2.0
// SLOWLOG and COMMANDLOG: commands that took long, or were large.
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/slow_log_reply.h"
#include "engine/commands/subcommand_help.h"

namespace mikura::engine {

void ReplyNewest(wire::RespWriter& reply, const SlowLog& log, size_t count) {
  const auto entries = log.Newest(count);
  reply.Array(entries.size());
  for (const SlowLogEntry& entry : entries) {
    reply.Array(6);
    reply.Integer(static_cast<int64_t>(entry.id));
    reply.Integer(entry.at_seconds);
    reply.Integer(static_cast<int64_t>(entry.value));
    reply.Array(entry.words.size());
    for (const std::string& word : entry.words) reply.Bulk(word);
    reply.Bulk(entry.client_address);
    reply.Bulk(entry.client_name);
  }
}

namespace {

constexpr int64_t kCountUsually = 10;

// Nullopt after an error reply.
std::optional<size_t> CountOf(CommandContext& ctx, std::string_view text) {
  const std::optional<int64_t> given = ParseInt64(text);
  if (given && *given >= -1) return *given == -1 ? SIZE_MAX : static_cast<size_t>(*given);
  ctx.reply.Error("ERR", "count should be greater than or equal to -1");
  return std::nullopt;
}

// SLOWLOG GET [count] -> the newest entries; all for -1.
FaultOr<> SlowLogGet(CommandContext& ctx) {
  if (ctx.args.size() > 3) {
    ctx.reply.Error("ERR", WrongArityMessage(ctx.spec));
    return Ok();
  }
  size_t count = kCountUsually;
  if (ctx.args.size() == 3) {
    const std::optional<size_t> given = CountOf(ctx, ctx.args[2]);
    if (!given) return Ok();
    count = *given;
  }
  ReplyNewest(ctx.reply, ctx.services.observation.slow_log, count);
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

// Null after an error reply.
SlowLog* LogNamed(CommandContext& ctx, std::string_view name) {
  Observation& observation = ctx.services.observation;
  if (EqualsIgnoreCase(name, "slow")) return &observation.slow_log;
  if (EqualsIgnoreCase(name, "large-request")) return &observation.large_requests;
  if (EqualsIgnoreCase(name, "large-reply")) return &observation.large_replies;
  ctx.reply.Error("ERR", "type should be one of the following: slow, large-request, large-reply");
  return nullptr;
}

// COMMANDLOG GET count type
FaultOr<> CommandLogGet(CommandContext& ctx) {
  const std::optional<size_t> count = CountOf(ctx, ctx.args[2]);
  if (!count) return Ok();
  if (const SlowLog* const log = LogNamed(ctx, ctx.args[3])) ReplyNewest(ctx.reply, *log, *count);
  return Ok();
}

// COMMANDLOG LEN type
FaultOr<> CommandLogLen(CommandContext& ctx) {
  if (const SlowLog* const log = LogNamed(ctx, ctx.args[2])) {
    ctx.reply.Integer(static_cast<int64_t>(log->size()));
  }
  return Ok();
}

// COMMANDLOG RESET type
FaultOr<> CommandLogReset(CommandContext& ctx) {
  if (SlowLog* const log = LogNamed(ctx, ctx.args[2])) {
    log->Clear();
    ctx.reply.Ok();
  }
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

constexpr CommandSpec LogRow(std::string_view name, CommandHandler handler, Arity arity,
                             std::string_view summary, uint32_t flags, std::string_view tips) {
  CommandSpec row = Row(name, handler, arity, summary, flags, tips);
  row.since = "8.1.0";
  row.parent = "COMMANDLOG";
  return row;
}

constexpr CommandSpec kLogSubcommands[] = {
    LogRow("GET", CommandLogGet, Exactly(4), "Shows the newest entries of a log.", kFlags,
           "request_policy:all_nodes|nondeterministic_output"),
    LogRow("HELP", SubcommandHelp, Exactly(2), "Lists the subcommands.", kLoadingOk | kStaleOk, ""),
    LogRow("LEN", CommandLogLen, Exactly(3), "Counts the entries of a log.", kFlags,
           "request_policy:all_nodes|response_policy:agg_sum|nondeterministic_output"),
    LogRow("RESET", CommandLogReset, Exactly(3), "Forgets all entries of a log.", kFlags,
           "request_policy:all_nodes|response_policy:all_succeeded"),
};

constexpr CommandSpec kCommands[] = {
    {.name = "COMMANDLOG",
     .arity = AtLeast(2),
     .group = "server",
     .since = "8.1.0",
     .summary = "Commands that took long, or whose request or reply is large.",
     .subcommands = kLogSubcommands},
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
