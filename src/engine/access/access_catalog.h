// SPDX-License-Identifier: Apache-2.0
// What access rules need to know of the commands: numbers for them, names, categories. Made once
// from the command table, by whoever has it; immutable then.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mikura::engine::access {

using CommandNumber = uint32_t;

class AccessCatalog {
 public:
  // full_name: lower case, "config|get" for a subcommand. categories: numbers into `categories` of
  // the constructor. parent: of a subcommand, which is added after its command.
  struct Command {
    std::string full_name;
    uint32_t categories = 0;
    std::optional<CommandNumber> parent;
    std::vector<CommandNumber> subcommands = {};
  };

  // Names of categories without '@', in the order in which they are listed; at most 32.
  explicit AccessCatalog(std::span<const std::string_view> categories)
      : categories_(categories.begin(), categories.end()) {}

  CommandNumber Add(std::string full_name, uint32_t categories,
                    std::optional<CommandNumber> parent);

  size_t size() const { return commands_.size(); }
  const Command& command(CommandNumber number) const { return commands_[number]; }
  // By full name, case-insensitive.
  std::optional<CommandNumber> Find(std::string_view full_name) const;
  std::span<const std::string> categories() const { return categories_; }
  // Case-insensitive, without '@'.
  std::optional<uint32_t> FindCategory(std::string_view name) const;

 private:
  std::vector<std::string> categories_;
  std::vector<Command> commands_;
  std::unordered_map<std::string, CommandNumber> numbers_;
};

}  // namespace mikura::engine::access
