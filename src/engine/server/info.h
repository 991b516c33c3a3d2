// SPDX-License-Identifier: Apache-2.0
// The text of INFO, with the field names of Redis 7.0: CloudWatch metrics and exporters read it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "engine/commands/command_table.h"
#include "engine/commands/services.h"
#include "engine/keyspace/keyspace.h"
#include "engine/messaging/client_tracking.h"
#include "engine/messaging/pubsub.h"
#include "engine/persistence/append_log.h"
#include "engine/persistence/rdb_file.h"
#include "engine/persistence/snapshot_saver.h"
#include "engine/replication/primary_side.h"
#include "engine/server/node_state.h"
#include "engine/server/statistics.h"

namespace mikura::engine {

// What INFO is made of. Read without any shard lock.
struct InfoSources {
  const Keyspace& keyspace;
  const NodeState& node;
  const Observation& observation;
  const CommandTable& table;
  const PubSub& pubsub;
  ClientTracking::Counts tracking;
  std::vector<const LoopStatistics*> loops;
  UnixMillis started_at = 0;
  UnixMillis now = 0;
  std::string run_id;
  std::string config_file;
  std::string version;         // of Redis
  std::string valkey_version;  // empty: it is none
  int tcp_port = 0;
  size_t threads = 0;
  const LoopStatistics& base;   // subtracted: the counters at the last CONFIG RESETSTAT
  uint64_t expired_before = 0;  // the keyspace's totals then
  uint64_t evicted_before = 0;
  SyncCounts syncs{};  // since the last CONFIG RESETSTAT
  MemoryReport memory;
  SaveStatus saving;
  AppendLogStatus append_log;
  LoadedCount loaded;  // when the node started
  // The file that is, or was, loaded then.
  UnixMillis loading_since = 0;
  uint64_t load_bytes_total = 0;
  uint64_t load_bytes_done = 0;
  std::string replication;  // the lines of the section, from the replication service
};

// Sections named in lower case; none means "default". Unknown ones add nothing.
std::string InfoText(const InfoSources& sources, std::span<const std::string_view> sections);

}  // namespace mikura::engine
