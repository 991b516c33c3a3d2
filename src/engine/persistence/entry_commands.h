// SPDX-License-Identifier: Apache-2.0
// Entries as the commands that make them: the base of an append log with aof-use-rdb-preamble no.
// Those of Redis (its rewriteAppendOnlyFile): SET, RPUSH, SADD, ZADD, HMSET, XADD, with at most 64
// elements in each, then PEXPIREAT. What Redis 7.0 has no command for takes ours: MIKURA.SET, and
// HPEXPIREAT of Redis 7.4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/collections/collection.h"
#include "engine/persistence/rdb_value_writer.h"
#include "engine/store/entry.h"

namespace mikura::engine {

inline constexpr uint64_t kElementsPerCommand = 64;

// One string. Of a long one the value is written by the caller, between the two.
void AppendStringCommands(std::string& out, std::string_view key, std::string_view value,
                          const store::Attributes& attributes);
void BeginStringCommands(std::string& out, std::string_view key, size_t value_bytes,
                         const store::Attributes& attributes);
void EndStringCommands(std::string& out, std::string_view key, const store::Attributes& attributes);

// One collection, with the key's deadline. Errors: those of `flush`. Cost: a step for each element.
Status AppendCollectionCommands(std::string& out, std::string_view key,
                                const collections::Collection& value, UnixMillis deadline,
                                const RdbFlush& flush);

// A library of functions.
void AppendLibraryCommand(std::string& out, std::string_view code);

// Whole commands, for this form's parts.
void AppendWords(std::string& out, std::initializer_list<std::string_view> words);

}  // namespace mikura::engine
