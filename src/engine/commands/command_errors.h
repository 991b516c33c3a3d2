// SPDX-License-Identifier: Apache-2.0
// Errors that name what the client sent, in Redis' words; for the dispatcher and for handlers.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/commands/command_spec.h"

namespace mikura::engine {

// "get", or "config|get" for a subcommand: lower case.
std::string FullName(const CommandSpec& spec);

// The texts behind "ERR ". What a client sent is cut to 128 bytes.
std::string UnknownCommandMessage(std::span<const std::string_view> args);
std::string UnknownSubcommandMessage(const CommandSpec& command, std::string_view subcommand);
// To a client that has subscribed and speaks RESP2.
std::string SubscribedMessage(const CommandSpec& spec);
std::string WrongArityMessage(const CommandSpec& spec);
std::string InvalidExpireMessage(const CommandSpec& spec);

// What writes are answered while the append log cannot be written; `error`: the system's number.
std::string LogFailureMessage(int error);

}  // namespace mikura::engine
