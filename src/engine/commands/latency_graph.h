// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "engine/observation/latency_monitor.h"

namespace mikura::engine {

// The samples of an event as a graph in characters: a column each, its height the latency, and
// below it how long ago it was.
std::string DrawLatencyGraph(const LatencyEvent& event, int64_t now_seconds);

}  // namespace mikura::engine
