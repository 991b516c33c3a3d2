// SPDX-License-Identifier: Apache-2.0
// FCALL and FUNCTION.
#include <fmt/format.h>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/library_loading.h"
#include "engine/commands/script_run.h"
#include "engine/commands/subcommand_help.h"
#include "engine/persistence/function_payload.h"
#include "wire/glob.h"

namespace mikura::engine {
namespace {

using scripting::FunctionInfo;
using scripting::FunctionLibraryPtr;

scripting::FunctionRegistry& Registry(CommandContext& ctx) {
  return ctx.services.scripts.functions;
}

FaultOr<> Call(CommandContext& ctx, bool read_only) {
  ScriptThread& thread = *ctx.script_thread;
  const scripting::FunctionEntry* const found =
      thread.interpreter.Functions(Registry(ctx)).Find(ctx.args[1]);
  if (found == nullptr) {
    ctx.reply.Error("ERR", "Function not found");
    return Ok();
  }
  const scripting::FunctionEntry function = *found;
  const auto arguments = ParseScriptArguments(ctx, 2, "Bad number of keys provided");
  if (!arguments) return Ok();
  auto rights = RightsOf(ctx, function.info().flags, true, read_only);
  if (!rights) return Ok();
  rights->is_function = true;
  rights->name = function.info().name;
  return ScriptRun(ctx, *rights).Run([&](ScriptThread& with, ScriptRun& host) {
    return with.interpreter.RunFunction(function, {arguments->keys, arguments->args}, host,
                                        ctx.reply);
  });
}

FaultOr<> FCall(CommandContext& ctx) { return Call(ctx, false); }
FaultOr<> FCallRo(CommandContext& ctx) { return Call(ctx, true); }

// Logs a change of the libraries. Whoever runs it has the script token, alone or with all shards
// (kTakesToken): changes have the same order here and in the log, and a snapshot's gate is before
// or behind both.
void LogChange(CommandContext& ctx, std::initializer_list<std::string_view> effect) {
  AddEffect(ctx, effect);
  if (ctx.keys.held().none()) ctx.keyspace.CommitWithoutKeys(ctx.keys.effects());
}

// FUNCTION LOAD [REPLACE] code -> the library's name.
FaultOr<> Load(CommandContext& ctx) {
  bool replace = false;
  for (const std::string_view word : ctx.args.subspan(2, ctx.args.size() - 3)) {
    if (!EqualsIgnoreCase(word, "REPLACE")) {
      ctx.reply.Error("ERR", "Unknown option given: " + std::string(word));
      return Ok();
    }
    replace = true;
  }
  LibraryHost host;
  const Result<std::string> name =
      Registry(ctx).Load(ctx.args.back(), replace, ctx.script_thread->interpreter, host);
  if (!name.ok()) {
    scripting::WriteErrorText(ctx.reply, name.error().message);
    return Ok();
  }
  LogChange(ctx, {"FUNCTION", "LOAD", "REPLACE", ctx.args.back()});
  ctx.reply.Bulk(*name);
  return Ok();
}

FaultOr<> Delete(CommandContext& ctx) {
  if (const Status deleted = Registry(ctx).Delete(ctx.args[2]); !deleted.ok()) {
    scripting::WriteErrorText(ctx.reply, deleted.error().message);
    return Ok();
  }
  LogChange(ctx, {"FUNCTION", "DELETE", ctx.args[2]});
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> RefuseWords(CommandContext& ctx) {
  ctx.reply.Error("ERR", fmt::format("unknown subcommand or wrong number of arguments for "
                                     "'{}'. Try FUNCTION HELP.",
                                     ctx.args[1].substr(0, 128)));
  return Ok();
}

FaultOr<> Flush(CommandContext& ctx) {
  if (ctx.args.size() > 3) return RefuseWords(ctx);
  if (ctx.args.size() == 3 && !EqualsIgnoreCase(ctx.args[2], "SYNC") &&
      !EqualsIgnoreCase(ctx.args[2], "ASYNC")) {
    ctx.reply.Error("ERR", "FUNCTION FLUSH only supports SYNC|ASYNC option");
    return Ok();
  }
  Registry(ctx).Flush();
  LogChange(ctx, {"FUNCTION", "FLUSH"});
  ctx.reply.Ok();
  return Ok();
}

// FUNCTION DUMP -> all libraries as bytes for FUNCTION RESTORE.
FaultOr<> Dump(CommandContext& ctx) {
  ctx.reply.Bulk(DumpFunctions(Registry(ctx).DumpedCodes()));
  return Ok();
}

std::optional<scripting::RestorePolicy> PolicyOf(std::string_view word) {
  if (EqualsIgnoreCase(word, "APPEND")) return scripting::RestorePolicy::kAppend;
  if (EqualsIgnoreCase(word, "REPLACE")) return scripting::RestorePolicy::kReplace;
  if (EqualsIgnoreCase(word, "FLUSH")) return scripting::RestorePolicy::kFlush;
  return std::nullopt;
}

// FUNCTION RESTORE payload [FLUSH | APPEND | REPLACE]: all of the libraries in it, or none.
FaultOr<> Restore(CommandContext& ctx) {
  if (ctx.args.size() > 4) return RefuseWords(ctx);
  const std::string_view word = ctx.args.size() == 4 ? ctx.args[3] : "APPEND";
  const auto policy = PolicyOf(word);
  if (!policy) {
    ctx.reply.Error("ERR",
                    "Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
    return Ok();
  }
  const auto codes = ReadFunctionDump(ctx.args[2]);
  LibraryHost host;
  const Status restored =
      codes.ok() ? Registry(ctx).Restore(*codes, *policy, ctx.script_thread->interpreter, host)
                 : Status(codes.error());
  if (!restored.ok()) {
    scripting::WriteErrorText(ctx.reply, restored.error().message);
    return Ok();
  }
  LogChange(ctx, {"FUNCTION", "RESTORE", ctx.args[2], word});
  ctx.reply.Ok();
  return Ok();
}

void ReplyFunction(wire::RespWriter& reply, const FunctionInfo& function) {
  reply.Map(3);
  reply.Bulk("name");
  reply.Bulk(function.name);
  reply.Bulk("description");
  if (function.description) {
    reply.Bulk(*function.description);
  } else {
    reply.Null();
  }
  reply.Bulk("flags");
  std::vector<std::string_view> names;
  for (uint32_t bit = 1; bit <= scripting::kAllowCrossSlotKeys; bit <<= 1) {
    if ((function.flags & bit) != 0) names.push_back(NameOf(scripting::ScriptFlag(bit)));
  }
  reply.Set(names.size());
  for (const std::string_view name : names) reply.Bulk(name);
}

void ReplyLibrary(wire::RespWriter& reply, const FunctionLibraryPtr& library, bool with_code) {
  reply.Map(with_code ? 4 : 3);
  reply.Bulk("library_name");
  reply.Bulk(library->name);
  reply.Bulk("engine");
  reply.Bulk(library->engine);
  reply.Bulk("functions");
  reply.Array(library->functions.size());
  for (const FunctionInfo& function : library->functions) ReplyFunction(reply, function);
  if (!with_code) return;
  reply.Bulk("library_code");
  reply.Bulk(library->code);
}

// FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]
FaultOr<> List(CommandContext& ctx) {
  std::optional<std::string_view> pattern;
  bool with_code = false;
  for (size_t i = 2; i < ctx.args.size(); ++i) {
    if (!with_code && EqualsIgnoreCase(ctx.args[i], "WITHCODE")) {
      with_code = true;
    } else if (!pattern && EqualsIgnoreCase(ctx.args[i], "LIBRARYNAME")) {
      if (i + 1 == ctx.args.size()) {
        ctx.reply.Error("ERR", "library name argument was not given");
        return Ok();
      }
      pattern = ctx.args[++i];
    } else {
      ctx.reply.Error("ERR", "Unknown argument " + std::string(ctx.args[i]));
      return Ok();
    }
  }
  const scripting::FunctionSetPtr set = Registry(ctx).Snapshot();
  std::vector<FunctionLibraryPtr> wanted;
  for (const auto& [name, library] : set->libraries) {
    if (!pattern || wire::GlobMatch(*pattern, name, wire::GlobCase::kInsensitive)) {
      wanted.push_back(library);
    }
  }
  ctx.reply.Array(wanted.size());
  for (const FunctionLibraryPtr& library : wanted) ReplyLibrary(ctx.reply, library, with_code);
  return Ok();
}

FaultOr<> Stats(CommandContext& ctx) {
  const scripting::FunctionSetPtr set = Registry(ctx).Snapshot();
  const auto running = ctx.services.scripts.state.running();
  ctx.reply.Map(2);
  ctx.reply.Bulk("running_script");
  if (!running) {
    ctx.reply.Null();
  } else {
    ctx.reply.Map(3);
    ctx.reply.Bulk("name");
    ctx.reply.Bulk(running->name);
    ctx.reply.Bulk("command");
    ctx.reply.Array(running->command.size());
    for (const std::string& word : running->command) ctx.reply.Bulk(word);
    ctx.reply.Bulk("duration_ms");
    const uint64_t ticks = TicksNow() - running->started_ticks;
    ctx.reply.Integer(static_cast<int64_t>(ctx.services.observation.scale.ToMicros(ticks) / 1000));
  }
  ctx.reply.Bulk("engines");
  ctx.reply.Map(1);
  ctx.reply.Bulk("LUA");
  ctx.reply.Map(2);
  ctx.reply.Bulk("libraries_count");
  ctx.reply.Integer(static_cast<int64_t>(set->libraries.size()));
  ctx.reply.Bulk("functions_count");
  ctx.reply.Integer(static_cast<int64_t>(set->function_count()));
  return Ok();
}

FaultOr<> Kill(CommandContext& ctx) {
  ReplyToKill(ctx, ctx.services.scripts.state.Kill(true));
  return Ok();
}

constexpr uint32_t kFlags =
    kNoScript | kStaleOk | kSkipMonitor | kNoMandatoryKeys | kMovableKeys | kLocksItself;

constexpr KeySpec Keys(std::string_view access, std::string_view notes) {
  KeySpec spec = KeysByNumber(access, 2);
  spec.notes = notes;
  return spec;
}
constexpr KeySpec kKeys[] = {
    Keys("RW access update",
         "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE")};
constexpr KeySpec kRoKeys[] = {Keys(
    "RO access", "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS")};

constexpr CommandSpec Row(std::string_view name, CommandHandler handler, Arity arity,
                          uint32_t flags, std::string_view summary, std::string_view tips = {}) {
  return {.name = name,
          .handler = handler,
          .arity = arity,
          .flags = flags,
          .acl = kAclScripting,
          .group = "scripting",
          .since = "7.0.0",
          .summary = summary,
          .tips = tips,
          .parent = "FUNCTION"};
}

constexpr std::string_view kOnAllShards = "request_policy:all_shards|response_policy:all_succeeded";

constexpr uint32_t kChanges = kWrite | kNoScript | kTakesToken;

constexpr CommandSpec kSubcommands[] = {
    Row("DELETE", Delete, Exactly(3), kChanges, "Removes a library.", kOnAllShards),
    Row("DUMP", Dump, Exactly(2), kNoScript, "Returns all libraries as bytes."),
    Row("FLUSH", Flush, AtLeast(2), kChanges, "Removes all libraries.", kOnAllShards),
    Row("HELP", SubcommandHelp, Exactly(2), kLoadingOk | kStaleOk, "Lists the subcommands."),
    Row("KILL", Kill, Exactly(2), kNoScript | kAllowBusy, "Ends the running function.",
        "request_policy:all_shards|response_policy:one_succeeded"),
    Row("LIST", List, AtLeast(2), kNoScript, "Shows the libraries.",
        "nondeterministic_output_order"),
    Row("LOAD", Load, AtLeast(3), kChanges | kDenyOom, "Adds a library.", kOnAllShards),
    Row("RESTORE", Restore, AtLeast(3), kChanges | kDenyOom, "Adds what FUNCTION DUMP gave.",
        kOnAllShards),
    Row("STATS", Stats, Exactly(2), kNoScript | kAllowBusy, "Shows what runs.",
        "nondeterministic_output|request_policy:all_shards|response_policy:special"),
};

constexpr CommandSpec Function(std::string_view name, CommandHandler handler, uint32_t flags,
                               std::string_view summary, std::span<const KeySpec> keys) {
  return {.name = name,
          .handler = handler,
          .arity = AtLeast(3),
          .flags = kFlags | flags,
          .acl = kAclScripting,
          .group = "scripting",
          .since = "7.0.0",
          .summary = summary,
          .key_specs = keys};
}

constexpr CommandSpec kCommands[] = {
    Function("FCALL", FCall, kMayReplicate, "Calls a function.", kKeys),
    Function("FCALL_RO", FCallRo, kReadOnly, "Calls a function that only reads.", kRoKeys),
    {.name = "FUNCTION",
     .arity = AtLeast(2),
     .group = "scripting",
     .since = "7.0.0",
     .summary = "Libraries of functions.",
     .subcommands = kSubcommands},
};

}  // namespace

std::span<const CommandSpec> FunctionCommands() { return kCommands; }

}  // namespace mikura::engine
