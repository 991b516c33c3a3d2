// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/command_observer.h"

#include <algorithm>
#include <chrono>

#include "base/numbers.h"
#include "wire/engine_parameters.h"

namespace mikura::engine {
namespace {

constexpr std::string_view kRedacted = "(redacted)";

int64_t SecondsNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool IsSecretParameter(std::string_view name) {
  const wire::ParameterSpec* const parameter = wire::FindParameter(name);
  return parameter != nullptr && (parameter->secret || parameter->name == "masteruser");
}

}  // namespace

std::vector<std::string_view> WithoutSecrets(const CommandSpec& spec,
                                             std::span<const std::string_view> args) {
  std::vector<std::string_view> shown(args.begin(), args.end());
  const auto hide = [&](size_t from, size_t count) {
    for (size_t i = from; i < std::min(from + count, shown.size()); ++i) shown[i] = kRedacted;
  };
  if (spec.name == "AUTH") hide(1, shown.size());
  if (spec.name == "SETUSER") hide(2, shown.size());
  if (spec.name == "SET" && spec.parent == "CONFIG") {
    for (size_t i = 2; i + 1 < shown.size(); i += 2) {
      if (IsSecretParameter(shown[i])) hide(i + 1, 1);
    }
  }
  if (spec.name == "HELLO" || spec.name == "MIGRATE") {
    for (size_t i = 2; i < shown.size(); ++i) {
      if (EqualsIgnoreCase(shown[i], "AUTH")) hide(i + 1, spec.name == "HELLO" ? 2 : 1);
      if (EqualsIgnoreCase(shown[i], "AUTH2")) hide(i + 1, 2);
    }
  }
  return shown;
}

void NumberCommands(const CommandTable& table, CommandNumbers& numbers) {
  for (const CommandSpec* spec : table.Every()) {
    numbers.Add(spec);
    for (const CommandSpec& subcommand : spec->subcommands) numbers.Add(&subcommand);
  }
}

void CommandObserver::NoteError(std::string_view reply) {
  if (std::exchange(next_repeats_, false)) return;
  ++error_count_;
  reply.remove_prefix(1);
  shared_.errors.Note(reply.substr(0, reply.find_first_of(" \r")));
}

void CommandObserver::NoteLong(const CommandSpec& spec, std::span<const std::string_view> args,
                               const ClientState& client, uint64_t micros) {
  const int64_t slow = shared_.slow_micros();
  if (slow >= 0 && micros >= static_cast<uint64_t>(slow) && (spec.flags & kSkipSlowlog) == 0) {
    shared_.slow_log.Add(WithoutSecrets(spec, args), {.at_seconds = SecondsNow(),
                                                      .value = micros,
                                                      .client_address = client.address,
                                                      .client_name = client.name});
  }
  NoteSpike((spec.flags & kFast) != 0 ? "fast-command" : "command", micros);
}

void CommandObserver::NoteSpike(std::string_view event, uint64_t micros) {
  const int64_t spike = shared_.latency_millis();
  if (spike > 0 && micros / 1000 >= static_cast<uint64_t>(spike)) {
    shared_.latency.Add(event, SecondsNow(), micros / 1000);
  }
}

void CommandObserver::NoteLarge(const CommandSpec& spec, std::span<const std::string_view> args,
                                const ClientState& client, Sizes sizes) {
  if ((spec.flags & kSkipSlowlog) != 0) return;
  const auto add = [&](SlowLog& log, uint64_t bytes) {
    log.Add(WithoutSecrets(spec, args), {.at_seconds = SecondsNow(),
                                         .value = bytes,
                                         .client_address = client.address,
                                         .client_name = client.name});
  };
  if (sizes.request_bytes >= shared_.request_bytes())
    add(shared_.large_requests, sizes.request_bytes);
  if (sizes.reply_bytes >= shared_.reply_bytes()) add(shared_.large_replies, sizes.reply_bytes);
}

}  // namespace mikura::engine
