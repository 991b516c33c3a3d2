// SPDX-License-Identifier: Apache-2.0
// The append log, as clients see it.
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/persistence/append_log.h"

namespace mikura::engine {
namespace {

// BGREWRITEAOF -> at once. It works without the log too: a base is written then.
FaultOr<> BackgroundRewrite(CommandContext& ctx) {
  if (ctx.services.append_log == nullptr) {
    ctx.reply.Error("ERR", "this node has no append log");
  } else if (ctx.services.append_log->BeginRewrite()) {
    // In a transaction Redis begins only when it is over; the words are for those who compare.
    ctx.reply.Simple(ctx.may_wait ? "Background append only file rewriting started"
                                  : "Background append only file rewriting scheduled");
  } else {
    ctx.reply.Error("ERR", "Background append only file rewriting already in progress");
  }
  return Ok();
}

constexpr CommandSpec kAppendLogCommands[] = {
    {.name = "BGREWRITEAOF",
     .handler = BackgroundRewrite,
     .arity = Exactly(1),
     .flags = kAdmin | kNoScript | kNoAsyncLoading,
     .group = "server",
     .since = "1.0.0",
     .summary = "Begins to write the append log anew."},
};

}  // namespace

std::span<const CommandSpec> AppendLogCommands() { return kAppendLogCommands; }

}  // namespace mikura::engine
