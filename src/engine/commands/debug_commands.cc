// SPDX-License-Identifier: Apache-2.0
// DEBUG, for tests: allowed by enable-debug-command only. It has one row, as in Redis, so its
// handler finds its keys and takes their locks itself.
#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/logging.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/dataset_digest.h"
#include "engine/commands/library_loading.h"
#include "engine/commands/restored_form.h"
#include "engine/commands/value_encoding.h"
#include "engine/persistence/rdb_file.h"
#include "engine/persistence/snapshot_saver.h"

namespace mikura::engine {
namespace {

// Holds up this connection's event loop, and nothing else. At most an hour.
FaultOr<> Sleep(CommandContext& ctx) {
  constexpr double kSecondsMax = 3600;
  const double seconds = ParseDouble(ctx.args[2]).value_or(0);
  if (seconds > 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(seconds, kSecondsMax)));
  }
  ctx.reply.Ok();
  return Ok();
}

FaultOr<> ShowObject(CommandContext& ctx) {
  const Key key = ctx.keyspace.hasher()(ctx.args[2]);
  std::string line;
  {
    ShardGuard guard(ctx.keyspace.lock(key.shard()));
    const store::Found found = ctx.keys.Peek(key);
    if (!found) return Fault::kNoSuchKey;
    line =
        fmt::format("Value at:{} refcount:1 encoding:{} serializedlength:{}",
                    fmt::ptr(found.entry.value().data()),
                    EncodingName(found.entry, ctx.keys.node_memory()), found.entry.value().size());
  }
  ctx.reply.Simple(line);
  return Ok();
}

struct ReloadOptions {
  bool saves = true;
  bool flushes = true;
  bool merges = false;  // what the file has takes the place of what is there
};

std::optional<ReloadOptions> ParseReload(std::span<const std::string_view> words) {
  ReloadOptions options;
  for (const std::string_view word : words) {
    if (EqualsIgnoreCase(word, "MERGE")) {
      options.merges = true;
    } else if (EqualsIgnoreCase(word, "NOFLUSH")) {
      options.flushes = false;
    } else if (EqualsIgnoreCase(word, "NOSAVE")) {
      options.saves = false;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

Status LoadAgain(CommandContext& ctx, const ReloadOptions& options) {
  std::vector<std::string> codes;
  const auto give_form = [&](collections::Collection& value, uint8_t rdb_type) {
    ApplyRestoredForm(value, rdb_type, ctx.services.encoding_limits);
  };
  if (options.flushes) {
    Effects unlogged{Effects::Muted{}};
    ctx.keyspace.FlushAll(unlogged);
  }
  RETURN_IF_ERROR(LoadRdb(ctx.keyspace, ctx.services.saver->path(),
                          ctx.services.control.IsPrimary() ? ctx.now() : 0,
                          {.libraries = &codes, .form = give_form, .replaces = options.merges}));
  using scripting::RestorePolicy;
  scripting::Interpreter interpreter(WithoutTimeLimit());
  LibraryHost host;
  return ctx.services.scripts.functions.Restore(codes,
                                                options.flushes  ? RestorePolicy::kFlush
                                                : options.merges ? RestorePolicy::kReplace
                                                                 : RestorePolicy::kAppend,
                                                interpreter, host);
}

// DEBUG RELOAD [NOSAVE] [NOFLUSH] [MERGE] -> the data are those of the file, which is written
// before. This connection's event loop does it; the clients of all others wait meanwhile. Nothing
// is logged: a replica has the same data.
FaultOr<> Reload(CommandContext& ctx) {
  constexpr UnixMillis kDay = 24LL * 3600 * 1000;
  const std::optional<ReloadOptions> options = ParseReload(ctx.args.subspan(2));
  if (!options) {
    ctx.reply.Error("ERR", "DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    return Ok();
  }
  if (ctx.services.saver == nullptr || !ctx.may_wait) {
    ctx.reply.Error("ERR", "DEBUG RELOAD is not possible here");
    return Ok();
  }
  ctx.services.control.Pause(ctx.now(), ctx.now() + kDay, true);
  Status status;
  if (options->saves) status = ctx.services.saver->SaveInstead();
  const bool is_saved = status.ok();
  if (is_saved) status = LoadAgain(ctx, *options);
  ctx.services.control.Unpause();
  if (status.ok()) {
    ctx.reply.Ok();
    return Ok();
  }
  Log(LogLevel::kWarning, "persistence", "DEBUG RELOAD: {}", status.error().message);
  ctx.reply.Error("ERR", is_saved ? "Error trying to load the RDB dump, check server logs."
                                  : status.error().message);
  return Ok();
}

FaultOr<> ShowDigest(CommandContext& ctx) {
  ctx.reply.Simple(DigestOfAll(ctx.keyspace, ctx.now()).hex());
  return Ok();
}

// DEBUG DIGEST-VALUE key ...
FaultOr<> ShowValueDigests(CommandContext& ctx) {
  const auto names = ctx.args.subspan(2);
  ctx.reply.Array(names.size());
  for (const std::string_view name : names) {
    const Key key = ctx.keyspace.hasher()(name);
    Digest digest;
    {
      ShardGuard guard(ctx.keyspace.lock(key.shard()));
      const store::Found found = ctx.keys.Peek(key);
      if (found) AddToDigest(digest, ctx.keyspace.allocator().collections(), found.entry);
    }
    ctx.reply.Simple(digest.hex());
  }
  return Ok();
}

FaultOr<> ShowHelp(CommandContext& ctx) {
  constexpr std::string_view kLines[] = {
      "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "DIGEST",
      "    Shows a digest of all keys, which Redis has for the same data too.",
      "DIGEST-VALUE <key> [<key> ...]",
      "    Shows digests of the values of keys.",
      "OBJECT <key>",
      "    Shows how the value of a key is stored.",
      "RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
      "    Saves a snapshot, removes all keys, and loads the snapshot.",
      "SLEEP <seconds>",
      "    Holds up the connection's event loop.",
      "HELP",
      "    Lists the subcommands.",
  };
  ctx.reply.Array(std::size(kLines));
  for (const std::string_view line : kLines) ctx.reply.Simple(line);
  return Ok();
}

FaultOr<> Debug(CommandContext& ctx) {
  if (!ctx.services.control.DebugAllowed(ctx.client)) {
    ctx.reply.Error("ERR",
                    "DEBUG command not allowed. If the enable-debug-command option is set to "
                    "\"local\", you can run it from a local connection, otherwise you need to set "
                    "this option in the configuration file, and then restart the server.");
    return Ok();
  }
  const std::string_view name = ctx.args[1];
  const size_t words = ctx.args.size();
  if (EqualsIgnoreCase(name, "SLEEP") && words == 3) return Sleep(ctx);
  if (EqualsIgnoreCase(name, "RELOAD")) return Reload(ctx);
  if (EqualsIgnoreCase(name, "DIGEST") && words == 2) return ShowDigest(ctx);
  if (EqualsIgnoreCase(name, "DIGEST-VALUE")) return ShowValueDigests(ctx);
  if (EqualsIgnoreCase(name, "OBJECT") && words == 3) return ShowObject(ctx);
  if (EqualsIgnoreCase(name, "HELP") && words == 2) return ShowHelp(ctx);
  ctx.reply.Error(
      "ERR", fmt::format("unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
                         name.substr(0, 128), ctx.spec.name));
  return Ok();
}

constexpr CommandSpec kDebugCommands[] = {
    {.name = "DEBUG",
     .handler = Debug,
     .arity = AtLeast(2),
     .flags = kAdmin | kNoScript | kLoadingOk | kStaleOk,
     .group = "server",
     .since = "1.0.0",
     .summary = "Helps to test: DIGEST, OBJECT, RELOAD, SLEEP."},
};

}  // namespace

std::span<const CommandSpec> DebugCommands() { return kDebugCommands; }

}  // namespace mikura::engine
