// SPDX-License-Identifier: Apache-2.0
// Loading libraries of functions, for a client, for a primary, or from an RDB file.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "engine/commands/script_state.h"
#include "engine/scripting/script_host.h"

namespace mikura::engine {

// A library that is being loaded can call nothing.
class LibraryHost final : public scripting::ScriptHost {
 public:
  void Call(std::span<const std::string_view> args, wire::RespWriter& reply) override;
  scripting::HookVerdict OnHook() override { return scripting::HookVerdict::kContinue; }
  void Log(scripting::ScriptLogLevel level, std::string_view text) override;
  scripting::AclVerdict CheckAcl(std::span<const std::string_view> args) override;
};

// Makes `codes` (source texts) the libraries of this node, and no others. They were loaded
// elsewhere before: no limit of time holds here. Errors: those of loading; nothing has changed
// then.
Status ReplaceLibraries(Scripts& scripts, std::span<const std::string> codes);

// For libraries that a primary has: as ReplaceLibraries().
scripting::InterpreterOptions WithoutTimeLimit();

}  // namespace mikura::engine
