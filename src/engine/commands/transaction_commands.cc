// SPDX-License-Identifier: Apache-2.0
// MULTI, EXEC and WATCH. Queueing is the dispatcher's: while a client is in MULTI, it gives other
// requests than these to Transaction::Queue().
#include <fmt/format.h>

#include <algorithm>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/fault_replies.h"
#include "engine/commands/inside_command.h"
#include "engine/commands/transaction.h"

namespace mikura::engine {
namespace {

FaultOr<> Multi(CommandContext& ctx) {
  if (ctx.client.in_multi) {
    ctx.reply.Error("ERR", "MULTI calls can not be nested");
    return Ok();
  }
  TransactionOf(ctx.client, ctx.keyspace);
  ctx.client.in_multi = true;
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> Discard(CommandContext& ctx) {
  if (!ctx.client.in_multi) {
    ctx.reply.Error("ERR", "DISCARD without MULTI");
    return Ok();
  }
  DiscardTransaction(ctx.client);
  ctx.reply.Ok();
  return Ok();
}

// WATCH key ...: EXEC will do nothing when one of them has changed.
FaultOr<> Watch(CommandContext& ctx) {
  if (ctx.client.in_multi) {
    ctx.reply.Error("ERR", "WATCH inside MULTI is not allowed");
    return Ok();
  }
  Watcher& watcher = TransactionOf(ctx.client, ctx.keyspace).watcher();
  for (const Key& key : ctx.key_list) {
    const bool exists = static_cast<bool>(ctx.keys.Peek(key));
    ctx.keyspace.watches().Add(watcher, ctx.keys.database(), key, exists);
  }
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> Unwatch(CommandContext& ctx) {
  if (ctx.client.transaction) ctx.client.transaction->Unwatch();
  ctx.reply.Ok();
  return Ok();
}

// The shards of all keys of the queue, and of those that are watched; and those keys.
ShardSet ShardsOf(const Transaction& transaction, std::vector<Key>& keys) {
  ShardSet shards;
  for (const QueuedCommand& command : transaction.commands()) {
    if (command.needs_all_shards()) return shards.set();
    for (const Key& key : command.keys) shards.set(key.shard());
    keys.insert(keys.end(), command.keys.begin(), command.keys.end());
  }
  if (transaction.watching() != nullptr) transaction.watching()->AddShards(shards);
  return shards;
}

std::string_view DenialReason(const access::Verdict& verdict) {
  switch (verdict.denial) {
    case access::Denial::kCommand:
      return "no permission to execute the command or subcommand";
    case access::Denial::kKey:
      return "no permission to touch the specified keys";
    case access::Denial::kChannel:
      return "no permission to access one of the channels used as arguments to the command";
    case access::Denial::kNone:
      break;
  }
  return "no permission";
}

// The queue of one EXEC, run in order. Commands on the node itself run when the shards have been
// released, and their replies take their places then.
class QueueRun {
 public:
  QueueRun(CommandContext& ctx, const Transaction& transaction)
      : ctx_(ctx),
        commands_(transaction.commands()),
        has_unlocked_(std::any_of(commands_.begin(), commands_.end(),
                                  [](const auto& command) { return command.runs_unlocked(); })) {}

  void RunLocked(HeldShards held) {
    if (!has_unlocked_) ctx_.reply.Array(commands_.size());
    if (has_unlocked_) replies_.resize(commands_.size());
    for (size_t i = 0; i < commands_.size(); ++i) {
      if (!commands_[i].runs_unlocked()) RunOne(i, held);
    }
  }

  void RunUnlocked() {
    if (!has_unlocked_) return;
    for (size_t i = 0; i < commands_.size(); ++i) {
      if (commands_[i].runs_unlocked()) RunOne(i, {});
    }
    ctx_.reply.Array(commands_.size());
    for (const wire::OutputBuffer& reply : replies_) ctx_.reply.out().Append(reply.view());
  }

 private:
  void RunOne(size_t index, HeldShards held) {
    if (!has_unlocked_) return RunInto(ctx_.reply, commands_[index], held);
    wire::RespWriter reply(replies_[index], ctx_.client.resp_version);
    RunInto(reply, commands_[index], held);
    ctx_.reply.set_version(reply.version());
  }

  void RunInto(wire::RespWriter& reply, const QueuedCommand& command, HeldShards held) {
    if (!ctx_.client.is_unrestricted && !StillMayRun(reply, command)) return;
    // The node may have become a replica while the shards were waited for.
    if ((command.spec->flags & kWrite) != 0 && ctx_.services.control.IsReadOnly()) {
      const FaultReply& words = ReplyFor(Fault::kReadOnlyReplica);
      return reply.Error(words.code, words.message);
    }
    RunInside(ctx_, held, {*command.spec, command.args, command.keys}, reply);
  }

  // The rights were looked at when it was queued; they may have been taken away since.
  bool StillMayRun(wire::RespWriter& reply, const QueuedCommand& command) {
    const CommandSpec& spec = *command.spec;
    if ((spec.flags & kNoAuthNeeded) != 0) return true;
    ClientState& client = ctx_.client;
    const access::Verdict verdict = ctx_.services.access.Check(client, spec, command.args);
    if (verdict.allowed()) return true;
    ctx_.services.access.NoteDenial(verdict, spec, AccessContext::kMulti, client,
                                    ctx_.services.clients.DescribeOwn(client, ctx_.now()),
                                    ctx_.now());
    reply.Error(
        "NOPERM",
        fmt::format("ACLs rules changed between the moment the transaction was accumulated "
                    "and the EXEC call. This command is no longer allowed for the following "
                    "reason: {}",
                    DenialReason(verdict)));
    return false;
  }

  CommandContext& ctx_;
  const std::vector<QueuedCommand>& commands_;
  const bool has_unlocked_;
  std::vector<wire::OutputBuffer> replies_;
};

// EXEC -> the replies of the queue, or null when a watched key changed. All of it is one change for
// everybody else, and one record in the change log.
FaultOr<> Exec(CommandContext& ctx) NO_THREAD_SAFETY_ANALYSIS {
  if (!ctx.client.in_multi) {
    ctx.reply.Error("ERR", "EXEC without MULTI");
    return Ok();
  }
  Transaction& transaction = *ctx.client.transaction;
  if (transaction.is_faulty()) {
    DiscardTransaction(ctx.client);
    ctx.reply.Error("EXECABORT", "Transaction discarded because of previous errors.");
    return Ok();
  }
  QueueRun queue(ctx, transaction);
  std::vector<Key> keys;
  const ShardSet shards = ShardsOf(transaction, keys);
  // Scripts, and what changes them, have the token before they have any shard.
  ScriptToken& token = ctx.keyspace.script_token();
  const bool takes_token = shards.all();
  if (takes_token && !token.EnterFor(Keyspace::kPatience)) {
    ctx.outcome = RunOutcome::kPutAside;
    return Ok();
  }
  if (!ctx.keyspace.LockShardsFor(shards, Keyspace::kPatience)) {
    if (takes_token) token.Leave();
    ctx.outcome = RunOutcome::kPutAside;
    return Ok();
  }
  // It may have waited for the shards.
  const bool changes = (transaction.FlagsWith(0) & kMayChange) != 0;
  bool is_fenced = false;
  const bool ran = ctx.keyspace.RunHeld(shards, keys, ctx.now(), ctx.keys.effects(), [&] {
    const Watcher* const watching = transaction.watching();
    const bool changed =
        watching != nullptr && ctx.keyspace.watches().HasChanged(*watching, ctx.keys.access());
    transaction.UnwatchLocked();
    is_fenced = ctx.services.control.IsFenced(changes);
    if (is_fenced) return false;
    if (!changed) queue.RunLocked(HeldShards(shards));
    return !changed;
  });
  if (takes_token) token.Leave();
  if (ran) {
    queue.RunUnlocked();
  } else if (!is_fenced) {
    ctx.reply.NullArray();
  }
  DiscardTransaction(ctx.client);
  return is_fenced ? FaultOr<>(Fault::kFenced) : Ok();
}

constexpr uint32_t kFlags = kNoScript | kLoadingOk | kStaleOk | kFast | kAllowBusy;

constexpr CommandSpec kTransactionCommands[] = {
    {.name = "MULTI",
     .handler = Multi,
     .arity = Exactly(1),
     .flags = kFlags | kRunsInMulti,
     .acl = kAclTransaction,
     .group = "transactions",
     .since = "1.2.0",
     .summary = "Begins a transaction: commands are queued from now on."},
    {.name = "EXEC",
     .handler = Exec,
     .arity = Exactly(1),
     .flags = kNoScript | kLoadingOk | kStaleOk | kSkipSlowlog | kRunsInMulti | kRunsQueue,
     .acl = kAclTransaction,
     .group = "transactions",
     .since = "1.2.0",
     .summary = "Runs the queued commands as one."},
    {.name = "DISCARD",
     .handler = Discard,
     .arity = Exactly(1),
     .flags = kFlags | kRunsInMulti,
     .acl = kAclTransaction,
     .group = "transactions",
     .since = "2.0.0",
     .summary = "Forgets the queued commands."},
    {.name = "WATCH",
     .handler = Watch,
     .arity = AtLeast(2),
     .keys = KeysFrom(1, -1, 1),
     .flags = kFlags | kRunsInMulti,
     .acl = kAclTransaction,
     .group = "transactions",
     .since = "2.2.0",
     .summary = "Makes the next EXEC depend on keys staying as they are.",
     .key_access = "RO"},
    {.name = "UNWATCH",
     .handler = Unwatch,
     .arity = Exactly(1),
     .flags = kFlags,
     .acl = kAclTransaction,
     .group = "transactions",
     .since = "2.2.0",
     .summary = "Forgets all watched keys."},
};

}  // namespace

std::span<const CommandSpec> TransactionCommands() { return kTransactionCommands; }

}  // namespace mikura::engine
