// SPDX-License-Identifier: Apache-2.0
// What the registry knows of one client. The session's thread owns `state`; other threads see the
// copy `published`, guarded by the registry's lock, and the counters.
#pragma once

#include <atomic>
#include <memory>

#include "engine/commands/client_state.h"
#include "engine/server/statistics.h"

namespace mikura::engine {

struct CommandSpec;

struct ClientRecord {
  ClientState state;
  int fd = -1;
  uint32_t loop = 0;  // index of the event loop that serves the client
  bool is_memcached = false;
  std::string listener;  // name of the passed listener it came through, or empty

  ClientState published;                   // guarded by the registry's lock
  std::shared_ptr<BlockedClient> waiting;  // the same; while it waits for keys

  // Written by the session's thread, read relaxed by whoever lists clients.
  std::atomic<UnixMillis> last_active_at{0};
  std::atomic<int> queued_commands{-1};  // -1: not in MULTI
  std::atomic<bool> is_blocked{false};   // it waits for a key, or for the end of a pause
  std::atomic<uint64_t> held_input_bytes{0};
  std::atomic<uint64_t> held_output_bytes{0};
  std::atomic<uint64_t> queued_bytes{0};     // of its transaction
  std::atomic<bool> is_amid_request{false};  // part of a request has arrived
  std::atomic<const CommandSpec*> last_command{nullptr};
  std::atomic<const CommandSpec*> last_subcommand{nullptr};
  Counter commands;
  Counter input_bytes;
  Counter output_bytes;
};

}  // namespace mikura::engine
