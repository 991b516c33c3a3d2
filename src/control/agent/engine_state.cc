// SPDX-License-Identifier: Apache-2.0
#include "control/agent/engine_state.h"

#include <fmt/format.h>

#include <string>

#include "base/numbers.h"

namespace mikura::control {

EngineState ParseReplicationInfo(std::string_view info) {
  EngineState state;
  int64_t primary_offset = 0;
  int64_t replica_offset = 0;
  while (!info.empty()) {
    const size_t end = info.find('\n');
    std::string_view line = info.substr(0, end);
    info.remove_prefix(end == info.npos ? info.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const size_t colon = line.find(':');
    if (colon == line.npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 1);
    if (name == "role") state.is_primary = value == "master";
    if (name == "master_host") state.follows.address = value;
    if (name == "master_port") state.follows.port = ParseInt64(value).value_or(0);
    if (name == "master_link_status") state.link_up = value == "up";
    if (name == "master_sync_in_progress") state.loading = value != "0";
    if (name == "loading") state.reads_file = value != "0";
    if (name == "master_repl_offset") primary_offset = ParseInt64(value).value_or(0);
    if (name == "slave_repl_offset") replica_offset = ParseInt64(value).value_or(0);
  }
  state.offset = state.is_primary ? primary_offset : replica_offset;
  state.reads_file = state.reads_file && state.is_primary;
  state.link_up = state.link_up && !state.loading && !state.is_primary;
  return state;
}

std::optional<std::string_view> InfoField(std::string_view info, std::string_view name) {
  const std::string begin = fmt::format("\n{}:", name);
  const size_t found = info.find(begin);
  if (found == info.npos) return std::nullopt;
  info.remove_prefix(found + begin.size());
  return info.substr(0, info.find_first_of("\r\n"));
}

std::optional<int64_t> ParseUsedMemory(std::string_view info) {
  const auto value = InfoField(info, "used_memory");
  return value ? ParseInt64(*value) : std::nullopt;
}

}  // namespace mikura::control
