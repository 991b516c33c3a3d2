// SPDX-License-Identifier: Apache-2.0
// What a replica says before it becomes one.
#include <algorithm>
#include <chrono>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"

namespace mikura::engine {
namespace {

// The kinds of contents that a snapshot is to hold, parted by blanks: "functions" is the only one.
// False when the error was written.
bool SetFilter(CommandContext& ctx, std::string_view kinds) {
  ReplicaHandshake& replica = ctx.client.replica;
  replica.wants_data = replica.wants_functions = false;
  while (!kinds.empty()) {
    const std::string_view kind = kinds.substr(0, kinds.find(' '));
    kinds.remove_prefix(std::min(kinds.size(), kind.size() + 1));
    if (kind.empty()) continue;
    if (!EqualsIgnoreCase(kind, "functions")) {
      ctx.reply.Error("ERR",
                      "Unsupported rdb-filter-only option: " + std::string(kind.substr(0, 128)));
      return false;
    }
    replica.wants_functions = true;
  }
  return true;
}

// One "option value" pair of REPLCONF; false when the error was written.
bool SetOption(CommandContext& ctx, std::string_view option, std::string_view value) {
  ReplicaHandshake& replica = ctx.client.replica;
  if (EqualsIgnoreCase(option, "listening-port")) {
    const std::optional<int64_t> port = ParseInt64(value);
    if (!port || *port < 0 || *port > 65535) {
      ctx.reply.Error("ERR", "value is not an integer or out of range");
      return false;
    }
    replica.listening_port = static_cast<int>(*port);
  } else if (EqualsIgnoreCase(option, "ip-address")) {
    constexpr size_t kAddressMax = 255;
    if (value.size() > kAddressMax) {
      ctx.reply.Error("ERR", "REPLCONF ip-address provided by replica instance is too long");
      return false;
    }
    replica.ip_address = value;
  } else if (EqualsIgnoreCase(option, "capa")) {
    // Capabilities we do not know are none of our business.
    if (EqualsIgnoreCase(value, "eof")) replica.understands_eof = true;
    if (EqualsIgnoreCase(value, "psync2")) replica.understands_psync2 = true;
  } else if (EqualsIgnoreCase(option, "rdb-only")) {
    const std::optional<int64_t> only = ParseInt64(value);
    if (!only || *only < 0 || *only > 1) {
      ctx.reply.Error("ERR", only ? "value is out of range, value must between 0 and 1"
                                  : "value is not an integer or out of range");
      return false;
    }
    replica.wants_only_snapshot = *only == 1;
  } else if (EqualsIgnoreCase(option, "rdb-filter-only")) {
    return SetFilter(ctx, value);
  } else if (!EqualsIgnoreCase(option, "version")) {
    ctx.reply.Error("ERR", "Unrecognized REPLCONF option: " + std::string(option.substr(0, 128)));
    return false;
  }
  return true;
}

// REPLCONF option value ... -> OK. ACK and GETACK, which belong to a running replication, are not
// answered.
FaultOr<> ReplConf(CommandContext& ctx) {
  if (ctx.args.size() % 2 == 0) return Fault::kSyntax;
  for (size_t i = 1; i + 1 < ctx.args.size(); i += 2) {
    const std::string_view option = ctx.args[i];
    if (EqualsIgnoreCase(option, "ack") || EqualsIgnoreCase(option, "getack")) return Ok();
    if (!SetOption(ctx, option, ctx.args[i + 1])) return Ok();
  }
  ctx.reply.Ok();
  return Ok();
}

// PSYNC id offset [FAILOVER]. Replies nothing: the connection goes to replication, which answers.
// FAILOVER: of the primary that is followed, which becomes a replica of this node.
FaultOr<> Psync(CommandContext& ctx) {
  if (ctx.args.size() > 3 && EqualsIgnoreCase(ctx.args[3], "FAILOVER")) {
    const Status taken = ctx.services.control.TakeOver(ctx.args[1]);
    if (!taken.ok()) {
      ctx.reply.Error("ERR", taken.error().message);
      return Ok();
    }
  }
  ASSIGN_OR_RETURN(ctx.client.replica.wanted_offset, ToInteger(ctx.args[2]));
  ctx.client.replica.wanted_id = ctx.args[1];
  ctx.client.replica.is_sync = false;
  ctx.client.is_replica = true;
  return Ok();
}

// SYNC, of replicas before 2.8.
FaultOr<> Sync(CommandContext& ctx) {
  ctx.client.replica.is_sync = true;
  ctx.client.is_replica = true;
  return Ok();
}

// The arguments behind FAILOVER, each at most once, in any order.
FaultOr<> ParseFailover(CommandContext& ctx, FailoverRequest& request, bool& is_refused) {
  for (size_t i = 1; i < ctx.args.size(); ++i) {
    const size_t left = ctx.args.size() - 1 - i;
    if (EqualsIgnoreCase(ctx.args[i], "TIMEOUT") && left >= 1 && !request.timeout) {
      ASSIGN_OR_RETURN(const int64_t timeout, ToInteger(ctx.args[++i]));
      request.timeout = std::chrono::milliseconds(timeout);
      if (timeout > 0) continue;
      ctx.reply.Error("ERR", "FAILOVER timeout must be greater than 0");
      is_refused = true;
      return Ok();
    }
    if (EqualsIgnoreCase(ctx.args[i], "TO") && left >= 2 && request.host.empty()) {
      ASSIGN_OR_RETURN(const int64_t port, ToInteger(ctx.args[i + 2]));
      // No replica has another port.
      request.port = port >= 0 && port <= 65535 ? static_cast<int>(port) : -1;
      request.host = ctx.args[i + 1];
      i += 2;
      continue;
    }
    if (!EqualsIgnoreCase(ctx.args[i], "FORCE") || request.is_forced) return Fault::kSyntax;
    request.is_forced = true;
  }
  return Ok();
}

// FAILOVER [TO host port [FORCE]] [TIMEOUT milliseconds] | ABORT -> OK when it has begun, or ended.
FaultOr<> Failover(CommandContext& ctx) {
  if (ctx.args.size() == 2 && EqualsIgnoreCase(ctx.args[1], "ABORT")) {
    ReplyStatus(ctx, ctx.services.control.AbortFailover());
    return Ok();
  }
  FailoverRequest request;
  bool is_refused = false;
  RETURN_IF_ERROR(ParseFailover(ctx, request, is_refused));
  if (!is_refused) ReplyStatus(ctx, ctx.services.control.Failover(request));
  return Ok();
}

constexpr uint32_t kReplicaFlags = kAdmin | kNoScript | kNoAsyncLoading | kNoMulti;

constexpr CommandSpec kReplicationCommands[] = {
    {.name = "REPLCONF",
     .handler = ReplConf,
     .arity = AtLeast(1),
     .flags = kAdmin | kNoScript | kLoadingOk | kStaleOk | kAllowBusy,
     .group = "server",
     .since = "3.0.0",
     .summary = "Tells a primary what its replica is and can do."},
    {.name = "PSYNC",
     .handler = Psync,
     .arity = AtLeast(3),
     .flags = kReplicaFlags,
     .group = "server",
     .since = "2.8.0",
     .summary = "Makes the connection a replica's, from an offset on if possible."},
    {.name = "SYNC",
     .handler = Sync,
     .arity = Exactly(1),
     .flags = kReplicaFlags,
     .group = "server",
     .since = "1.0.0",
     .summary = "Makes the connection a replica's, beginning with a copy of everything."},
    {.name = "FAILOVER",
     .handler = Failover,
     .arity = AtLeast(1),
     .flags = kAdmin | kNoScript | kStaleOk,
     .group = "server",
     .since = "6.2.0",
     .summary = "Hands the role of the primary over to a replica, without losing a write."},
};

}  // namespace

std::span<const CommandSpec> ReplicationCommands() { return kReplicationCommands; }

}  // namespace mikura::engine
