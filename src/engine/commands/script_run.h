// SPDX-License-Identifier: Apache-2.0
// Runs a script or a function for a client: takes the script token and the shards of the keys that
// were declared, and further shards as the script names keys in them (keyspace/script_token.h).
//
// All that it changes is one record in the change log, and one change for everybody else.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string_view>

#include "engine/commands/command_context.h"
#include "engine/commands/script_state.h"
#include "engine/scripting/script_host.h"

namespace mikura::engine {

// What a script may do, by its flags and the command that runs it.
struct ScriptRights {
  bool may_write = true;
  bool checks_memory = true;  // a command that needs memory is refused when there is none
  // Whether the shebang's flags were checked: then single commands need not be.
  bool is_function = false;
  std::string_view name;  // of the function
};

class ScriptRun final : public scripting::ScriptHost {
 public:
  ScriptRun(CommandContext& ctx, const ScriptRights& rights);

  // Calls run(interpreter, words, host, reply), with everything held that the script needs to
  // begin. Sets the outcome of the command: put aside when the token was not to be had in time;
  // answers BUSY when a script has had it for very long.
  using Body = std::function<scripting::RunOutcome(ScriptThread& thread, ScriptRun& host)>;
  FaultOr<> Run(const Body& body);

  // ---- scripting::ScriptHost
  void Call(std::span<const std::string_view> args, wire::RespWriter& reply) override;
  scripting::HookVerdict OnHook() override;
  void Log(scripting::ScriptLogLevel level, std::string_view text) override;
  scripting::AclVerdict CheckAcl(std::span<const std::string_view> args) override;
  void SetReplication(uint32_t targets) override;

 private:
  const CommandSpec* RowOf(std::span<const std::string_view> args) const;
  // The words of an error that refuses the command; empty when it may run.
  std::string_view Refusal(const CommandSpec& spec, std::span<const std::string_view> args);
  std::string_view AccessRefusal(const CommandSpec& spec, std::span<const std::string_view> args);
  void TakeShardsOf(const CommandSpec& spec);
  void RunBody(const Body& body);
  static constexpr size_t kPrefetchedMax = 8;
  std::span<const Key> FirstKeys() const {
    return ctx_.key_list.first(std::min(ctx_.key_list.size(), kPrefetchedMax));
  }
  void PrefetchBuckets();
  void PrefetchEntries() const;

  CommandContext& ctx_;
  const ScriptRights rights_;
  ScriptState& state_;
  ShardSet held_;
  bool is_inside_ = false;  // of a transaction, which holds all shards
  bool was_full_ = false;   // memory was at its limit when the script began
  std::array<const char*, kPrefetchedMax> buckets_{};  // of FirstKeys()
  uint64_t busy_at_ticks_ = 0;
  uint64_t next_turn_ticks_ = 0;
  std::string log_failure_;
  std::vector<KeyPlace>& places_;  // of the call, as the next
  std::vector<Key>& keys_;
};

// SCRIPT KILL and FUNCTION KILL.
void ReplyToKill(CommandContext& ctx, ScriptState::KillOutcome outcome);
// To requests that cannot run while the script does.
// Whether a row that runs a script would run one that declares no-writes.
bool IsReadOnlyScript(const CommandSpec& spec, std::span<const std::string_view> args,
                      ScriptThread& thread, Scripts& scripts);

void ReplyBusy(wire::RespWriter& reply, const ScriptState& state);

// The words of KEYS and ARGV: `first` is the place of the number of keys.
struct ScriptArguments {
  std::span<const std::string_view> keys;
  std::span<const std::string_view> args;
};
// Nullopt after an error reply.
std::optional<ScriptArguments> ParseScriptArguments(CommandContext& ctx, size_t first,
                                                    std::string_view not_a_number);

// Rights that follow from flags (scripting::ScriptFlag). `read_only`: of EVAL_RO and its like.
// Nullopt after an error reply.
std::optional<ScriptRights> RightsOf(CommandContext& ctx, uint32_t flags, bool has_flags,
                                     bool read_only);

}  // namespace mikura::engine
