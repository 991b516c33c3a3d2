// SPDX-License-Identifier: Apache-2.0
// The bytes of FUNCTION DUMP and FUNCTION RESTORE: the source text of each library as the opcode
// of an RDB file, then the version of the format and a checksum.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mikura::engine {

std::string DumpFunctions(std::span<const std::string> codes);

// The source texts in `payload`, which is hostile. Errors: the whole text behind "-".
Result<std::vector<std::string>> ReadFunctionDump(std::string_view payload);

}  // namespace mikura::engine
