// SPDX-License-Identifier: Apache-2.0
// What a command's handler is given. The dispatcher has checked arity, authentication, role and
// memory, and holds the shards of all keys of the row; a handler of a command without keys holds
// none.
//
// A handler replies once, through `reply`, or returns a Fault (the dispatcher writes its words). It
// may also write an error with words of its own by reply.Error() and return Ok(). A handler that
// changed data adds what it changed to keys.effects(), in the form a replica repeats.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "engine/commands/client_state.h"
#include "engine/commands/command_spec.h"
#include "engine/commands/run_outcome.h"
#include "engine/commands/services.h"
#include "engine/keyspace/key_access.h"
#include "engine/keyspace/keyspace.h"
#include "wire/resp_writer.h"

namespace mikura::engine {

class CommandObserver;
class CommandTable;
struct ScriptThread;

struct CommandContext {
  std::span<const std::string_view> args;  // args[0] is the command's name as sent
  std::span<const Key> key_list;           // the keys of the row, hashed, in order of the arguments
  KeyAccess& keys;
  wire::RespWriter& reply;
  ClientState& client;
  Keyspace& keyspace;  // for commands without keys that visit shards themselves
  Services& services;
  const CommandTable& table;
  const CommandSpec& spec;
  CommandObserver* observer = nullptr;  // of the running loop; null: nobody counts
  // Of the running loop, for scripts: what runs them, and a turn of the loop while one is busy.
  // Null where there is no loop.
  ScriptThread* script_thread = nullptr;
  const std::function<void()>* busy_turn = nullptr;
  // False inside a transaction or script.
  bool may_wait = true;
  bool is_shown = false;  // to the monitors, already
  bool is_in_script = false;
  // The shards that are held. Not null: this thread has the script token, and a handler of a row
  // with reads_unnamed_keys may lock further ones, and notes them here.
  ShardSet* collected = nullptr;
  // A handler that sets another one than kDone has written no reply.
  RunOutcome outcome = RunOutcome::kDone;

  UnixMillis now() const { return keys.now(); }
};

}  // namespace mikura::engine
