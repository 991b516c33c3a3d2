// SPDX-License-Identifier: Apache-2.0
// Clients that wait for replicas, or for the disk.
#include <optional>

#include "base/numbers.h"
#include "engine/commands/blocking.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/persistence/append_log.h"

namespace mikura::engine {
namespace {

using Where = ReplicaWaits::Where;

using Goal = ReplicaWaits::Goal;

void WriteOutcome(wire::RespWriter& reply, ReplicaWaits& waits, const Goal& goal) {
  if (goal.where == Where::kDisk) {
    reply.Array(2);
    reply.Integer(waits.IsOnDiskHere(goal.position) ? 1 : 0);
  }
  reply.Integer(waits.CountAt(goal.position, goal.where));
}

// However the wait ends, its reply is how many have what was logged before it.
class ReplicaWait final : public BlockedCommand {
 public:
  ReplicaWait(ReplicaWaits& waits, const Goal& goal) : waits_(waits), goal_(goal) {}
  FaultOr<bool> IsReady(KeyAccess&, const Key&) override { return false; }
  FaultOr<> Serve(const ServeContext&, const Key&) override { return Ok(); }
  void ReplyNothing(wire::RespWriter& reply, bool) override { WriteOutcome(reply, waits_, goal_); }

 private:
  ReplicaWaits& waits_;
  const Goal goal_;
};

// Others' writes count too: nobody keeps where each client's last one is.
void WaitFor(CommandContext& ctx, Goal goal, UnixMillis timeout) {
  ReplicaWaits& waits = *ctx.services.replica_waits;
  goal.position = waits.LogEnd();
  if (waits.IsReached(goal) || !ctx.may_wait) {
    WriteOutcome(ctx.reply, waits, goal);
    return;
  }
  waits.Add(LetWait(ctx, {}, timeout, std::make_unique<ReplicaWait>(waits, goal)), goal);
}

bool HasAppendLog(const CommandContext& ctx) {
  return ctx.services.append_log != nullptr && ctx.services.append_log->is_enabled();
}

// WAIT replicas timeout -> how many replicas have all that was logged before, the client's own
// writes among it.
FaultOr<> Wait(CommandContext& ctx) {
  if (!ctx.services.control.IsPrimary()) {
    ctx.reply.Error("ERR",
                    "WAIT cannot be used with replica instances. Please also note that since Redis "
                    "4.0 if a replica is configured to be writable (which is not the default) "
                    "writes to replicas are just local and are not propagated.");
    return Ok();
  }
  ASSIGN_OR_RETURN(const int64_t wanted, ToInteger(ctx.args[1]));
  const std::optional<UnixMillis> timeout = WaitMillis(ctx, ctx.args[2]);
  if (timeout) WaitFor(ctx, {.where = Where::kMemory, .replicas = wanted}, *timeout);
  return Ok();
}

// WAITAOF local replicas timeout -> [whether this node has it on disk, how many replicas have].
FaultOr<> WaitAof(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const int64_t local, ToInteger(ctx.args[1]));
  if (local < 0 || local > 1) {
    ctx.reply.Error("ERR", "value is out of range, must be between 0 and 1");
    return Ok();
  }
  ASSIGN_OR_RETURN(const int64_t wanted, ToInteger(ctx.args[2]));
  if (wanted < 0) return Fault::kNotPositive;
  const std::optional<UnixMillis> timeout = WaitMillis(ctx, ctx.args[3]);
  if (!timeout) return Ok();
  if (!ctx.services.control.IsPrimary()) {
    ctx.reply.Error(
        "ERR",
        "WAITAOF cannot be used with replica instances. Please also note that writes to "
        "replicas are just local and are not propagated.");
  } else if (local > 0 && !HasAppendLog(ctx)) {
    ctx.reply.Error("ERR",
                    "WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  } else {
    WaitFor(ctx, {.where = Where::kDisk, .replicas = wanted, .on_disk_here = local > 0}, *timeout);
  }
  return Ok();
}

constexpr std::string_view kWaitTips = "request_policy:all_shards|response_policy:agg_min";

constexpr CommandSpec kWaitCommands[] = {
    {.name = "WAIT",
     .handler = Wait,
     .arity = Exactly(3),
     .flags = kNoScript,
     .acl = kAclConnection,
     .group = "generic",
     .since = "3.0.0",
     .summary = "Waits until so many replicas have what was written before.",
     .tips = kWaitTips},
    {.name = "WAITAOF",
     .handler = WaitAof,
     .arity = Exactly(4),
     .flags = kNoScript,
     .acl = kAclConnection,
     .group = "generic",
     .since = "7.2.0",
     .summary = "Waits until so many replicas have what was written before on disk.",
     .tips = kWaitTips},
};

}  // namespace

std::span<const CommandSpec> WaitCommands() { return kWaitCommands; }

}  // namespace mikura::engine
