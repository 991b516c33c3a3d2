// SPDX-License-Identifier: Apache-2.0
// Runs Lua scripts and functions. Knows neither keys nor clients: what redis.call does is the
// host's (script_host.h).
//
// One Interpreter belongs to one thread. It compiles what it has not compiled yet, keeps what it
// compiled, and throws its Lua state away when that has become large, ran out of memory, or on
// SCRIPT FLUSH and FUNCTION FLUSH: nothing that a script leaves behind is promised to stay.
//
// What a script can do is bounded: memory (an error, not an abort), time (the host's hook), depth
// of the stacks. It cannot change what the next script sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "engine/scripting/function_library.h"
#include "engine/scripting/reply_text.h"
#include "engine/scripting/script.h"
#include "engine/scripting/script_host.h"
#include "wire/resp_writer.h"

namespace mikura::engine::scripting {

struct InterpreterOptions {
  size_t memory_bytes_max = size_t{512}
                            << 20;  // of each Lua state: one for scripts, one for functions
  int hook_steps = 100'000;
  size_t compiled_scripts_max = 1'000;  // more: those compiled so far are dropped
  int64_t load_millis_max = 500;        // FUNCTION LOAD may run that long
};

// KEYS and ARGV.
struct ScriptWords {
  std::span<const std::string_view> keys;
  std::span<const std::string_view> args;
};

struct RunOutcome {
  bool failed = false;         // the script ended with an error, and the reply is that error
  bool killed = false;         // because the hook said so
  bool out_of_memory = false;  // because of memory_bytes_max
  // The reply is the error of a command that the script called: whoever counts errors has seen it.
  bool repeats_error = false;
};

class Interpreter {
 public:
  explicit Interpreter(const InterpreterOptions& options = {});
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  // SCRIPT LOAD: compiles without running. Errors: the whole text behind "-".
  Status Compile(const ScriptPtr& script);

  // Runs the script and writes its one reply, in the version of `reply` (which is the client's;
  // redis.setresp concerns only what the script sees).
  RunOutcome Run(const ScriptPtr& script, const ScriptWords& words, ScriptHost& host,
                 wire::RespWriter& reply);

  // The functions as of now: what FCALL looks its name up in. Valid until the next call.
  const FunctionSet& Functions(const FunctionRegistry& registry);

  // FCALL: the same as Run for a function that Functions() contained.
  RunOutcome RunFunction(const FunctionEntry& function, const ScriptWords& words, ScriptHost& host,
                         wire::RespWriter& reply);

  // FUNCTION LOAD, first half: runs the library's code so that it registers its functions.
  // FunctionRegistry::Load calls this. Errors: the whole text behind "-".
  Result<FunctionLibraryPtr> LoadLibrary(std::string_view code, ScriptHost& host);

  // SCRIPT FLUSH: drops all compiled scripts and their Lua state. Not while a script runs.
  void ForgetScripts();

  struct Memory {
    size_t scripts = 0;
    size_t functions = 0;
  };
  // Bytes that the Lua states hold.
  Memory memory() const;
  size_t compiled_scripts() const;
  // Whether a script or a function of this interpreter is running.
  bool is_running() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mikura::engine::scripting
