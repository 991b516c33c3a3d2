// SPDX-License-Identifier: Apache-2.0
#include "engine/access/access_catalog.h"

#include "base/numbers.h"

namespace mikura::engine::access {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return lower;
}

}  // namespace

CommandNumber AccessCatalog::Add(std::string full_name, uint32_t categories,
                                 std::optional<CommandNumber> parent) {
  const auto number = static_cast<CommandNumber>(commands_.size());
  numbers_.emplace(full_name, number);
  commands_.push_back({std::move(full_name), categories, parent});
  if (parent) commands_[*parent].subcommands.push_back(number);
  return number;
}

std::optional<CommandNumber> AccessCatalog::Find(std::string_view full_name) const {
  const auto found = numbers_.find(Lower(full_name));
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

std::optional<uint32_t> AccessCatalog::FindCategory(std::string_view name) const {
  for (uint32_t i = 0; i < categories_.size(); ++i) {
    if (EqualsIgnoreCase(categories_[i], name)) return i;
  }
  return std::nullopt;
}

}  // namespace mikura::engine::access
