// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/script_state.h"

#include <algorithm>

namespace mikura::engine {
namespace {

constexpr size_t kShownWordsMax = 32;
constexpr size_t kShownBytesMax = 128;

}  // namespace

void ScriptThread::CountMemory(Scripts& scripts) {
  const scripting::Interpreter::Memory now = interpreter.memory();
  // What became less is added as well: the sum wraps to what it shall be.
  scripts.script_vm_bytes.fetch_add(now.scripts - counted_.scripts, std::memory_order_relaxed);
  scripts.function_vm_bytes.fetch_add(now.functions - counted_.functions,
                                      std::memory_order_relaxed);
  counted_ = now;
}

void ScriptState::Begin(const View& running) {
  has_written_.store(false, std::memory_order_relaxed);
  kill_.store(false, std::memory_order_relaxed);
  is_busy_.store(false, std::memory_order_relaxed);
  MutexLock lock(mutex_);
  running_ = running;
  is_running_.store(true, std::memory_order_relaxed);
}

void ScriptState::End() {
  MutexLock lock(mutex_);
  running_ = {};
  is_running_.store(false, std::memory_order_relaxed);
  is_busy_.store(false, std::memory_order_relaxed);
}

std::optional<ScriptState::Running> ScriptState::running() const {
  MutexLock lock(mutex_);
  if (!is_running()) return std::nullopt;
  Running shown{running_.is_function, std::string(running_.name), {}, running_.started_ticks};
  for (const std::string_view word :
       running_.command.first(std::min(running_.command.size(), kShownWordsMax))) {
    shown.command.emplace_back(word.substr(0, kShownBytesMax));
  }
  return shown;
}

ScriptState::KillOutcome ScriptState::Kill(bool function) {
  MutexLock lock(mutex_);
  if (!is_running()) return KillOutcome::kNothingRuns;
  if (running_.is_function != function) {
    return function ? KillOutcome::kIsScript : KillOutcome::kIsFunction;
  }
  if (has_written_.load(std::memory_order_relaxed)) return KillOutcome::kHasWritten;
  kill_.store(true, std::memory_order_relaxed);
  return KillOutcome::kAsked;
}

}  // namespace mikura::engine
