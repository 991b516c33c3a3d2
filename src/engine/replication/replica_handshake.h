// SPDX-License-Identifier: Apache-2.0
// What a connection told us with REPLCONF and PSYNC before it became a replica.
#pragma once

#include <cstdint>
#include <string>

namespace mikura::engine {

struct ReplicaHandshake {
  int listening_port = 0;
  std::string ip_address;           // empty: the one it connects from
  bool understands_eof = false;     // takes a snapshot of unknown length
  bool understands_psync2 = false;  // takes a new replication id with +CONTINUE
  bool wants_only_snapshot = false;
  // What the snapshot is to hold (REPLCONF rdb-filter-only).
  bool wants_data = true;
  bool wants_functions = true;
  // SYNC of very old replicas: no reply line in front of the snapshot.
  bool is_sync = false;
  std::string wanted_id;       // of PSYNC; "?" for a full sync
  int64_t wanted_offset = -1;  // first byte it lacks, counted from 1
};

}  // namespace mikura::engine
