// SPDX-License-Identifier: Apache-2.0
// The few facts about the node that every request looks at, as relaxed atomics: set by parameters,
// by the replication role and by the admin socket, read by all event loops.
#pragma once

#include <atomic>
#include <cstdint>

namespace mikura::engine {

struct NodeState {
  std::atomic<bool> read_only{false};        // a replica refuses client writes
  std::atomic<bool> loading{false};          // a full sync replaces the data set
  std::atomic<bool> requires_auth{false};    // requirepass is set: new clients must AUTH
  std::atomic<uint64_t> maxmemory_bytes{0};  // 0: no limit
  std::atomic<uint32_t> maxclients{10000};
  std::atomic<int> keepalive_seconds{300};
  std::atomic<int> idle_timeout_seconds{0};  // 0: clients may idle for ever
};

}  // namespace mikura::engine
