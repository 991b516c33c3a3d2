// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/command_table.h"

#include <algorithm>
#include <iterator>
#include <sstream>

#include "base/check.h"
#include "base/numbers.h"
#include "engine/commands/command_families.h"

namespace mikura::engine {
CommandTable::CommandTable(std::string_view restricted) {
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
    for (const CommandSpec& spec : family) every_.push_back(&spec);
  }
  Restrict(restricted);
  std::copy_if(every_.begin(), every_.end(), std::back_inserter(all_),
               [this](const CommandSpec* spec) { return !IsRestricted(spec); });
  // Found by name, but not shown: what only the replication stream and the append log send.
  for (const CommandSpec& spec : MemcachedReplicationCommands()) every_.push_back(&spec);
  size_t size = 64;
  while (size < every_.size() * 4) size *= 2;
  rows_.assign(size, {});
  mask_ = size - 1;
  for (const CommandSpec* spec : every_) {
    if (!IsRestricted(spec)) Insert(spec);
  }
}

void CommandTable::Restrict(std::string_view names) {
  std::istringstream words{std::string(names)};
  for (std::string word; words >> word;) {
    const size_t before = restricted_.size();
    const size_t bar = std::min(word.find('|'), word.size());
    for (const CommandSpec* spec : every_) {
      if (!EqualsIgnoreCase(spec->name, std::string_view(word).substr(0, bar))) continue;
      const CommandSpec* const named =
          bar == word.size() ? spec : FindSubcommand(*spec, std::string_view(word).substr(bar + 1));
      if (named != nullptr) restricted_.push_back(named);
    }
    if (restricted_.size() == before) not_found_.push_back(word);
  }
}

bool CommandTable::IsRestricted(const CommandSpec* spec) const {
  return std::find(restricted_.begin(), restricted_.end(), spec) != restricted_.end();
}

const CommandSpec* CommandTable::FindRestricted(std::string_view name) const {
  for (const CommandSpec* spec : restricted_) {
    const bool is_plain = spec->parent.empty() && spec->subcommands.empty();
    if (is_plain && !spec->may_have_keys() && EqualsIgnoreCase(spec->name, name)) return spec;
  }
  return nullptr;
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
    if (EqualsIgnoreCase(spec.name, name)) return IsRestricted(&spec) ? nullptr : &spec;
  }
  return nullptr;
}

}  // namespace mikura::engine
