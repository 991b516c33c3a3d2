// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/script_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/logging.h"
#include "base/numbers.h"
#include "engine/commands/command_errors.h"
#include "engine/commands/command_keys.h"
#include "engine/commands/command_observer.h"
#include "engine/commands/fault_replies.h"
#include "engine/commands/inside_command.h"
#include "engine/commands/monitoring.h"
#include "engine/commands/transaction.h"

namespace mikura::engine {
namespace {

// A script that has run for so long lets the loop of its thread take turns, so often.
constexpr int64_t kFirstTurnMicros = 50'000;
constexpr int64_t kTurnMicros = 10'000;

constexpr std::string_view kNoMemory = "-OOM command not allowed when used memory > 'maxmemory'.";
constexpr std::string_view kReadOnlyReplica =
    "-READONLY You can't write against a read only replica.";
constexpr std::string_view kTooFewReplicas = "-NOREPLICAS Not enough good replicas to write.";

std::string_view CannotSaveText() {
  static const std::string text = fmt::format("-{} {}", ReplyFor(Fault::kCannotSave).code,
                                              ReplyFor(Fault::kCannotSave).message);
  return text;
}

void RefuseWith(CommandContext& ctx, Fault fault) {
  const FaultReply& words = ReplyFor(fault);
  ctx.reply.Error(words.code, words.message);
}

}  // namespace

ScriptRun::ScriptRun(CommandContext& ctx, const ScriptRights& rights)
    : ctx_(ctx),
      rights_(rights),
      state_(ctx.services.scripts.state),
      places_(ctx.script_thread->places),
      keys_(ctx.script_thread->keys) {}

// The interpreter takes longer to begin than the memory of the first keys to come.
void ScriptRun::PrefetchBuckets() {
  size_t count = 0;
  for (const Key& key : FirstKeys()) {
    const store::Shard& shard = ctx_.keyspace.UnlockedShard(key.shard());
    buckets_[count] = shard.HintedBucket(ctx_.client.database, key);
    __builtin_prefetch(buckets_[count++]);
  }
}

void ScriptRun::PrefetchEntries() const {
  size_t count = 0;
  for (const Key& key : FirstKeys()) {
    const store::Shard& shard = ctx_.keyspace.UnlockedShard(key.shard());
    __builtin_prefetch(shard.HintedEntry(buckets_[count++], key).at);
  }
}

FaultOr<> ScriptRun::Run(const Body& body) NO_THREAD_SAFETY_ANALYSIS {
  Keyspace& keyspace = ctx_.keyspace;
  const HeldShards outer = ctx_.keys.held();
  is_inside_ = !outer.none();
  if (is_inside_) {
    held_.set();
    was_full_ = !ctx_.services.control.HasRoom(ctx_.now());
    RunBody(body);
    return Ok();
  }
  PrefetchBuckets();
  was_full_ = !ctx_.services.control.HasRoom(ctx_.now());
  if (!keyspace.script_token().EnterFor(Keyspace::kPatience)) {
    ctx_.outcome = RunOutcome::kPutAside;
    return Ok();
  }
  // Who has the token may take them in any order.
  for (const Key& key : ctx_.key_list) {
    if (held_.test(key.shard())) continue;
    keyspace.lock(key.shard()).Lock();
    held_.set(key.shard());
  }
  Effects& effects = ctx_.keys.effects();
  effects.Begin(keyspace.change_log().active());
  PrefetchEntries();
  RunBody(body);
  keyspace.CommitAndServe(held_, ctx_.now(), effects);
  keyspace.script_token().Leave();
  return Ok();
}

void ScriptRun::RunBody(const Body& body) {
  ShowCommand(ctx_);
  ctx_.is_shown = true;
  const uint64_t now = TicksNow();
  const TickScale& scale = ctx_.services.observation.scale;
  const int64_t busy_after = state_.busy_after_micros.load(std::memory_order_relaxed);
  busy_at_ticks_ = busy_after < 0 ? UINT64_MAX : now + scale.FromMicros(busy_after);
  next_turn_ticks_ = std::min(busy_at_ticks_, now + scale.FromMicros(kFirstTurnMicros));
  const int database = ctx_.client.database;
  state_.Begin({rights_.is_function, rights_.name, ctx_.args, now});
  const scripting::RunOutcome outcome = body(*ctx_.script_thread, *this);
  if (ctx_.observer != nullptr) ctx_.observer->set_next_repeats(outcome.repeats_error);
  ctx_.script_thread->CountMemory(ctx_.services.scripts);
  state_.End();
  // Half of what it was to do must not reach anybody else.
  if (state_.has_ended()) ctx_.keys.effects().Begin(false);
  ctx_.client.database = database;  // SELECT concerns the script only
}

const CommandSpec* ScriptRun::RowOf(std::span<const std::string_view> args) const {
  const CommandSpec* const spec = ctx_.table.Find(args[0]);
  if (spec == nullptr || spec->subcommands.empty() || args.size() < 2) return spec;
  return ctx_.table.FindSubcommand(*spec, args[1]);
}

std::string_view ScriptRun::AccessRefusal(const CommandSpec& spec,
                                          std::span<const std::string_view> args) {
  const access::Verdict verdict = ctx_.services.access.Check(ctx_.client, spec, args);
  if (verdict.allowed()) return {};
  ctx_.services.access.NoteDenial(verdict, spec, AccessContext::kScript, ctx_.client,
                                  ctx_.services.clients.DescribeOwn(ctx_.client, ctx_.now()),
                                  ctx_.now());
  switch (verdict.denial) {
    case access::Denial::kKey:
      return "-ERR The user executing the script can't access at least one of the keys mentioned "
             "in the command arguments";
    case access::Denial::kChannel:
      return "-ERR The user executing the script can't publish to the channel mentioned in the "
             "command";
    case access::Denial::kCommand:
    case access::Denial::kNone:
      break;
  }
  return "-ERR The user executing the script can't run this command or subcommand";
}

std::string_view ScriptRun::Refusal(const CommandSpec& spec,
                                    std::span<const std::string_view> args) {
  if (!spec.arity.Accepts(args.size()) || spec.handler == nullptr) {
    return "-ERR Wrong number of args calling Redis command from script";
  }
  if ((spec.flags & kNoScript) != 0) {
    return "-ERR This Redis command is not allowed from script";
  }
  if ((spec.flags & kStaleOk) == 0 && ctx_.services.control.RefusesStale()) {
    return "-ERR Can not execute the command on a stale replica";
  }
  if (const std::string_view refusal = AccessRefusal(spec, args); !refusal.empty()) {
    return refusal;
  }
  if (!rights_.may_write && (spec.flags & kMayChange) != 0) {
    return "-ERR Write commands are not allowed from read-only scripts.";
  }
  if ((spec.flags & kWrite) == 0) return {};
  if (ctx_.services.control.IsReadOnly()) return kReadOnlyReplica;
  // A script that has begun to write goes on: half of what it does must not be missing.
  if (!state_.has_written()) {
    if (ctx_.services.control.CannotSave()) return CannotSaveText();
    if (const int error = ctx_.services.control.LogError(); error != 0) {
      log_failure_ = "-MISCONF " + LogFailureMessage(error);
      return log_failure_;
    }
    if (ctx_.services.control.LacksReplicas()) return kTooFewReplicas;
    if ((spec.flags & kDenyOom) != 0 && rights_.checks_memory && was_full_) return kNoMemory;
  }
  state_.NoteWrite();
  return {};
}

// Takes what the command needs and the script does not have yet. Only who has the token may take
// shards in any order.
void ScriptRun::TakeShardsOf(const CommandSpec& spec) NO_THREAD_SAFETY_ANALYSIS {
  const auto take = [&](uint32_t shard) NO_THREAD_SAFETY_ANALYSIS {
    if (held_.test(shard)) return;
    ctx_.keyspace.lock(shard).Lock();
    held_.set(shard);
  };
  for (const Key& key : keys_) take(key.shard());
  if (!keys_.empty() || !VisitsAllShards(spec)) return;
  for (uint32_t shard = 0; shard < kShardCount; ++shard) take(shard);
}

void ScriptRun::Call(std::span<const std::string_view> args, wire::RespWriter& reply) {
  const CommandSpec* const spec = RowOf(args);
  const std::string_view refusal =
      spec == nullptr ? "-ERR Unknown Redis command called from script" : Refusal(*spec, args);
  if (!refusal.empty()) {
    scripting::WriteErrorText(reply, refusal.substr(1));
    if (ctx_.observer == nullptr) return;
    if (spec != nullptr) ctx_.observer->NoteRejected(*spec);
    ctx_.observer->NoteError(refusal);
    return;
  }
  keys_.clear();
  if (spec->may_have_keys()) FindKeys(*spec, args, ctx_.keyspace.hasher(), places_, keys_);
  TakeShardsOf(*spec);
  RunInside(ctx_, HeldShards(held_), {*spec, args, keys_, &held_}, reply);
}

scripting::HookVerdict ScriptRun::OnHook() {
  if (state_.is_to_be_killed()) return scripting::HookVerdict::kKill;
  const uint64_t now = TicksNow();
  if (now >= busy_at_ticks_) state_.NoteBusy();
  if (now >= next_turn_ticks_ && ctx_.busy_turn != nullptr) {
    next_turn_ticks_ = now + ctx_.services.observation.scale.FromMicros(kTurnMicros);
    (*ctx_.busy_turn)();
  }
  return state_.is_to_be_killed() ? scripting::HookVerdict::kKill
                                  : scripting::HookVerdict::kContinue;
}

void ScriptRun::Log(scripting::ScriptLogLevel level, std::string_view text) {
  constexpr LogLevel kLevels[] = {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kNotice,
                                  LogLevel::kWarning};
  mikura::Log(kLevels[static_cast<int>(level)], "script", "{}", text);
}

scripting::AclVerdict ScriptRun::CheckAcl(std::span<const std::string_view> args) {
  const CommandSpec* const spec = RowOf(args);
  if (spec == nullptr) return scripting::AclVerdict::kUnknownCommand;
  return ctx_.services.access.Check(ctx_.client, *spec, args).allowed()
             ? scripting::AclVerdict::kAllowed
             : scripting::AclVerdict::kDenied;
}

// There is one stream for the log and the replicas: what goes to one of them goes to both.
void ScriptRun::SetReplication(uint32_t targets) {
  ctx_.keys.effects().set_paused(targets == scripting::kToNobody);
}

bool IsReadOnlyScript(const CommandSpec& spec, std::span<const std::string_view> args,
                      ScriptThread& thread, Scripts& scripts) {
  const auto declares = [](uint32_t flags) { return (flags & scripting::kNoWrites) != 0; };
  if (spec.name == "FCALL") {
    const auto* const function = thread.interpreter.Functions(scripts.functions).Find(args[1]);
    return function != nullptr && declares(function->info().flags);
  }
  if (thread.reader.NoticeFlush()) thread.interpreter.ForgetScripts();
  if (spec.name == "EVALSHA") {
    const scripting::ScriptPtr script = thread.reader.Find(args[1]);
    return script != nullptr && declares(script->flags);
  }
  const auto script = thread.reader.FindOrMake(args[1]);
  return script.ok() && declares((*script)->flags);
}

std::optional<ScriptArguments> ParseScriptArguments(CommandContext& ctx, size_t first,
                                                    std::string_view not_a_number) {
  const std::optional<int64_t> count = ParseInt64(ctx.args[first]);
  const std::span<const std::string_view> words = ctx.args.subspan(first + 1);
  if (!count) {
    ctx.reply.Error("ERR", not_a_number);
  } else if (*count > static_cast<int64_t>(words.size())) {
    ctx.reply.Error("ERR", "Number of keys can't be greater than number of args");
  } else if (*count < 0) {
    ctx.reply.Error("ERR", "Number of keys can't be negative");
  } else {
    const auto keys = static_cast<size_t>(*count);
    return ScriptArguments{words.first(keys), words.subspan(keys)};
  }
  return std::nullopt;
}

std::optional<ScriptRights> RightsOf(CommandContext& ctx, uint32_t flags, bool has_flags,
                                     bool read_only) {
  ScriptRights rights{.may_write = !read_only};
  const bool is_stale =
      ctx.services.control.RefusesStale() && (flags & scripting::kAllowStale) == 0;
  if (!has_flags) {
    if (!is_stale) return rights;
    RefuseWith(ctx, Fault::kMasterDown);
    return std::nullopt;
  }
  const bool no_writes = (flags & scripting::kNoWrites) != 0;
  if (read_only && !no_writes) {
    ctx.reply.Error("ERR", "Can not execute a script with write flag using *_ro command.");
    return std::nullopt;
  }
  if (const int error = ctx.services.control.LogError(); !no_writes && error != 0) {
    ctx.reply.Error("MISCONF", LogFailureMessage(error));
    return std::nullopt;
  }
  if (!no_writes && ctx.services.control.IsReadOnly()) {
    scripting::WriteErrorText(ctx.reply, kReadOnlyReplica.substr(1));
    return std::nullopt;
  }
  if (!no_writes && ctx.services.control.CannotSave()) {
    RefuseWith(ctx, Fault::kCannotSave);
    return std::nullopt;
  }
  if (!no_writes && ctx.services.control.LacksReplicas()) {
    RefuseWith(ctx, Fault::kTooFewReplicas);
    return std::nullopt;
  }
  if (is_stale) {
    RefuseWith(ctx, Fault::kMasterDown);
    return std::nullopt;
  }
  const bool may_be_full = no_writes || (flags & scripting::kAllowOom) != 0;
  if (!may_be_full && !ctx.services.control.HasRoom(ctx.now())) {
    scripting::WriteErrorText(ctx.reply, kNoMemory.substr(1));
    return std::nullopt;
  }
  rights.may_write = !no_writes;
  rights.checks_memory = false;
  return rights;
}

}  // namespace mikura::engine
