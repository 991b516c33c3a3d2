// SPDX-License-Identifier: Apache-2.0
// Notes what one event loop runs: calls and their time, errors, what was slow. Belongs to the
// loop's thread.
#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "engine/commands/client_state.h"
#include "engine/commands/command_spec.h"
#include "engine/commands/command_table.h"
#include "engine/observation/observation.h"

namespace mikura::engine {

class CommandObserver {
 public:
  // `shared` outlives it.
  explicit CommandObserver(Observation& shared) : shared_(shared), statistics_(shared.numbers) {}

  const CommandStatistics& statistics() const { return statistics_; }

  // ---- Commands of a batch, one after the other: each took the time since the one before.
  void Restart() { last_ticks_ = TicksNow(); }
  // sizes: of the request, and of its reply.
  struct Sizes {
    uint64_t request_bytes;
    uint64_t reply_bytes;
  };
  void NoteRun(const CommandSpec& spec, std::span<const std::string_view> args,
               const ClientState& client, bool failed, Sizes sizes) {
    const uint64_t now = TicksNow();
    const uint64_t micros = CountCall(spec, now - std::exchange(last_ticks_, now), failed);
    if (micros >= shared_.noted_micros() || IsLarge(sizes)) [[unlikely]] {
      if (micros >= shared_.noted_micros()) NoteLong(spec, args, client, micros);
      NoteSizes(spec, args, client, sizes);
    }
  }
  void NoteSizes(const CommandSpec& spec, std::span<const std::string_view> args,
                 const ClientState& client, Sizes sizes) {
    if (IsLarge(sizes)) [[unlikely]]
      NoteLarge(spec, args, client, sizes);
  }
  // Of one that waits now: it is counted, and logged when it is served. Returns its time so far.
  uint64_t NoteWaiting(const CommandSpec& spec) {
    const uint64_t now = TicksNow();
    const uint64_t ticks = now - std::exchange(last_ticks_, now);
    CountCall(spec, ticks, false);
    return ticks;
  }
  // The error came after it had been counted: it waited.
  void NoteFailed(const CommandSpec& spec) { statistics_.NoteFailed(&spec); }
  void NoteServed(const CommandSpec& spec, std::span<const std::string_view> args,
                  const ClientState& client, uint64_t ticks) {
    const uint64_t micros = shared_.scale.ToMicros(ticks);
    if (micros >= shared_.noted_micros()) [[unlikely]]
      NoteLong(spec, args, client, micros);
  }
  void NoteRejected(const CommandSpec& spec) { statistics_.NoteRejected(&spec); }

  // A command inside another one.
  void NoteTicks(const CommandSpec& spec, std::span<const std::string_view> args,
                 const ClientState& client, uint64_t ticks, bool failed) {
    const uint64_t micros = CountCall(spec, ticks, failed);
    if (micros >= shared_.noted_micros()) [[unlikely]]
      NoteLong(spec, args, client, micros);
  }

  // Something else that kept clients waiting.
  void NoteEvent(std::string_view name, uint64_t micros) {
    if (micros >= shared_.noted_micros()) [[unlikely]]
      NoteSpike(name, micros);
  }

  // reply: an error reply, from its '-' on.
  void NoteError(std::string_view reply);
  // The next error is one that was noted already: a script ends with that of a command it called.
  void set_next_repeats(bool value) { next_repeats_ = value; }
  // How many errors were noted since the last call.
  uint64_t TakeErrorCount() { return std::exchange(error_count_, 0); }

 private:
  bool IsLarge(Sizes sizes) const {
    return sizes.request_bytes >= shared_.request_bytes() ||
           sizes.reply_bytes >= shared_.reply_bytes();
  }
  // Returns its microseconds.
  uint64_t CountCall(const CommandSpec& spec, uint64_t ticks, bool failed) {
    return statistics_.NoteCall(&spec, ticks, shared_.scale, failed,
                                shared_.counts_durations.load(std::memory_order_relaxed));
  }
  void NoteLong(const CommandSpec& spec, std::span<const std::string_view> args,
                const ClientState& client, uint64_t micros);
  void NoteSpike(std::string_view event, uint64_t micros);
  void NoteLarge(const CommandSpec& spec, std::span<const std::string_view> args,
                 const ClientState& client, Sizes sizes);

  Observation& shared_;
  CommandStatistics statistics_;
  uint64_t last_ticks_ = 0;
  uint64_t error_count_ = 0;
  bool next_repeats_ = false;
};

// Gives every row of the table, subcommands included, its number.
void NumberCommands(const CommandTable& table, CommandNumbers& numbers);

// The words of a request as logs may show them: passwords are replaced by "(redacted)".
std::vector<std::string_view> WithoutSecrets(const CommandSpec& spec,
                                             std::span<const std::string_view> args);

}  // namespace mikura::engine
