// SPDX-License-Identifier: Apache-2.0
// Clients that wait for replicas.
#include <optional>

#include "base/numbers.h"
#include "engine/commands/blocking.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"

namespace mikura::engine {
namespace {

using Where = ReplicaWaits::Where;

void WriteCount(wire::RespWriter& reply, Where where, int64_t count) {
  if (where == Where::kDisk) {
    reply.Array(2);
    reply.Integer(0);  // this node writes no file of changes
  }
  reply.Integer(count);
}

// However the wait ends, its reply is how many replicas have what was logged before it.
class ReplicaWait final : public BlockedCommand {
 public:
  ReplicaWait(ReplicaWaits& waits, int64_t position, Where where)
      : waits_(waits), position_(position), where_(where) {}
  FaultOr<bool> IsReady(KeyAccess&, const Key&) override { return false; }
  FaultOr<> Serve(const ServeContext&, const Key&) override { return Ok(); }
  void ReplyNothing(wire::RespWriter& reply, bool) override {
    WriteCount(reply, where_, waits_.CountAt(position_, where_));
  }

 private:
  ReplicaWaits& waits_;
  const int64_t position_;
  const Where where_;
};

// Others' writes count too: nobody keeps where each client's last one is.
void WaitFor(CommandContext& ctx, Where where, int64_t wanted, UnixMillis timeout) {
  ReplicaWaits& waits = *ctx.services.replica_waits;
  const int64_t position = waits.LogEnd();
  const int64_t count = waits.CountAt(position, where);
  if (count >= wanted || !ctx.may_wait) {
    WriteCount(ctx.reply, where, count);
    return;
  }
  waits.Add(LetWait(ctx, {}, timeout, std::make_unique<ReplicaWait>(waits, position, where)),
            position, where, wanted);
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
  if (timeout) WaitFor(ctx, Where::kMemory, wanted, *timeout);
  return Ok();
}

// WAITAOF local replicas timeout -> [0, how many replicas have it on disk].
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
  } else if (local > 0) {
    ctx.reply.Error("ERR",
                    "WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  } else {
    WaitFor(ctx, Where::kDisk, wanted, *timeout);
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
