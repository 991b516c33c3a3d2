// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/command_errors.h"

#include <fmt/format.h>

#include <cstring>

#include "base/numbers.h"

namespace mikura::engine {
namespace {

constexpr size_t kQuotedBytesMax = 128;

// What a C format prints of it: up to a NUL, at most `bytes_max` bytes.
std::string_view Printable(std::string_view text, size_t bytes_max) {
  return text.substr(0, text.find('\0')).substr(0, bytes_max);
}

}  // namespace

std::string FullName(const CommandSpec& spec) {
  if (spec.parent.empty()) return ToLower(spec.name);
  return fmt::format("{}|{}", ToLower(spec.parent), ToLower(spec.name));
}

std::string UnknownCommandMessage(std::span<const std::string_view> args) {
  std::string list;
  for (size_t i = 1; i < args.size() && list.size() < kQuotedBytesMax; ++i) {
    list += fmt::format("'{}' ", Printable(args[i], kQuotedBytesMax - list.size()));
  }
  return fmt::format("unknown command '{}', with args beginning with: {}",
                     Printable(args[0], kQuotedBytesMax), list);
}

std::string UnknownSubcommandMessage(const CommandSpec& command, std::string_view subcommand) {
  return fmt::format("unknown subcommand '{}'. Try {} HELP.",
                     Printable(subcommand, kQuotedBytesMax), command.name);
}

std::string SubscribedMessage(const CommandSpec& spec) {
  return fmt::format(
      "Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
      "allowed "
      "in this context",
      FullName(spec));
}

std::string WrongArityMessage(const CommandSpec& spec) {
  return fmt::format("wrong number of arguments for '{}' command", FullName(spec));
}

std::string InvalidExpireMessage(const CommandSpec& spec) {
  return fmt::format("invalid expire time in '{}' command", FullName(spec));
}

std::string LogFailureMessage(int error) {
  return fmt::format("Errors writing to the AOF file: {}", std::strerror(error));
}

}  // namespace mikura::engine
