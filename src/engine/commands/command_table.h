// SPDX-License-Identifier: Apache-2.0
// All commands, found by name in a few nanoseconds.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/numbers.h"
#include "engine/commands/command_spec.h"

namespace mikura::engine {

class CommandTable {
 public:
  // All families of command_table.cc. restricted: names, blank-separated, of commands ("config")
  // and subcommands ("acl|setuser") that are to be unknown.
  explicit CommandTable(std::string_view restricted = {});

  // Case-insensitive. Null when unknown or restricted. Cost: one hash of at most 16 bytes and one
  // compare of them.
  const CommandSpec* Find(std::string_view name) const {
    const Folded folded(name);
    for (size_t slot = folded.Hash() & mask_;; slot = (slot + 1) & mask_) {
      const Row& row = rows_[slot];
      if (row.spec == nullptr) return nullptr;
      if (row.folded == folded && (row.is_exact || EqualsIgnoreCase(row.spec->name, name))) {
        return row.spec;
      }
    }
  }
  // The same with a memory of one name for each caller: pipelines repeat their commands.
  struct Memory;
  const CommandSpec* Find(std::string_view name, Memory& memory) const;
  const CommandSpec* FindSubcommand(const CommandSpec& command, std::string_view name) const;
  // A restricted command without keys and subcommands (PSYNC); else null.
  const CommandSpec* FindRestricted(std::string_view name) const;
  // Of the restricted names those that are no command's.
  const std::vector<std::string>& not_found() const { return not_found_; }
  // In the order of the families, without internal and restricted commands.
  std::span<const CommandSpec* const> All() const { return all_; }
  // The same with all of them; the internal ones come last.
  std::span<const CommandSpec* const> Every() const { return every_; }

 private:
  // The first and the last eight bytes of a name, in lower case if they are letters.
  struct Folded {
    explicit Folded(std::string_view name);
    bool operator==(const Folded&) const = default;
    uint64_t Hash() const {
      const uint64_t mixed = (head * 0x9E3779B97F4A7C15) ^ (tail * 0xC2B2AE3D27D4EB4F) ^ size;
      return mixed ^ (mixed >> 32);
    }

    uint64_t head = 0;
    uint64_t tail = 0;
    size_t size = 0;
  };
  struct Row {
    Folded folded{{}};
    bool is_exact = false;  // the folded form tells all of the name: letters, at most sixteen
    const CommandSpec* spec = nullptr;
  };
  void Restrict(std::string_view names);
  bool IsRestricted(const CommandSpec* spec) const;
  void Insert(const CommandSpec* spec);
  static bool IsExact(std::string_view name);

  std::vector<const CommandSpec*> every_;
  std::vector<const CommandSpec*> all_;
  std::vector<const CommandSpec*> restricted_;  // few: looked through
  std::vector<std::string> not_found_;
  std::vector<Row> rows_;  // open addressing by the folded name
  size_t mask_ = 0;
};

struct CommandTable::Memory {
  Folded folded{{}};
  const CommandSpec* spec = nullptr;
};

inline const CommandSpec* CommandTable::Find(std::string_view name, Memory& memory) const {
  const Folded folded(name);
  if (folded.head == memory.folded.head && folded.size == memory.folded.size &&
      folded.size <= sizeof(folded.head)) {
    return memory.spec;
  }
  const CommandSpec* const spec = Find(name);
  // Only names whose folded form tells all of them are remembered.
  if (spec != nullptr && IsExact(spec->name)) memory = {folded, spec};
  return spec;
}

// Never reads beyond the name: loads that overlap instead.
inline CommandTable::Folded::Folded(std::string_view name) : size(name.size()) {
  constexpr uint64_t kFoldBits = 0x2020202020202020;  // makes ASCII letters lower case
  const char* const bytes = name.data();
  if (size >= sizeof(head)) {
    std::memcpy(&head, bytes, sizeof(head));
    std::memcpy(&tail, bytes + size - sizeof(tail), sizeof(tail));
  } else if (size >= sizeof(uint32_t)) {
    uint32_t first;
    uint32_t last;
    std::memcpy(&first, bytes, sizeof(first));
    std::memcpy(&last, bytes + size - sizeof(last), sizeof(last));
    head = first | uint64_t{last} << 32;
  } else if (size > 0) {
    const auto at = [&](size_t i) { return uint64_t{static_cast<unsigned char>(bytes[i])}; };
    head = at(0) | at(size / 2) << 8 | at(size - 1) << 16;
  }
  head |= kFoldBits;
  tail |= kFoldBits;
}

}  // namespace mikura::engine
