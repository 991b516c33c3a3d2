// SPDX-License-Identifier: Apache-2.0
// EVAL, EVALSHA and SCRIPT.
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/script_run.h"
#include "engine/commands/subcommand_help.h"

namespace mikura::engine {
namespace {

FaultOr<> RunScript(CommandContext& ctx, const scripting::ScriptPtr& script, bool read_only) {
  const auto arguments = ParseScriptArguments(ctx, 2, "value is not an integer or out of range");
  if (!arguments) return Ok();
  const auto rights = RightsOf(ctx, script->flags, script->has_shebang, read_only);
  if (!rights) return Ok();
  const auto body = [&](ScriptThread& thread, ScriptRun& host) {
    return thread.interpreter.Run(script, {arguments->keys, arguments->args}, host, ctx.reply);
  };
  return ScriptRun(ctx, *rights).Run(std::cref(body));  // what it captures is not copied
}

// Whether scripts can run here. Also takes notice of SCRIPT FLUSH.
ScriptThread& Thread(CommandContext& ctx) {
  ScriptThread& thread = *ctx.script_thread;
  if (thread.reader.NoticeFlush()) thread.interpreter.ForgetScripts();
  return thread;
}

FaultOr<> EvalText(CommandContext& ctx, bool read_only) {
  ScriptThread& thread = Thread(ctx);
  auto script = thread.reader.FindOrMake(ctx.args[1]);
  if (!script.ok()) {
    scripting::WriteErrorText(ctx.reply, script.error().message);
    return Ok();
  }
  if (const Status compiled = thread.interpreter.Compile(*script); !compiled.ok()) {
    scripting::WriteErrorText(ctx.reply, compiled.error().message);
    return Ok();
  }
  thread.reader.Keep(*script, scripting::ScriptCache::Origin::kEval);
  return RunScript(ctx, *script, read_only);
}

FaultOr<> EvalSha(CommandContext& ctx, bool read_only) {
  const scripting::ScriptPtr script = Thread(ctx).reader.Find(ctx.args[1]);
  if (script == nullptr) {
    ctx.reply.Error("NOSCRIPT", "No matching script. Please use EVAL.");
    return Ok();
  }
  return RunScript(ctx, script, read_only);
}

FaultOr<> Eval(CommandContext& ctx) { return EvalText(ctx, false); }
FaultOr<> EvalRo(CommandContext& ctx) { return EvalText(ctx, true); }
FaultOr<> EvalShaRw(CommandContext& ctx) { return EvalSha(ctx, false); }
FaultOr<> EvalShaRo(CommandContext& ctx) { return EvalSha(ctx, true); }

FaultOr<> ScriptLoad(CommandContext& ctx) {
  ScriptThread& thread = Thread(ctx);
  auto script = thread.reader.FindOrMake(ctx.args[2]);
  if (!script.ok()) {
    scripting::WriteErrorText(ctx.reply, script.error().message);
    return Ok();
  }
  if (const Status compiled = thread.interpreter.Compile(*script); !compiled.ok()) {
    scripting::WriteErrorText(ctx.reply, compiled.error().message);
    return Ok();
  }
  thread.reader.Keep(*script, scripting::ScriptCache::Origin::kScriptLoad);
  ctx.reply.Bulk((*script)->sha1);
  return Ok();
}

FaultOr<> ScriptExists(CommandContext& ctx) {
  ctx.reply.Array(ctx.args.size() - 2);
  for (const std::string_view sha1 : ctx.args.subspan(2)) {
    ctx.reply.Integer(Thread(ctx).reader.Find(sha1) != nullptr ? 1 : 0);
  }
  return Ok();
}

// SCRIPT SHOW sha1 -> the text of the script.
FaultOr<> ScriptShow(CommandContext& ctx) {
  const scripting::ScriptPtr script = Thread(ctx).reader.Find(ctx.args[2]);
  if (script == nullptr) {
    ctx.reply.Error("NOSCRIPT", "No matching script. Please use EVAL.");
  } else {
    ctx.reply.Bulk(script->body);
  }
  return Ok();
}

FaultOr<> ScriptFlush(CommandContext& ctx) {
  const bool has_word = ctx.args.size() == 3;
  if (ctx.args.size() > 3 || (has_word && !EqualsIgnoreCase(ctx.args[2], "SYNC") &&
                              !EqualsIgnoreCase(ctx.args[2], "ASYNC"))) {
    ctx.reply.Error("ERR", "SCRIPT FLUSH only support SYNC|ASYNC option");
    return Ok();
  }
  ctx.services.scripts.cache.Flush();
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> ScriptKill(CommandContext& ctx) {
  ReplyToKill(ctx, ctx.services.scripts.state.Kill(false));
  return Ok();
}

// There is no debugger; clients switch it off to be sure.
FaultOr<> ScriptDebug(CommandContext& ctx) {
  if (EqualsIgnoreCase(ctx.args[2], "NO")) {
    ctx.reply.Ok();
  } else if (EqualsIgnoreCase(ctx.args[2], "YES") || EqualsIgnoreCase(ctx.args[2], "SYNC")) {
    ctx.reply.Error("ERR", "the Lua debugger is not supported");
  } else {
    ctx.reply.Error("ERR", "Use SCRIPT DEBUG YES/SYNC/NO");
  }
  return Ok();
}

constexpr uint32_t kFlags =
    kNoScript | kStaleOk | kSkipMonitor | kNoMandatoryKeys | kMovableKeys | kLocksItself;
constexpr std::string_view kAssumed =
    "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE";
constexpr std::string_view kAssumedRo =
    "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS";

constexpr KeySpec Keys(std::string_view access, std::string_view notes) {
  KeySpec spec = KeysByNumber(access, 2);
  spec.notes = notes;
  return spec;
}
constexpr KeySpec kEvalKeys[] = {Keys("RW access update", kAssumed)};
constexpr KeySpec kEvalShaKeys[] = {Keys("RW access update", "")};
constexpr KeySpec kEvalRoKeys[] = {Keys("RO access", kAssumedRo)};
constexpr KeySpec kEvalShaRoKeys[] = {Keys("RO access", "")};

constexpr CommandSpec Script(std::string_view name, CommandHandler handler, uint32_t flags,
                             std::string_view since, std::string_view summary,
                             std::span<const KeySpec> keys) {
  return {.name = name,
          .handler = handler,
          .arity = AtLeast(3),
          .flags = kFlags | flags,
          .acl = kAclScripting,
          .group = "scripting",
          .since = since,
          .summary = summary,
          .key_specs = keys};
}

constexpr CommandSpec Row(std::string_view name, CommandHandler handler, Arity arity,
                          uint32_t flags, std::string_view since, std::string_view summary,
                          std::string_view tips = {}) {
  return {.name = name,
          .handler = handler,
          .arity = arity,
          .flags = flags,
          .acl = kAclScripting,
          .group = "scripting",
          .since = since,
          .summary = summary,
          .tips = tips,
          .parent = "SCRIPT"};
}

constexpr std::string_view kOnAllNodes = "request_policy:all_nodes|response_policy:all_succeeded";

constexpr CommandSpec kSubcommands[] = {
    Row("DEBUG", ScriptDebug, Exactly(3), kNoScript, "3.2.0", "Sets the mode of the debugger."),
    Row("EXISTS", ScriptExists, AtLeast(3), kNoScript, "2.6.0", "Tells which scripts are known.",
        "request_policy:all_shards|response_policy:agg_logical_and"),
    Row("FLUSH", ScriptFlush, AtLeast(2), kNoScript, "2.6.0", "Forgets all scripts.", kOnAllNodes),
    Row("HELP", SubcommandHelp, Exactly(2), kLoadingOk | kStaleOk, "5.0.0",
        "Lists the subcommands."),
    Row("KILL", ScriptKill, Exactly(2), kNoScript | kAllowBusy, "2.6.0", "Ends the running script.",
        "request_policy:all_shards|response_policy:one_succeeded"),
    Row("LOAD", ScriptLoad, Exactly(3), kNoScript | kStaleOk, "2.6.0", "Keeps a script.",
        kOnAllNodes),
    Row("SHOW", ScriptShow, Exactly(3), kNoScript, "8.0.0", "Shows the text of a script."),
};

constexpr CommandSpec kCommands[] = {
    Script("EVAL", Eval, kMayReplicate, "2.6.0", "Runs a script.", kEvalKeys),
    Script("EVAL_RO", EvalRo, kReadOnly, "7.0.0", "Runs a script that only reads.", kEvalRoKeys),
    Script("EVALSHA", EvalShaRw, kMayReplicate, "2.6.0", "Runs a script that is known.",
           kEvalShaKeys),
    Script("EVALSHA_RO", EvalShaRo, kReadOnly, "7.0.0", "Runs a known script that only reads.",
           kEvalShaRoKeys),
    {.name = "SCRIPT",
     .arity = AtLeast(2),
     .group = "scripting",
     .since = "2.6.0",
     .summary = "Scripts and the one that runs.",
     .subcommands = kSubcommands},
};

}  // namespace

void ReplyToKill(CommandContext& ctx, ScriptState::KillOutcome outcome) {
  switch (outcome) {
    case ScriptState::KillOutcome::kAsked:
      ctx.reply.Ok();
      return;
    case ScriptState::KillOutcome::kNothingRuns:
      ctx.reply.Error("NOTBUSY", "No scripts in execution right now.");
      return;
    case ScriptState::KillOutcome::kHasWritten:
      ctx.reply.Error("UNKILLABLE",
                      "Sorry the script already executed write commands against the dataset. You "
                      "can either wait the script termination or kill the server in a hard way "
                      "using the SHUTDOWN NOSAVE command.");
      return;
    case ScriptState::KillOutcome::kIsFunction:
    case ScriptState::KillOutcome::kIsScript:
      break;
  }
  ReplyBusy(ctx.reply, ctx.services.scripts.state);
}

void ReplyBusy(wire::RespWriter& reply, const ScriptState& state) {
  const auto running = state.running();
  if (running && running->is_function) {
    reply.Error("BUSY",
                "Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN "
                "NOSAVE.");
  } else {
    reply.Error("BUSY",
                "Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN "
                "NOSAVE.");
  }
}

std::span<const CommandSpec> ScriptingCommands() { return kCommands; }

}  // namespace mikura::engine
