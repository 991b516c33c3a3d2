// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/command_table.h"

#include <algorithm>

#include "base/check.h"
#include "base/numbers.h"
#include "engine/commands/command_families.h"

namespace mikura::engine {
CommandTable::CommandTable() {
  // clang-format off
  const std::span<const CommandSpec> families[] = {
      StringCommands(), StringSetCommands(), StringConditionalCommands(), StringEditCommands(), GenericCommands(),
      ExpireCommands(), RenameCommands(), ScanCommands(), ObjectCommands(), MemoryCommands(),
      DatabaseCommands(), ConnectionCommands(), ClientCommands(), ConfigCommands(),
      ServerCommands(), IntrospectionCommands(), DebugCommands(), ReplicationCommands(),
      TransactionCommands(), SetCommands(), SetOperationCommands(), AclCommands(),
      ScriptingCommands(), FunctionCommands(), SlowLogCommands(), LatencyCommands(),
      ZsetCommands(), ZsetAddCommands(), ZsetRangeCommands(), ZsetRemoveCommands(),
      ZsetPopCommands(), PubsubCommands(), ListCommands(), ListPopCommands(),
      ListSearchCommands(), StreamCommands(), StreamAddCommands(), StreamDeleteCommands(),
      StreamReadCommands(), StreamGroupCommands(), StreamPendingCommands(),
      StreamClaimCommands(), StreamInfoCommands(), ZsetOperationCommands(),
      ZsetScanCommands(), ZsetBlockingCommands(), GeoCommands(), GeoSearchCommands(),
      HashCommands(), HashReadCommands(), HashScanCommands(), ListBlockingCommands(),
      DumpCommands(), BitmapCommands(), BitfieldCommands(), HashExpireCommands(),
      HashGetExCommands(), HyperLogLogCommands(), SortCommands(),
      MigrateCommands(), WaitCommands(), ClusterCommands(), SaveCommands(),
      AppendLogCommands(),
  };
  // clang-format on
  for (const std::span<const CommandSpec> family : families) {
    for (const CommandSpec& spec : family) all_.push_back(&spec);
  }
  // Found by name, but not shown: what only the replication stream and the append log send.
  const std::span<const CommandSpec> internal = MemcachedReplicationCommands();
  size_t size = 64;
  while (size < (all_.size() + internal.size()) * 4) size *= 2;
  rows_.assign(size, {});
  mask_ = size - 1;
  for (const CommandSpec* spec : all_) Insert(spec);
  for (const CommandSpec& spec : internal) Insert(&spec);
}

std::vector<const CommandSpec*> CommandTable::Every() const {
  std::vector<const CommandSpec*> every = all_;
  for (const CommandSpec& spec : MemcachedReplicationCommands()) every.push_back(&spec);
  return every;
}

void CommandTable::Insert(const CommandSpec* spec) {
  CHECK(Find(spec->name) == nullptr);
  const Folded folded(spec->name);
  size_t slot = folded.Hash() & mask_;
  while (rows_[slot].spec != nullptr) slot = (slot + 1) & mask_;
  rows_[slot] = {folded, IsExact(spec->name), spec};
}

bool CommandTable::IsExact(std::string_view name) {
  return name.size() <= 16 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

const CommandSpec* CommandTable::FindSubcommand(const CommandSpec& command,
                                                std::string_view name) const {
  for (const CommandSpec& spec : command.subcommands) {
    if (EqualsIgnoreCase(spec.name, name)) return &spec;
  }
  return nullptr;
}

}  // namespace mikura::engine
