// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/command_table.h"

#include <cstring>

#include "base/check.h"
#include "base/numbers.h"
#include "engine/commands/command_families.h"

namespace mikura::engine {
namespace {

constexpr uint64_t kFoldBits = 0x2020202020202020;  // makes ASCII letters lower case

// The same for names that differ in case only. Reads the first and the last eight bytes.
uint64_t FoldedHash(std::string_view name) {
  uint64_t head = 0;
  uint64_t tail = 0;
  if (name.size() >= sizeof(head)) {
    std::memcpy(&head, name.data(), sizeof(head));
    std::memcpy(&tail, name.data() + name.size() - sizeof(tail), sizeof(tail));
  } else {
    std::memcpy(&head, name.data(), name.size());
  }
  const uint64_t mixed = ((head | kFoldBits) * 0x9E3779B97F4A7C15) ^
                         ((tail | kFoldBits) * 0xC2B2AE3D27D4EB4F) ^ name.size();
  return mixed ^ (mixed >> 32);
}

}  // namespace

CommandTable::CommandTable() {
  const std::span<const CommandSpec> families[] = {
      StringCommands(),   StringSetCommands(),     StringEditCommands(), GenericCommands(),
      ExpireCommands(),   RenameCommands(),        ScanCommands(),       ObjectCommands(),
      DatabaseCommands(), ConnectionCommands(),    ClientCommands(),     ConfigCommands(),
      ServerCommands(),   IntrospectionCommands(), DebugCommands(),      ReplicationCommands(),
  };
  for (const std::span<const CommandSpec> family : families) {
    for (const CommandSpec& spec : family) all_.push_back(&spec);
  }
  // Found by name, but not shown: what only the replication stream and the append log send.
  const std::span<const CommandSpec> internal = MemcachedReplicationCommands();
  size_t size = 64;
  while (size < (all_.size() + internal.size()) * 4) size *= 2;
  slots_.assign(size, nullptr);
  for (const CommandSpec* spec : all_) Insert(spec);
  for (const CommandSpec& spec : internal) Insert(&spec);
}

void CommandTable::Insert(const CommandSpec* spec) {
  CHECK(Find(spec->name) == nullptr);
  const size_t mask = slots_.size() - 1;
  size_t slot = FoldedHash(spec->name) & mask;
  while (slots_[slot] != nullptr) slot = (slot + 1) & mask;
  slots_[slot] = spec;
}

const CommandSpec* CommandTable::Find(std::string_view name) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = FoldedHash(name) & mask;
  while (slots_[slot] != nullptr) {
    if (EqualsIgnoreCase(slots_[slot]->name, name)) return slots_[slot];
    slot = (slot + 1) & mask;
  }
  return nullptr;
}

const CommandSpec* CommandTable::FindSubcommand(const CommandSpec& command,
                                                std::string_view name) const {
  for (const CommandSpec& spec : command.subcommands) {
    if (EqualsIgnoreCase(spec.name, name)) return &spec;
  }
  return nullptr;
}

}  // namespace mikura::engine
