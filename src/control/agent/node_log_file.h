// SPDX-License-Identifier: Apache-2.0
// The log file that an engine writes, within bounds: `engine.log`, and before it `engine.log.1`.
#pragma once

#include <cstdint>
#include <string>

#include "control/agent/engine_config.h"

namespace mikura::control {

// A larger file is moved away; two files are kept.
inline constexpr int64_t kNodeLogBytesMax = int64_t{8} << 20;

std::string OlderLogFile(const NodePaths& paths);

// Moves a file that is too large to OlderLogFile(), in the place of the one before. Returns whether
// it did: an engine that runs writes on there until it is told to open its log again (SIGHUP).
bool MoveLargeLog(const NodePaths& paths);

}  // namespace mikura::control
