// SPDX-License-Identifier: Apache-2.0
// Commands on whole databases.
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"

namespace mikura::engine {
namespace {

FaultOr<> DbSize(CommandContext& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(ctx.keyspace.KeyCount(ctx.keys.database())));
  return Ok();
}

FaultOr<> Select(CommandContext& ctx) {
  ASSIGN_OR_RETURN(ctx.client.database, DatabaseNumber(ctx, ctx.args[1]));
  ctx.reply.Ok();
  return Ok();
}

// ASYNC and SYNC mean the same here: tables are exchanged at once, and freed outside the locks.
FaultOr<> CheckFlushOption(CommandContext& ctx) {
  if (ctx.args.size() == 1) return Ok();
  const bool known =
      EqualsIgnoreCase(ctx.args[1], "ASYNC") || EqualsIgnoreCase(ctx.args[1], "SYNC");
  if (ctx.args.size() > 2 || !known) return Fault::kSyntax;
  return Ok();
}

FaultOr<> FlushDb(CommandContext& ctx) {
  RETURN_IF_ERROR(CheckFlushOption(ctx));
  ctx.keyspace.FlushDatabase(ctx.keys.database(), ctx.keys.effects(), ctx.now(), ctx.keys.held());
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> FlushAll(CommandContext& ctx) {
  RETURN_IF_ERROR(CheckFlushOption(ctx));
  ctx.keyspace.FlushAll(ctx.keys.effects(), ctx.now(), ctx.keys.held());
  ctx.reply.Ok();
  return Ok();
}

// SWAPDB a b: clients of one see the data of the other at once.
FaultOr<> SwapDb(CommandContext& ctx) {
  const std::optional<int64_t> a = ParseInt64(ctx.args[1]);
  if (!a || *a < INT32_MIN || *a > INT32_MAX) {
    ctx.reply.Error("ERR", "invalid first DB index");
    return Ok();
  }
  const std::optional<int64_t> b = ParseInt64(ctx.args[2]);
  if (!b || *b < INT32_MIN || *b > INT32_MAX) {
    ctx.reply.Error("ERR", "invalid second DB index");
    return Ok();
  }
  const int64_t count = ctx.keyspace.database_count();
  if (*a < 0 || *a >= count || *b < 0 || *b >= count) return Fault::kDatabaseOutOfRange;
  if (*a != *b) {
    ctx.keyspace.SwapDatabases(static_cast<int>(*a), static_cast<int>(*b), ctx.keys.effects(),
                               ctx.now(), ctx.keys.held());
  }
  ctx.reply.Ok();
  return Ok();
}

constexpr std::string_view kAllShardsTips =
    "request_policy:all_shards|response_policy:all_succeeded";

constexpr CommandSpec kDatabaseCommands[] = {
    {.name = "DBSIZE",
     .handler = DbSize,
     .arity = Exactly(1),
     .flags = kReadOnly | kFast,
     .acl = kAclKeyspace,
     .group = "server",
     .since = "1.0.0",
     .summary = "Returns the number of keys of the database.",
     .tips = "request_policy:all_shards|response_policy:agg_sum"},
    {.name = "SELECT",
     .handler = Select,
     .arity = Exactly(2),
     .flags = kLoadingOk | kStaleOk | kFast,
     .acl = kAclConnection,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Changes the database of the connection."},
    {.name = "FLUSHDB",
     .handler = FlushDb,
     .arity = AtLeast(1),
     .flags = kWrite,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "server",
     .since = "1.0.0",
     .summary = "Removes all keys of the database.",
     .tips = kAllShardsTips},
    {.name = "FLUSHALL",
     .handler = FlushAll,
     .arity = AtLeast(1),
     .flags = kWrite,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "server",
     .since = "1.0.0",
     .summary = "Removes all keys of all databases.",
     .tips = kAllShardsTips},
    {.name = "SWAPDB",
     .handler = SwapDb,
     .arity = Exactly(3),
     .flags = kWrite | kFast,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "server",
     .since = "4.0.0",
     .summary = "Exchanges two databases."},
};

}  // namespace

std::span<const CommandSpec> DatabaseCommands() { return kDatabaseCommands; }

}  // namespace mikura::engine
