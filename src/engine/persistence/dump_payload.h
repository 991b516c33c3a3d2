// SPDX-License-Identifier: Apache-2.0
// The bytes of DUMP and RESTORE: type, value in RDB form, version of the form (2 bytes,
// little-endian), and the CRC64 of all before (8 bytes).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/persistence/rdb_value_reader.h"
#include "engine/store/entry.h"

namespace mikura::engine {

// Of a string; of any other value. Cost: a copy of the value.
std::string MakeDumpPayload(std::string_view text);
std::string MakeDumpPayload(const collections::Collection& value);

// The footer for a payload's beginning: version and checksum.
void AppendDumpFooter(std::string& payload);
// The beginning of a payload whose version and checksum are right; nullopt for others.
std::optional<std::string_view> CheckDumpFooter(std::string_view payload);

// Errors: malformed data. The footer was checked.
Result<RdbValue> ReadDumpPayload(std::string_view body, collections::NodeMemory& memory);

}  // namespace mikura::engine
