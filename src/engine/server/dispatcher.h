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

  // Fills `command`, `subcommand` of `request` and appends its keys to `keys`, when the number of
  // words fits the row; otherwise the request has no keys (and Run answers the error).
  void Resolve(Request& request, std::vector<Key>& keys) const;

  // Runs `request` for `client` and writes its reply.
  void Run(const Request& request, ClientState& client, UnixMillis now, Effects& effects,
           wire::RespWriter& reply, LoopStatistics& statistics);

 private:
  // True when the request may run; otherwise the error was written.
  bool Admit(const Request& request, const CommandSpec& spec, const ClientState& client,
             UnixMillis now, wire::RespWriter& reply) const;
  void Execute(const Request& request, const CommandSpec& spec, ClientState& client, UnixMillis now,
               Effects& effects, wire::RespWriter& reply, LoopStatistics& statistics);

  Keyspace& keyspace_;
  const CommandTable& table_;
  Services& services_;
  const NodeState& node_;
};

}  // namespace mikura::engine
