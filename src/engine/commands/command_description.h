// SPDX-License-Identifier: Apache-2.0
// A row of the table as COMMAND shows it.
#pragma once

#include <string_view>
#include <vector>

#include "engine/commands/command_spec.h"
#include "wire/resp_writer.h"

namespace mikura::engine {

// Names of the flags: "readonly", "fast" ...
std::vector<std::string_view> FlagNames(const CommandSpec& spec);
// Access categories, with '@': those of the row, and those that follow from its flags.
std::vector<std::string_view> CategoryNames(const CommandSpec& spec);
// What is done to the key at place `key` among the keys of the row: "RO", "access" ...
std::vector<std::string_view> KeyAccessNames(const CommandSpec& spec, size_t key);

// The ten elements of COMMAND INFO, subcommands included.
void WriteCommandInfo(const CommandSpec& spec, wire::RespWriter& reply);
// The name and the map of COMMAND DOCS, subcommands included.
void WriteCommandDocs(const CommandSpec& spec, wire::RespWriter& reply);

}  // namespace mikura::engine
