// SPDX-License-Identifier: Apache-2.0
// Runs one parsed request: all checks, in this order and nowhere else, then the handler under the
// locks of its shards.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/commands/command_context.h"
#include "engine/commands/command_table.h"
#include "engine/keyspace/keyspace.h"
#include "engine/server/node_state.h"
#include "engine/server/statistics.h"
#include "wire/resp_writer.h"

namespace mikura::engine {

// A request whose command was looked up and whose keys were hashed when it was parsed.
struct Request {
  std::span<const std::string_view> args;
  std::span<const Key> keys;
  const CommandSpec* command = nullptr;     // null: unknown
  const CommandSpec* subcommand = nullptr;  // null: the command has none, or it is unknown
};

class Dispatcher {
 public:
  Dispatcher(Keyspace& keyspace, const CommandTable& table, Services& services,
             const NodeState& node)
      : keyspace_(keyspace), table_(table), services_(services), node_(node) {}

  const CommandTable& table() const { return table_; }
  AccessControl& access() { return services_.access; }
  bool IsFenced() const { return node_.IsFenced(); }
  bool fences_reads() const { return node_.fences_reads(); }

  // Fills `command`, `subcommand` of `request` and appends its keys to `keys`, when the number of
  // words fits the row; otherwise the request has no keys (and Run answers the error).
  void Resolve(Request& request, std::vector<KeyPlace>& scratch, std::vector<Key>& keys) const;

  // Resolve() for rows with one key and no subcommands whose number of words fits: true when this
  // request is one; it may be given to RunOneKey() then. Nothing is changed otherwise.
  bool ResolveOneKey(Request& request, std::vector<Key>& keys, CommandTable::Memory& memory) const {
    const CommandSpec* const spec = table_.Find(request.args[0], memory);
    if (spec == nullptr || spec->keys.first == 0 || spec->keys.last != spec->keys.first ||
        !spec->subcommands.empty() || spec->has_other_keys() ||
        (spec->flags & kKeysAreChannels) != 0 || !spec->arity.Accepts(request.args.size())) {
      return false;
    }
    request.command = spec;
    keyspace_.hasher().Append(request.args[static_cast<size_t>(spec->keys.first)], keys);
    return true;
  }

  // Runs `request` for `client` and writes its reply; unless it comes to kBlocked or kPutAside,
  // with nothing written. A request that was put aside runs again from its bytes: it must have
  // changed nothing, not even `client`.
  RunOutcome Run(const Request& request, ClientState& client, UnixMillis now, Effects& effects,
                 wire::RespWriter& reply, LoopStatistics& statistics);
  // The same for a request of ResolveOneKey() of a client that is not in MULTI.
  RunOutcome RunOneKey(const Request& request, ClientState& client, UnixMillis now,
                       Effects& effects, wire::RespWriter& reply, LoopStatistics& statistics);

 private:
  // True when the request may run; otherwise the error was written.
  // `flags`: those of the row, and for EXEC of the queued rows.
  bool Admit(const Request& request, const CommandSpec& spec, uint32_t flags, ClientState& client,
             UnixMillis now, wire::RespWriter& reply) const;
  // Whether the request, which has the right number of words, would pass all of Admit() but for
  // memory, and neither pauses nor waits. Says no rather than to look closer.
  bool IsUsual(const CommandSpec& spec, const ClientState& client, UnixMillis now) const;
  bool HasLimit() const { return node_.maxmemory_bytes.load(std::memory_order_relaxed) != 0; }
  bool MakeRoom(const Request& request, uint32_t flags, UnixMillis now) const;
  bool IsInBusyTurn() const {
    return services_.scripts.state.is_running() && keyspace_.script_token().is_mine();
  }
  bool NeverWrites(const CommandSpec& spec, std::span<const std::string_view> args,
                   const LoopStatistics& statistics) const;
  // `flags`: as for Admit().
  bool MustWait(const Request& request, const CommandSpec& spec, uint32_t flags,
                const ClientState& client) const;
  bool WaitsForScriptHere(const Request& request, const CommandSpec& spec,
                          const ClientState& client) const;
  bool IsBusy(const Request& request, const CommandSpec& spec, const ClientState& client) const;
  bool MayNotWrite(wire::RespWriter& reply) const;
  bool IsFencedOff(uint32_t flags, bool has_keys) const;
  bool IsRefusedByDisk(const CommandSpec& spec, uint32_t flags, wire::RespWriter& reply) const;
  static bool MayListenerRun(const CommandSpec& spec, uint32_t flags, const ClientState& client,
                             wire::RespWriter& reply);
  FaultOr<> RunHandler(CommandContext& context);
  FaultOr<> RunCollecting(CommandContext& context, std::span<const Key> keys);
  // The row to run; null after an error reply.
  const CommandSpec* RowOf(const Request& request, const ClientState& client,
                           wire::RespWriter& reply) const;
  const CommandSpec* RestrictedRowFor(const ClientState& client, std::string_view name) const;
  // After a request was refused with what stands in the output from `error_begin` on.
  RunOutcome Refuse(const CommandSpec* spec, ClientState& client, size_t error_begin,
                    wire::RespWriter& reply) const;
  RunOutcome PutAside(wire::RespWriter& reply) const;
  bool IsWithinBounds(ClientState& client) const;
  void Queue(const Request& request, const CommandSpec& spec, ClientState& client,
             wire::RespWriter& reply, const LoopStatistics& statistics) const;
  RunOutcome Execute(const Request& request, const CommandSpec& spec, ClientState& client,
                     UnixMillis now, Effects& effects, wire::RespWriter& reply,
                     LoopStatistics& statistics);
  bool MayRun(const Request& request, const CommandSpec& spec, const ClientState& client,
              UnixMillis now, wire::RespWriter& reply) const;
  void Finish(const FaultOr<>& outcome, const CommandSpec& spec, const KeyAccess& keys,
              wire::RespWriter& reply, LoopStatistics& statistics) const;

  Keyspace& keyspace_;
  const CommandTable& table_;
  Services& services_;
  const NodeState& node_;
};

}  // namespace mikura::engine
