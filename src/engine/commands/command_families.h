// SPDX-License-Identifier: Apache-2.0
// The families of commands; command_table.cc lists them all.
#pragma once

#include <span>

#include "engine/commands/command_spec.h"

namespace mikura::engine {

std::span<const CommandSpec> StringCommands();
std::span<const CommandSpec> StringSetCommands();
std::span<const CommandSpec> StringConditionalCommands();
std::span<const CommandSpec> StringEditCommands();
std::span<const CommandSpec> ListCommands();
std::span<const CommandSpec> ListBlockingCommands();
std::span<const CommandSpec> ListPopCommands();
std::span<const CommandSpec> ListSearchCommands();
std::span<const CommandSpec> ZsetCommands();
std::span<const CommandSpec> ZsetAddCommands();
std::span<const CommandSpec> ZsetRangeCommands();
std::span<const CommandSpec> ZsetRemoveCommands();
std::span<const CommandSpec> ZsetPopCommands();
std::span<const CommandSpec> ZsetOperationCommands();
std::span<const CommandSpec> ZsetScanCommands();
std::span<const CommandSpec> ZsetBlockingCommands();
std::span<const CommandSpec> GeoCommands();
std::span<const CommandSpec> GeoSearchCommands();
std::span<const CommandSpec> GenericCommands();
std::span<const CommandSpec> HashCommands();
std::span<const CommandSpec> HashExpireCommands();
std::span<const CommandSpec> HashGetExCommands();
std::span<const CommandSpec> HashReadCommands();
std::span<const CommandSpec> HashScanCommands();
std::span<const CommandSpec> ExpireCommands();
std::span<const CommandSpec> RenameCommands();
std::span<const CommandSpec> ScanCommands();
std::span<const CommandSpec> ObjectCommands();
std::span<const CommandSpec> MemoryCommands();
std::span<const CommandSpec> DatabaseCommands();
std::span<const CommandSpec> ConnectionCommands();
std::span<const CommandSpec> ClientCommands();
std::span<const CommandSpec> ConfigCommands();
std::span<const CommandSpec> IntrospectionCommands();
std::span<const CommandSpec> ServerCommands();
std::span<const CommandSpec> DebugCommands();
std::span<const CommandSpec> MemcachedReplicationCommands();
std::span<const CommandSpec> ReplicationCommands();
std::span<const CommandSpec> WaitCommands();
std::span<const CommandSpec> ClusterCommands();
std::span<const CommandSpec> PubsubCommands();
std::span<const CommandSpec> TransactionCommands();
std::span<const CommandSpec> SetCommands();
std::span<const CommandSpec> SetOperationCommands();
std::span<const CommandSpec> AclCommands();
std::span<const CommandSpec> ScriptingCommands();
std::span<const CommandSpec> FunctionCommands();
std::span<const CommandSpec> DumpCommands();
std::span<const CommandSpec> SlowLogCommands();
std::span<const CommandSpec> LatencyCommands();
std::span<const CommandSpec> StreamCommands();
std::span<const CommandSpec> StreamAddCommands();
std::span<const CommandSpec> StreamDeleteCommands();
std::span<const CommandSpec> StreamReadCommands();
std::span<const CommandSpec> StreamGroupCommands();
std::span<const CommandSpec> StreamPendingCommands();
std::span<const CommandSpec> StreamClaimCommands();
std::span<const CommandSpec> StreamInfoCommands();
std::span<const CommandSpec> HyperLogLogCommands();
std::span<const CommandSpec> SortCommands();
std::span<const CommandSpec> MigrateCommands();
std::span<const CommandSpec> SaveCommands();
std::span<const CommandSpec> AppendLogCommands();
std::span<const CommandSpec> BitmapCommands();
std::span<const CommandSpec> BitfieldCommands();

}  // namespace mikura::engine
