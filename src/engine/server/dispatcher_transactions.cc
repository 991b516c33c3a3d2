// SPDX-License-Identifier: Apache-2.0
// What the dispatcher does with the requests of a client that is in MULTI.
#include <fmt/format.h>

#include "base/logging.h"
#include "engine/commands/script_run.h"
#include "engine/commands/transaction.h"
#include "engine/server/dispatcher.h"

namespace mikura::engine {

// A transaction of which something was refused will not run; EXEC itself says why it was.
RunOutcome Dispatcher::Refuse(const CommandSpec* spec, ClientState& client, size_t error_begin,
                              wire::RespWriter& reply) const {
  if (spec == nullptr || (spec->flags & kRunsQueue) == 0) {
    if (client.in_multi) client.transaction->MarkFaulty();
    return RunOutcome::kRefused;
  }
  std::string_view reason = reply.out().view().substr(error_begin + 1);
  reason.remove_suffix(2);
  if (reason.starts_with("ERR ")) reason.remove_prefix(4);
  const std::string words = fmt::format("Transaction discarded because of: {}", reason);
  reply.out().Truncate(error_begin);
  reply.Error("EXECABORT", words);
  DiscardTransaction(client);
  return RunOutcome::kRefused;
}

void Dispatcher::Queue(const Request& request, const CommandSpec& spec, ClientState& client,
                       wire::RespWriter& reply, const LoopStatistics& statistics) const {
  if ((spec.flags & kNoMulti) != 0) {
    client.transaction->MarkFaulty();
    reply.Error("ERR", "Command not allowed inside a transaction");
    return;
  }
  client.transaction->Queue(spec, request.args, NeverWrites(spec, request.args, statistics));
  if (IsWithinBounds(client)) reply.Simple("QUEUED");
}

// A script that says so of itself.
bool Dispatcher::NeverWrites(const CommandSpec& spec, std::span<const std::string_view> args,
                             const LoopStatistics& statistics) const {
  return (spec.flags & (kLocksItself | kMayReplicate)) == (kLocksItself | kMayReplicate) &&
         statistics.script_thread != nullptr && !IsInBusyTurn() &&
         spec.arity.Accepts(args.size()) &&
         IsReadOnlyScript(spec, args, *statistics.script_thread, services_.scripts);
}

// A client that queues or watches more than it may send at once is closed, as one that sends too
// much.
bool Dispatcher::IsWithinBounds(ClientState& client) const {
  const size_t most = node_.query_buffer_bytes_max.load(std::memory_order_relaxed);
  if (!client.transaction || client.transaction->kept_bytes() <= most) return true;
  Log(LogLevel::kWarning, "server",
      "client {} closed: its transaction exceeds client-query-buffer-limit", client.id);
  client.close_after_reply = true;
  return false;
}

}  // namespace mikura::engine
