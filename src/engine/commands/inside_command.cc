// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/inside_command.h"

#include "engine/commands/client_tracking_commands.h"
#include "engine/commands/command_observer.h"
#include "engine/commands/fault_replies.h"
#include "engine/commands/monitoring.h"

namespace mikura::engine {

void RunInside(CommandContext& outer, HeldShards held, const InsideCommand& command,
               wire::RespWriter& reply) {
  KeyAccess keys(outer.keyspace, outer.keys.effects(), outer.client.database, outer.keys.access(),
                 held);
  keys.set_tells_misses((command.spec.flags & kReadOnly) != 0);
  // Of a script those keys count that it has declared.
  const bool is_queued = (outer.spec.flags & kRunsQueue) != 0;
  CommandContext context{.args = command.args,
                         .key_list = command.keys,
                         .keys = keys,
                         .reply = reply,
                         .client = outer.client,
                         .keyspace = outer.keyspace,
                         .services = outer.services,
                         .table = outer.table,
                         .spec = command.spec,
                         .observer = outer.observer,
                         .script_thread = outer.script_thread,
                         .busy_turn = outer.busy_turn,
                         .may_wait = false,
                         .is_in_script = !is_queued,
                         .collected = command.collected};
  const size_t begin = reply.out().size();
  const uint64_t ticks = TicksNow();
  const FaultOr<> outcome = command.spec.handler(context);
  RememberReads(context, command.spec, is_queued ? command.keys : outer.key_list);
  if (is_queued) {
    ShowToMonitors(context);
  } else if ((command.spec.flags & (kAdmin | kSkipMonitor)) == 0) {
    ShowCallOfScript(context);
  }
  if (!outcome.ok()) {
    const FaultReply& words = ReplyFor(outcome.error());
    reply.Error(words.code, words.message);
  }
  if (outer.observer != nullptr) {
    const std::string_view written = reply.out().view().substr(begin);
    const bool failed = written.starts_with('-');
    if (failed) outer.observer->NoteError(written);
    outer.observer->NoteTicks(command.spec, command.args, outer.client, TicksNow() - ticks, failed);
  }
  if ((command.spec.flags & kReadOnly) != 0) outer.keys.CountInside(keys);
}

}  // namespace mikura::engine
