// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/script_state.h"

namespace mikura::engine {

void ScriptThread::CountMemory(Scripts& scripts) {
  const scripting::Interpreter::Memory now = interpreter.memory();
  // What became less is added as well: the sum wraps to what it shall be.
  scripts.script_vm_bytes.fetch_add(now.scripts - counted_.scripts, std::memory_order_relaxed);
  scripts.function_vm_bytes.fetch_add(now.functions - counted_.functions,
                                      std::memory_order_relaxed);
  counted_ = now;
}

void ScriptState::Begin(Running running) {
  has_written_.store(false, std::memory_order_relaxed);
  kill_.store(false, std::memory_order_relaxed);
  is_busy_.store(false, std::memory_order_relaxed);
  MutexLock lock(mutex_);
  running_ = std::move(running);
  is_running_.store(true, std::memory_order_relaxed);
}

void ScriptState::End() {
  MutexLock lock(mutex_);
  is_running_.store(false, std::memory_order_relaxed);
  is_busy_.store(false, std::memory_order_relaxed);
}

std::optional<ScriptState::Running> ScriptState::running() const {
  MutexLock lock(mutex_);
  if (!is_running()) return std::nullopt;
  return running_;
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
