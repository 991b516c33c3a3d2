// SPDX-License-Identifier: Apache-2.0
// What a running script needs of the server: implemented by the commands EVAL and FCALL.
// All functions are called on the thread that runs the script, while it runs. None may throw, and
// none may run another script on the same Interpreter.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "wire/resp_writer.h"

namespace mikura::engine::scripting {

enum class ScriptLogLevel : uint8_t { kDebug = 0, kVerbose = 1, kNotice = 2, kWarning = 3 };

enum class HookVerdict : uint8_t { kContinue, kKill };

// Bits of redis.set_repl.
enum ReplicationTarget : uint32_t { kToNobody = 0, kToAppendLog = 1, kToReplicas = 2, kToAll = 3 };

enum class AclVerdict : uint8_t { kAllowed, kDenied, kUnknownCommand };

class ScriptHost {
 public:
  virtual ~ScriptHost() = default;

  // redis.call and redis.pcall: runs the command and writes its one reply, in the RESP version the
  // writer has (2; 3 after redis.setresp(3)). What goes wrong is an error reply; the interpreter
  // turns it into a Lua error. `args` has at least one word; the views die with the call.
  virtual void Call(std::span<const std::string_view> args, wire::RespWriter& reply) = 0;

  // About every InterpreterOptions::hook_steps steps of the script, and of library functions that
  // take long. kKill ends the script with the error that SCRIPT KILL gives.
  virtual HookVerdict OnHook() = 0;

  // redis.log.
  virtual void Log(ScriptLogLevel level, std::string_view text) = 0;

  // redis.acl_check_cmd.
  virtual AclVerdict CheckAcl(std::span<const std::string_view> args) = 0;

  // redis.setresp: from now on replies of Call are in this version. The writer has it already.
  virtual void SetResp(int /*version*/) {}
  // redis.set_repl; `targets` is a sum of ReplicationTarget.
  virtual void SetReplication(uint32_t /*targets*/) {}
};

}  // namespace mikura::engine::scripting
