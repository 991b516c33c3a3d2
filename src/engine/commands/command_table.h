// SPDX-License-Identifier: Apache-2.0
// All commands, found by name in a few nanoseconds.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/commands/command_spec.h"

namespace mikura::engine {

class CommandTable {
 public:
  // All families of command_table.cc.
  CommandTable();

  // Case-insensitive. Null when unknown. Cost: one hash of at most 16 bytes and one compare.
  const CommandSpec* Find(std::string_view name) const;
  const CommandSpec* FindSubcommand(const CommandSpec& command, std::string_view name) const;
  // In the order of the families, without internal commands.
  std::span<const CommandSpec* const> All() const { return all_; }

 private:
  void Insert(const CommandSpec* spec);

  std::vector<const CommandSpec*> all_;
  std::vector<const CommandSpec*> slots_;  // open addressing by the folded name
};

}  // namespace mikura::engine
