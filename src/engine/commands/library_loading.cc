// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/library_loading.h"

namespace mikura::engine {

void LibraryHost::Call(std::span<const std::string_view> /*args*/, wire::RespWriter& reply) {
  scripting::WriteErrorText(reply, "ERR redis.call/pcall can only be called inside a script");
}

void LibraryHost::Log(scripting::ScriptLogLevel /*level*/, std::string_view /*text*/) {}

scripting::AclVerdict LibraryHost::CheckAcl(std::span<const std::string_view> /*args*/) {
  return scripting::AclVerdict::kDenied;
}

Status ReplaceLibraries(Scripts& scripts, std::span<const std::string> codes) {
  scripting::Interpreter interpreter(WithoutTimeLimit());
  LibraryHost host;
  return scripts.functions.Restore(codes, scripting::RestorePolicy::kFlush, interpreter, host);
}

scripting::InterpreterOptions WithoutTimeLimit() {
  scripting::InterpreterOptions options;
  options.load_millis_max = 0;
  return options;
}

}  // namespace mikura::engine
