// SPDX-License-Identifier: Apache-2.0
// Snapshots of the data set in a file, and the end of the node, before which one may be saved.
#include <fmt/format.h>

#include <memory>

#include "engine/commands/blocking.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/script_run.h"
#include "engine/persistence/snapshot_saver.h"

namespace mikura::engine {
namespace {

constexpr std::string_view kInProgress = "Background save already in progress";
constexpr std::string_view kNoSaver = "this node saves no snapshots";

// SAVE -> OK when the snapshot is on the disk. Nobody else waits for it.
FaultOr<> Save(CommandContext& ctx) {
  SnapshotSaver* const saver = ctx.services.saver;
  if (saver == nullptr || !ctx.may_wait) {
    ctx.reply.Error("ERR", kNoSaver);
    return Ok();
  }
  if (saver->status().is_saving) {
    ctx.reply.Error("ERR", kInProgress);
    return Ok();
  }
  const auto client = WaitForJob(ctx, "the client was unblocked; saving goes on");
  const bool has_begun = saver->Begin(SnapshotSaver::Kind::kAwaited, [client](
                                                                         const Status& status) {
    client->Finish(status.ok() ? "+OK\r\n" : fmt::format("-ERR {}\r\n", status.error().message));
  });
  if (!has_begun) client->Finish(fmt::format("-ERR {}\r\n", kInProgress));
  return Ok();
}

// BGSAVE [SCHEDULE] -> at once. There is nothing for which a schedule would have to wait.
FaultOr<> BackgroundSave(CommandContext& ctx) {
  if (ctx.args.size() > 2 || (ctx.args.size() == 2 && !EqualsIgnoreCase(ctx.args[1], "SCHEDULE"))) {
    return Fault::kSyntax;
  }
  if (ctx.services.saver == nullptr) {
    ctx.reply.Error("ERR", kNoSaver);
  } else if (ctx.services.saver->Begin(SnapshotSaver::Kind::kBackground)) {
    ctx.reply.Simple("Background saving started");
  } else {
    ctx.reply.Error("ERR", kInProgress);
  }
  return Ok();
}

// LASTSAVE -> when the last snapshot was saved; the start of the node when none was. Seconds.
FaultOr<> LastSave(CommandContext& ctx) {
  const SnapshotSaver* const saver = ctx.services.saver;
  ctx.reply.Integer(saver == nullptr ? 0 : saver->status().last_save_at / 1000);
  return Ok();
}

struct ShutdownOptions {
  bool saves = false;
  bool saves_not = false;
  bool force = false;
  bool abort = false;
};

FaultOr<ShutdownOptions> ParseShutdown(std::span<const std::string_view> words) {
  ShutdownOptions options;
  for (const std::string_view word : words) {
    if (EqualsIgnoreCase(word, "SAVE")) {
      options.saves = true;
    } else if (EqualsIgnoreCase(word, "NOSAVE")) {
      options.saves_not = true;
    } else if (EqualsIgnoreCase(word, "FORCE")) {
      options.force = true;
    } else if (EqualsIgnoreCase(word, "ABORT")) {
      options.abort = true;
    } else if (!EqualsIgnoreCase(word, "NOW")) {
      return Fault::kSyntax;
    }
  }
  const bool is_contradiction =
      (options.saves && options.saves_not) || (options.abort && words.size() > 1);
  if (is_contradiction) return Fault::kSyntax;
  return options;
}

// Writes wait until the snapshot is saved; if that fails the node goes on, unless it is forced.
void SaveAndStop(CommandContext& ctx, bool force) {
  constexpr UnixMillis kDay = 24LL * 3600 * 1000;
  ServerControl& control = ctx.services.control;
  control.Pause(ctx.now(), ctx.now() + kDay, false);
  const auto client = WaitForJob(ctx, "the client was unblocked; the node is stopping");
  ctx.services.saver->BeginInstead([&control, client, force](const Status& status) {
    if (status.ok() || force) return control.Stop();
    control.Unpause();
    client->Finish("-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
  });
}

// SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] | ABORT. Not answered when it succeeds.
FaultOr<> Shutdown(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const ShutdownOptions options, ParseShutdown(ctx.args.subspan(1)));
  if (options.abort) {
    ctx.reply.Error("ERR", "No shutdown in progress.");
    return Ok();
  }
  if (!options.saves_not && ctx.services.scripts.state.is_busy()) {
    ReplyBusy(ctx.reply, ctx.services.scripts.state);
    return Ok();
  }
  const SnapshotSaver* const saver = ctx.services.saver;
  // As Redis: what is loaded so far must not replace the file.
  const bool saves = saver != nullptr && !saver->is_held() && !options.saves_not &&
                     (options.saves || saver->has_points());
  if (saves && ctx.may_wait) {
    SaveAndStop(ctx, options.force);
    return Ok();
  }
  ctx.services.control.Stop();
  ctx.client.close_after_reply = true;
  return Ok();
}

constexpr CommandSpec kSaveCommands[] = {
    {.name = "SAVE",
     .handler = Save,
     .arity = Exactly(1),
     .flags = kAdmin | kNoScript | kNoAsyncLoading | kNoMulti | kMayWait,
     .group = "server",
     .since = "1.0.0",
     .summary = "Saves a snapshot, and answers when that is done."},
    {.name = "BGSAVE",
     .handler = BackgroundSave,
     .arity = AtLeast(1),
     .flags = kAdmin | kNoScript | kNoAsyncLoading,
     .group = "server",
     .since = "1.0.0",
     .summary = "Begins to save a snapshot."},
    {.name = "LASTSAVE",
     .handler = LastSave,
     .arity = Exactly(1),
     .flags = kLoadingOk | kStaleOk | kFast,
     .acl = kAclAdmin | kAclDangerous,
     .group = "server",
     .since = "1.0.0",
     .summary = "Says when the last snapshot was saved.",
     .tips = "nondeterministic_output"},
    {.name = "SHUTDOWN",
     .handler = Shutdown,
     .arity = AtLeast(1),
     .flags = kAdmin | kNoScript | kLoadingOk | kStaleOk | kNoMulti | kAllowBusy | kMayWait,
     .group = "server",
     .since = "1.0.0",
     .summary = "Ends the server."},
};

}  // namespace

std::span<const CommandSpec> SaveCommands() { return kSaveCommands; }

}  // namespace mikura::engine
