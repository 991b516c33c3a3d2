// SPDX-License-Identifier: Apache-2.0
// The one log of effects: the Redis replication stream with a byte position (LSN = replication
// offset).
//
// L1. A record is appended under the locks of the shards it changed, so the order of the log is the
//     order of the locks. L2. One record is one reservation. L3. Nothing waits here.
// L4. Between records the stream is in database 0 (a record for another carries its own SELECTs).
// L5. A node whose log nobody reads pays one relaxed load per write.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

namespace mikura::engine {

using Lsn = int64_t;

class ChangeLog {
 public:
  ChangeLog();
  ~ChangeLog();
  ChangeLog(const ChangeLog&) = delete;
  ChangeLog& operator=(const ChangeLog&) = delete;

  // True while somebody reads the log. Flips only while all shards are locked (at a gate).
  bool active() const { return active_.load(std::memory_order_relaxed); }

  // Appends one whole record (RESP commands) and returns the position behind it.
  // Called with the locks of the changed shards held; copies the bytes; never blocks.
  Lsn Append(std::string_view record);

  // Position behind the last reserved byte.
  Lsn head() const;

 private:
  // Published at a gate, when every thread that writes is outside its critical section.
  std::atomic<bool> active_{false};
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mikura::engine
