// SPDX-License-Identifier: Apache-2.0
// What the memory of the process is used for: gathering it, and INFO's section about it.
#pragma once

#include <atomic>
#include <string>

#include "engine/commands/memory_report.h"
#include "engine/commands/script_state.h"
#include "engine/keyspace/keyspace.h"
#include "engine/server/loop_group.h"
#include "engine/server/node_state.h"

namespace mikura::engine {

class MemoryMeter {
 public:
  MemoryMeter(const Keyspace& keyspace, const NodeState& node) : keyspace_(keyspace), node_(node) {}

  // Remembers what is in use now as what the process began with. Once, before it serves.
  void NoteStart(const LoopGroup& loops, const Scripts& scripts);
  // Takes some tens of microseconds, and no shard's lock. backlog_bytes: of replication.
  MemoryReport Read(const LoopGroup& loops, const Scripts& scripts, uint64_t backlog_bytes);

 private:
  const Keyspace& keyspace_;
  const NodeState& node_;
  uint64_t at_start_ = 0;
  std::atomic<uint64_t> peak_{0};  // publishes nothing but itself
};

// The lines of INFO's section "memory" behind its heading, in the order of Redis 7.0.
std::string MemoryInfoText(const MemoryReport& report);

}  // namespace mikura::engine
