// SPDX-License-Identifier: Apache-2.0
// What scripts share: their cache, the function libraries, and the one that runs. The first two are
// thread-safe; ScriptState belongs to whoever has the script token, but for what it says.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/commands/command_spec.h"
#include "engine/scripting/function_library.h"
#include "engine/scripting/interpreter.h"
#include "engine/scripting/script_cache.h"
#include "engine/store/key.h"

namespace mikura::engine {

// The script or function that runs, as others see it. At most one runs.
class ScriptState {
 public:
  struct Running {
    bool is_function = false;
    std::string name;                  // of the function
    std::vector<std::string> command;  // the words as sent, long ones cut
    uint64_t started_ticks = 0;
  };
  // The same without copies, of which nearly no run needs any. What it shows lives until End().
  struct View {
    bool is_function = false;
    std::string_view name;
    std::span<const std::string_view> command;
    uint64_t started_ticks = 0;
  };

  // ---- By whoever runs it.
  void Begin(const View& running);
  void End();
  // It has written: it must come to its end.
  void NoteWrite() { has_written_.store(true, std::memory_order_relaxed); }
  // It has run for longer than busy-reply-threshold.
  void NoteBusy() { is_busy_.store(true, std::memory_order_relaxed); }
  bool is_to_be_killed() const { return kill_.load(std::memory_order_relaxed) || has_ended(); }

  bool has_written() const { return has_written_.load(std::memory_order_relaxed); }

  // ---- By anybody.
  bool is_running() const { return is_running_.load(std::memory_order_relaxed); }
  bool is_busy() const { return is_busy_.load(std::memory_order_relaxed); }
  // Nullopt when nothing runs.
  std::optional<Running> running() const;
  enum class KillOutcome : uint8_t { kAsked, kNothingRuns, kHasWritten, kIsFunction, kIsScript };
  // SCRIPT KILL, FUNCTION KILL: it ends soon.
  KillOutcome Kill(bool function);

  // The process ends: so does every script, whatever it has written.
  void EndAll() { has_ended_.store(true, std::memory_order_relaxed); }
  bool has_ended() const { return has_ended_.load(std::memory_order_relaxed); }

  std::atomic<int64_t> busy_after_micros{5'000'000};  // busy-reply-threshold; relaxed

 private:
  // Each publishes nothing but itself.
  std::atomic<bool> is_running_{false};
  std::atomic<bool> is_busy_{false};
  std::atomic<bool> has_written_{false};
  std::atomic<bool> kill_{false};
  std::atomic<bool> has_ended_{false};
  mutable Mutex mutex_;
  View running_ GUARDED_BY(mutex_);
};

struct Scripts {
  scripting::ScriptCache cache;
  scripting::FunctionRegistry functions;
  ScriptState state;
  // Memory of the Lua states of all event loops, for scripts and for functions. Publish nothing but
  // themselves, to INFO.
  std::atomic<uint64_t> script_vm_bytes{0};
  std::atomic<uint64_t> function_vm_bytes{0};
};

// What one event loop has to run scripts with. Made when its first script comes.
struct ScriptThread {
  explicit ScriptThread(Scripts& scripts, const scripting::InterpreterOptions& options = {})
      : reader(scripts.cache), interpreter(options) {}
  // Tells what the Lua states hold now; after a run, and after they were thrown away.
  void CountMemory(Scripts& scripts);

  scripting::ScriptCacheReader reader;
  scripting::Interpreter interpreter;
  // Scratch of the one script that runs.
  std::vector<KeyPlace> places;
  std::vector<Key> keys;

 private:
  scripting::Interpreter::Memory counted_;
};

}  // namespace mikura::engine
