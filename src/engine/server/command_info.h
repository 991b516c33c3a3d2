// SPDX-License-Identifier: Apache-2.0
// The sections of INFO on commands: how often each ran, how long it took, which errors there were.
#pragma once

#include <string>

#include "engine/commands/command_table.h"
#include "engine/observation/observation.h"

namespace mikura::engine {

// Commands that were not called since the last reset have no line.
void AppendCommandStatistics(const Observation& observation, const CommandTable& table,
                             std::string& out);
void AppendErrorStatistics(const Observation& observation, std::string& out);
void AppendLatencyStatistics(const Observation& observation, const CommandTable& table,
                             std::string& out);

}  // namespace mikura::engine
