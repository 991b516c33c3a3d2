// SPDX-License-Identifier: Apache-2.0
// Appends the parts of an RDB file to a buffer. The caller puts them in order:
// header, aux fields, then for each run of entries of one database a selection and the entries,
// then the end. Nothing here keeps state, so that parts can be made on different threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/persistence/rdb_output.h"
#include "engine/store/entry.h"

namespace mikura::engine {

void AppendRdbHeader(std::string& out);
void AppendRdbAux(std::string& out, std::string_view name, std::string_view value);
void AppendRdbSelect(std::string& out, int database);
// The source text of a library of functions.
void AppendRdbFunction(std::string& out, std::string_view code);
// How many keys, and how many with a deadline, the selected database has: a hint for the reader.
void AppendRdbResize(std::string& out, uint64_t keys, uint64_t volatile_keys);
// What stands before a value: deadline, memcached block, type and key. (texts: see AppendRdbText.)
void AppendRdbKey(std::string& out, uint8_t type, std::string_view key,
                  const store::Attributes& attributes, RdbPlainTexts* texts = nullptr);
// One string entry with its deadline and its memcached block.
void AppendRdbString(std::string& out, std::string_view key, std::string_view value,
                     const store::Attributes& attributes, RdbPlainTexts* texts = nullptr);
// The end opcode and the checksum. `checksum_before`: of all bytes in front of this end; nothing:
// there shall be none.
void AppendRdbEnd(std::string& out, std::optional<uint64_t> checksum_before);

}  // namespace mikura::engine
