// SPDX-License-Identifier: Apache-2.0
#include "engine/server/dispatcher.h"

#include "engine/commands/client_tracking_commands.h"
#include "engine/commands/command_errors.h"
#include "engine/commands/command_keys.h"
#include "engine/commands/fault_replies.h"
#include "engine/commands/monitoring.h"
#include "engine/commands/script_run.h"
#include "engine/commands/transaction.h"
#include "engine/messaging/pubsub.h"

namespace mikura::engine {
namespace {

void ReplyFault(wire::RespWriter& reply, Fault fault) {
  const FaultReply& words = ReplyFor(fault);
  reply.Error(words.code, words.message);
}

}  // namespace

void Dispatcher::Resolve(Request& request, std::vector<KeyPlace>& scratch,
                         std::vector<Key>& keys) const {
  request.command = table_.Find(request.args[0]);
  if (request.command == nullptr) return;
  if (!request.command->subcommands.empty() && request.args.size() > 1) {
    request.subcommand = table_.FindSubcommand(*request.command, request.args[1]);
  }
  const CommandSpec& spec = request.subcommand != nullptr ? *request.subcommand : *request.command;
  if (!spec.may_have_keys() || (spec.flags & kKeysAreChannels) != 0 ||
      !spec.arity.Accepts(request.args.size())) {
    return;
  }
  FindKeys(spec, request.args, keyspace_.hasher(), scratch, keys);
}

// Makes room under maxmemory for what the request writes; any that has keys gives back first what
// others took too much. False when there is no room for one that needs it.
bool Dispatcher::MakeRoom(const Request& request, uint32_t flags, UnixMillis now) const {
  const uint64_t limit = node_.maxmemory_bytes.load(std::memory_order_relaxed);
  const bool needs_room = (flags & kDenyOom) != 0;
  if (limit == 0 || (!needs_room && request.keys.empty())) [[likely]]
    return true;
  // The script holds shards; what is queued now is asked again by its EXEC.
  if (IsInBusyTurn()) return true;
  const auto words = needs_room ? request.args : std::span<const std::string_view>();
  return keyspace_.MakeRoom(limit, words, now) || !needs_room;
}

inline bool Dispatcher::IsUsual(const CommandSpec& spec, const ClientState& client,
                                UnixMillis now) const {
  const ScriptState& scripts = services_.scripts.state;
  unsigned reasons = !client.authenticated;
  reasons |= unsigned{!client.is_unrestricted};
  reasons |= unsigned{client.is_subscriber};
  reasons |= unsigned{client.is_monitor};
  reasons |= unsigned{!services_.access.IsFresh(client)};
  reasons |= unsigned{services_.pubsub.is_congested()};
  reasons |= unsigned{scripts.is_running()};
  reasons |= unsigned{scripts.is_busy()};
  return reasons == 0 && node_.AdmitsAll((spec.flags & kWrite) != 0, now);
}

bool Dispatcher::Admit(const Request& request, const CommandSpec& spec, uint32_t flags,
                       ClientState& client, UnixMillis now, wire::RespWriter& reply) const {
  if (!spec.arity.Accepts(request.args.size())) {
    reply.Error("ERR", WrongArityMessage(spec));
    return false;
  }
  services_.access.Refresh(client);
  if (!client.authenticated && (flags & kNoAuthNeeded) == 0) {
    ReplyFault(reply, Fault::kNoAuth);
    return false;
  }
  if (!client.is_unrestricted && !MayRun(request, spec, client, now, reply)) [[unlikely]]
    return false;
  if (services_.scripts.state.is_busy() && IsBusy(request, spec, client)) [[unlikely]] {
    ReplyBusy(reply, services_.scripts.state);
    return false;
  }
  if (!MakeRoom(request, flags, now)) {
    ReplyFault(reply, Fault::kOutOfMemory);
    return false;
  }
  if (IsRefusedByDisk(spec, flags, reply)) [[unlikely]]
    return false;
  if ((flags & kWrite) != 0 && MayNotWrite(reply)) [[unlikely]]
    return false;
  if ((client.is_subscriber || client.is_monitor) && !MayListenerRun(spec, flags, client, reply))
      [[unlikely]] {
    return false;
  }
  if ((flags & kStaleOk) == 0 && node_.RefusesStale()) [[unlikely]] {
    ReplyFault(reply, Fault::kMasterDown);
    return false;
  }
  if ((flags & kLoadingOk) == 0 && node_.loading.load(std::memory_order_relaxed)) {
    ReplyFault(reply, Fault::kLoading);
    return false;
  }
  return true;
}

// Whether the last snapshot could not be saved, or the append log cannot be written now; then the
// error was written. As Redis: PING tells so too, for those who look after the node.
bool Dispatcher::IsRefusedByDisk(const CommandSpec& spec, uint32_t flags,
                                 wire::RespWriter& reply) const {
  const bool cannot_save = node_.cannot_save.load(std::memory_order_relaxed);
  const int log_error = node_.log_error.load(std::memory_order_relaxed);
  if (!cannot_save && log_error == 0) [[likely]]
    return false;
  if ((flags & kWrite) == 0 && spec.name != "PING") return false;
  if (cannot_save) {
    ReplyFault(reply, Fault::kCannotSave);
  } else {
    reply.Error("MISCONF", LogFailureMessage(log_error));
  }
  return true;
}

// Whether the node takes no writes now; then the error was written.
bool Dispatcher::MayNotWrite(wire::RespWriter& reply) const {
  const bool read_only = node_.read_only.load(std::memory_order_relaxed);
  if (!read_only && !node_.LacksReplicas()) [[likely]]
    return false;
  ReplyFault(reply, read_only ? Fault::kReadOnlyReplica : Fault::kTooFewReplicas);
  return true;
}

// Whether the node may not run such a request, since it may not be the primary any more. Asked
// before the request runs, and again under its locks: it may have waited for them.
bool Dispatcher::IsFencedOff(uint32_t flags, bool has_keys) const {
  if (!node_.fence.is_set()) [[likely]]
    return false;
  const bool changes = (flags & kMayChange) != 0;
  const bool reads = has_keys || (flags & (kReadOnly | kLocksItself)) != 0;
  return (changes || (reads && node_.fences_reads())) && node_.IsFenced();
}

// Whether a client that is there to listen may send the command; otherwise the error was written.
bool Dispatcher::MayListenerRun(const CommandSpec& spec, uint32_t flags, const ClientState& client,
                                wire::RespWriter& reply) {
  if (client.is_subscriber && client.resp_version == 2 && (spec.flags & kSubscriberOk) == 0) {
    reply.Error("ERR", SubscribedMessage(spec));
    return false;
  }
  if (client.is_monitor && (flags & (kReadOnly | kMayChange)) != 0) {
    reply.Error("ERR", "Replica can't interact with the keyspace");
    return false;
  }
  return true;
}

// What tells others of itself waits while event loops have much to deliver; and what needs a script
// to end waits until that is known to be busy.
bool Dispatcher::MustWait(const Request& request, const CommandSpec& spec, uint32_t flags,
                          const ClientState& client) const {
  if (node_.write_waits.load(std::memory_order_relaxed) != 0 && (flags & kWrite) != 0) [[unlikely]]
    return true;
  if (services_.pubsub.is_congested()) [[unlikely]] {
    if ((flags & (kPublishes | kWrite)) != 0 || services_.monitors.is_active()) return true;
  }
  return WaitsForScriptHere(request, spec, client) && !services_.scripts.state.is_busy();
}

// True in a turn that a script takes of its own thread's loop (EventLoop::TakeBusyTurn), for what
// may want a shard or the token: the script has them, and goes on when the turn is over.
bool Dispatcher::WaitsForScriptHere(const Request& request, const CommandSpec& spec,
                                    const ClientState& client) const {
  if (!IsInBusyTurn()) [[likely]]
    return false;
  if (client.in_multi && (spec.flags & kRunsInMulti) == 0) return false;  // is queued only
  if (!request.keys.empty() || (spec.flags & kRunsQueue) != 0) return true;
  return (spec.flags & kAllowBusy) == 0 && spec.group != "connection" && spec.group != "pubsub";
}

// What is refused while a script is busy, on whichever thread.
bool Dispatcher::IsBusy(const Request& request, const CommandSpec& spec,
                        const ClientState& client) const {
  if (spec.name == "PING" || WaitsForScriptHere(request, spec, client)) return true;
  return client.in_multi && (spec.flags & kAllowBusy) == 0;
}

// Whether the client's user has the right to it; otherwise the error was written.
bool Dispatcher::MayRun(const Request& request, const CommandSpec& spec, const ClientState& client,
                        UnixMillis now, wire::RespWriter& reply) const {
  // Anybody may try to log in, and leave.
  if ((spec.flags & kNoAuthNeeded) != 0) return true;
  const access::Verdict verdict = services_.access.Check(client, spec, request.args);
  if (verdict.allowed()) return true;
  services_.access.NoteDenial(verdict, spec, AccessContext::kTopLevel, client,
                              services_.clients.DescribeOwn(client, now), now);
  reply.Error("NOPERM", DenialMessage(verdict, spec));
  return false;
}

// A restricted command that the client may use all the same: one of the nodes that log in here to
// follow this one.
const CommandSpec* Dispatcher::RestrictedRowFor(const ClientState& client,
                                                std::string_view name) const {
  const CommandSpec* const spec = table_.FindRestricted(name);
  if (spec == nullptr || !client.authenticated) return nullptr;
  constexpr std::string_view kParameter = "masteruser";
  const auto found = services_.parameters.Get(std::span(&kParameter, 1));
  return found.size() == 1 && !found[0].second.empty() && found[0].second == client.user ? spec
                                                                                         : nullptr;
}

const CommandSpec* Dispatcher::RowOf(const Request& request, const ClientState& client,
                                     wire::RespWriter& reply) const {
  if (request.command == nullptr) {
    if (const CommandSpec* const spec = RestrictedRowFor(client, request.args[0])) return spec;
    reply.Error("ERR", UnknownCommandMessage(request.args));
    return nullptr;
  }
  if (request.subcommand != nullptr) return request.subcommand;
  if (!request.command->subcommands.empty() &&
      (request.args.size() > 1 || request.command->handler == nullptr) &&
      request.command->arity.Accepts(request.args.size())) {
    reply.Error("ERR", UnknownSubcommandMessage(*request.command, request.args[1]));
    return nullptr;
  }
  return request.command;
}

RunOutcome Dispatcher::Run(const Request& request, ClientState& client, UnixMillis now,
                           Effects& effects, wire::RespWriter& reply, LoopStatistics& statistics) {
  const size_t begin = reply.out().size();
  const CommandSpec* const spec = RowOf(request, client, reply);
  if (spec == nullptr) return Refuse(spec, client, begin, reply);
  uint32_t flags = spec->flags;
  if ((flags & kRunsQueue) != 0 && client.in_multi) {
    flags = client.transaction->FlagsWith(flags);
  }
  if (node_.IsPaused(flags, now) && spec->arity.Accepts(request.args.size())) [[unlikely]] {
    if (NeverWrites(*spec, request.args, statistics)) flags &= ~kMayReplicate;
    if (node_.IsPaused(flags, now)) return RunOutcome::kPaused;
  }
  if (MustWait(request, *spec, flags, client)) [[unlikely]]
    return RunOutcome::kPutAside;
  if (!Admit(request, *spec, flags, client, now, reply)) {
    return Refuse(spec, client, begin, reply);
  }
  if (IsFencedOff(flags, !request.keys.empty())) [[unlikely]] {
    ReplyFault(reply, Fault::kFenced);
    return Refuse(spec, client, begin, reply);
  }
  if (client.in_multi && (flags & kRunsInMulti) == 0) {
    Queue(request, *spec, client, reply, statistics);
    return RunOutcome::kDone;
  }
  const RunOutcome outcome = Execute(request, *spec, client, now, effects, reply, statistics);
  if ((flags & kRunsInMulti) != 0 && !IsWithinBounds(client)) reply.out().Truncate(begin);
  return outcome;
}

// A request that could not get its shards in time: it is tried again, unless a script has had them
// for very long.
RunOutcome Dispatcher::PutAside(wire::RespWriter& reply) const {
  if (!services_.scripts.state.is_busy()) return RunOutcome::kPutAside;
  ReplyBusy(reply, services_.scripts.state);
  return RunOutcome::kRefused;
}

// With the shards of its keys locked.
inline FaultOr<> Dispatcher::RunHandler(CommandContext& context) {
  // The role changes while all shards are locked: a write that waited for them may come too late.
  if ((context.spec.flags & kWrite) != 0 && node_.read_only.load(std::memory_order_relaxed))
      [[unlikely]] {
    return Fault::kReadOnlyReplica;
  }
  const FaultOr<> outcome = context.spec.handler(context);
  RememberReads(context, context.spec, context.key_list);
  if (!RunsAgain(context.outcome)) ShowToMonitors(context);
  return outcome;
}

// Under the script token: the handler takes further shards as it finds their keys.
FaultOr<> Dispatcher::RunCollecting(CommandContext& context,
                                    std::span<const Key> keys) NO_THREAD_SAFETY_ANALYSIS {
  ShardSet held;
  for (const Key& key : keys) held.set(key.shard());
  keyspace_.LockShards(held);
  Effects& effects = context.keys.effects();
  effects.Begin(keyspace_.change_log().active());
  context.collected = &held;
  const FaultOr<> outcome = RunHandler(context);
  keyspace_.CommitAndServe(held, context.now(), effects);
  return outcome;
}

RunOutcome Dispatcher::RunOneKey(const Request& request, ClientState& client, UnixMillis now,
                                 Effects& effects, wire::RespWriter& reply,
                                 LoopStatistics& statistics) NO_THREAD_SAFETY_ANALYSIS {
  const CommandSpec& spec = *request.command;
  if (!IsUsual(spec, client, now)) [[unlikely]] {
    if (node_.IsPaused(spec.flags, now)) return RunOutcome::kPaused;
    if (MustWait(request, spec, spec.flags, client)) return RunOutcome::kPutAside;
    if (!Admit(request, spec, spec.flags, client, now, reply)) return RunOutcome::kRefused;
  } else if (HasLimit() && !MakeRoom(request, spec.flags, now)) [[unlikely]] {
    ReplyFault(reply, Fault::kOutOfMemory);
    return RunOutcome::kRefused;
  }
  KeyAccess keys(keyspace_, effects, client.database, keyspace_.AccessAt(now, !client.no_touch));
  keys.set_tells_misses((spec.flags & kReadOnly) != 0);
  CommandContext context{request.args, request.keys, keys,   reply, client,
                         keyspace_,    services_,    table_, spec,  statistics.observer};
  if (!keyspace_.lock(request.keys[0].shard()).LockFor(Keyspace::kPatience)) [[unlikely]]
    return PutAside(reply);
  const TrackedWriter writer(services_.tracking, client.id);
  const FaultOr<> outcome =
      keyspace_.RunHeld(request.keys[0], now, effects, [&] { return RunHandler(context); });
  Finish(outcome, spec, keys, reply, statistics);
  return context.outcome;
}

RunOutcome Dispatcher::Execute(const Request& request, const CommandSpec& spec, ClientState& client,
                               UnixMillis now, Effects& effects, wire::RespWriter& reply,
                               LoopStatistics& statistics) NO_THREAD_SAFETY_ANALYSIS {
  KeyAccess keys(keyspace_, effects, client.database, keyspace_.AccessAt(now, !client.no_touch));
  keys.set_tells_misses((spec.flags & kReadOnly) != 0);
  CommandContext context{request.args, request.keys, keys,   reply, client,
                         keyspace_,    services_,    table_, spec,  statistics.observer};
  context.script_thread = statistics.script_thread;
  context.busy_turn = statistics.busy_turn;
  const TrackedWriter writer(services_.tracking, client.id);
  const auto run = [&]() -> FaultOr<> {
    if (IsFencedOff(spec.flags, !request.keys.empty())) [[unlikely]]
      return Fault::kFenced;
    return RunHandler(context);
  };
  FaultOr<> outcome = Ok();
  if ((spec.flags & kLocksItself) != 0) {
    outcome = run();
  } else if (spec.ReadsUnnamedKeys(request.args)) {
    if (!keyspace_.script_token().EnterFor(Keyspace::kPatience)) return PutAside(reply);
    outcome = RunCollecting(context, request.keys);
    keyspace_.script_token().Leave();
  } else if (request.keys.empty()) {
    const bool visits_all = VisitsAllShards(spec);
    if (visits_all && !keyspace_.script_token().EnterFor(Keyspace::kPatience)) {
      return PutAside(reply);
    }
    effects.Begin(keyspace_.change_log().active());
    outcome = run();
    if (visits_all) keyspace_.script_token().Leave();
  } else if (request.keys.size() == 1) {
    if (!keyspace_.lock(request.keys[0].shard()).LockFor(Keyspace::kPatience)) {
      return PutAside(reply);
    }
    outcome = keyspace_.RunHeld(request.keys[0], now, effects, run);
  } else {
    ShardSet shards;
    for (const Key& key : request.keys) shards.set(key.shard());
    if (!keyspace_.LockShardsFor(shards, Keyspace::kPatience)) return PutAside(reply);
    outcome = keyspace_.RunHeld(shards, request.keys, now, effects, run);
  }
  if (context.outcome == RunOutcome::kPutAside) return PutAside(reply);
  Finish(outcome, spec, keys, reply, statistics);
  return context.outcome;
}

void Dispatcher::Finish(const FaultOr<>& outcome, const CommandSpec& spec, const KeyAccess& keys,
                        wire::RespWriter& reply, LoopStatistics& statistics) const {
  if (!outcome.ok()) {
    ReplyFault(reply, outcome.error());
  }
  if ((spec.flags & (kReadOnly | kRunsQueue)) != 0) {
    if (keys.hits() > 0) statistics.hits.Add(keys.hits());
    if (keys.misses() > 0) statistics.misses.Add(keys.misses());
  }
}

}  // namespace mikura::engine
