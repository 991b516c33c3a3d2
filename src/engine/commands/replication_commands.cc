// SPDX-License-Identifier: Apache-2.0
// What a replica says before it becomes one.
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"

namespace mikura::engine {
namespace {

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

// PSYNC id offset. Replies nothing: the connection goes to replication, which answers.
FaultOr<> Psync(CommandContext& ctx) {
  if (ctx.args.size() != 3) return Fault::kNotSupported;  // PSYNC ... FAILOVER
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

FaultOr<> Failover(CommandContext& ctx) {
  ctx.reply.Error("ERR",
                  "FAILOVER is not supported: the control plane moves the primary role of a "
                  "replication group");
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
     .summary = "Refused: failover is the control plane's."},
};

}  // namespace

std::span<const CommandSpec> ReplicationCommands() { return kReplicationCommands; }

}  // namespace mikura::engine
