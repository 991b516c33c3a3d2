// SPDX-License-Identifier: Apache-2.0
// Where the memory of the process is, as MEMORY and INFO show it. All numbers are bytes unless they
// say otherwise, and are taken within some microseconds of each other, with no shard locked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mikura::engine {

// Part of the whole; 0 of nothing.
inline double MemoryRatio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

struct MemoryReport {
  struct Database {
    int number = 0;
    uint64_t keys = 0;
    uint64_t table_bytes = 0;   // buckets and directories
    uint64_t expiry_bytes = 0;  // wheels of keys with a deadline
  };

  // The parts of `malloc_used` that are for scripts.
  struct Scripts {
    uint64_t count = 0;   // number of those that EVALSHA finds
    uint64_t cached = 0;  // their texts
    uint64_t function_count = 0;
    uint64_t library_count = 0;
    uint64_t libraries = 0;  // the texts of libraries
    uint64_t vm_eval = 0;    // Lua states, as of the end of each one's last run
    uint64_t vm_functions = 0;
  };

  // ---- In use: slots of the region that hold something, and what malloc has given out.
  uint64_t used = 0;
  uint64_t peak = 0;
  uint64_t at_start = 0;
  uint64_t region_used = 0;
  uint64_t malloc_used = 0;
  // Of these: what is not the clients' data.
  uint64_t overflow_buckets = 0;
  uint64_t eviction_queues = 0;
  uint64_t replication_backlog = 0;
  uint64_t clients = 0;             // their sessions, and what waits in their buffers
  std::vector<Database> databases;  // those that are not empty

  Scripts scripts;

  // ---- The limit.
  uint64_t limit = 0;    // 0: none
  uint64_t counted = 0;  // what is held against the limit
  std::string policy;

  // ---- Held of the machine.
  uint64_t resident = 0;          // of the process
  uint64_t resident_private = 0;  // without pages of files: program and libraries
  uint64_t region_held = 0;       // slots in use and free ones that are resident
  uint64_t malloc_held = 0;
  uint64_t free_spans = 0;    // to be given back soon
  uint64_t wasted_slots = 0;  // free slots in spans that are in use
  uint64_t system_total = 0;
  uint64_t spans = 0;  // number of spans in use
  bool is_defragmenting = false;

  uint64_t reclaiming_keys = 0;  // flushed, not yet freed
  uint64_t reclaimed_keys = 0;

  uint64_t keys() const {
    uint64_t sum = 0;
    for (const Database& database : databases) sum += database.keys;
    return sum;
  }
  uint64_t overhead() const {
    uint64_t sum = at_start + replication_backlog + clients + eviction_queues + overflow_buckets;
    for (const Database& database : databases) sum += database.table_bytes + database.expiry_bytes;
    return sum < used ? sum : used;
  }
  uint64_t dataset() const { return used - overhead(); }
  // Without what the process began with.
  uint64_t grown() const { return used > at_start ? used - at_start : 0; }
  uint64_t active() const { return region_held + malloc_held; }
  uint64_t not_counted() const { return used > counted ? used - counted : 0; }
};

}  // namespace mikura::engine
