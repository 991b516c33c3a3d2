// SPDX-License-Identifier: Apache-2.0
// What an engine says of its replication in INFO.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "control/model/endpoint.h"

namespace mikura::control {

struct EngineState {
  bool is_primary = false;
  Endpoint follows;         // a replica's primary
  bool link_up = false;     // a replica: connected, and not taking over a copy
  bool loading = false;     // a replica: taking over a copy
  bool reads_file = false;  // loading: 1, of a primary: it reads its file
  int64_t offset = 0;       // of the data it holds
};

// Reads the lines of INFO replication and persistence; what is missing or unreadable keeps its
// default.
EngineState ParseReplicationInfo(std::string_view info);
// The value of one field of an INFO answer; nullopt when it has none. It refers to `info`.
std::optional<std::string_view> InfoField(std::string_view info, std::string_view name);
// used_memory of INFO memory.
std::optional<int64_t> ParseUsedMemory(std::string_view info);

}  // namespace mikura::control
