// SPDX-License-Identifier: Apache-2.0
// Small files that are there in one piece or not at all.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace mikura::control {

// The old content or the new one is there at every moment, also after a crash of the machine.
Status WriteWholeFile(const std::string& path, const std::string& text, unsigned mode = 0600);
// Nullopt: it does not exist. Errors: it cannot be read.
Result<std::optional<std::string>> ReadWholeFile(const std::string& path);

}  // namespace mikura::control
