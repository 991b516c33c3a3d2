// SPDX-License-Identifier: Apache-2.0
// What was denied: ACL LOG.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"

namespace mikura::engine::access {

struct AccessLogEntry {
  uint64_t id = 0;
  uint64_t count = 1;
  std::string reason;   // auth, command, key, channel
  std::string context;  // toplevel, multi, lua
  std::string object;
  std::string user;
  std::string client;  // as CLIENT LIST shows it
  UnixMillis created_at = 0;
  UnixMillis updated_at = 0;
};

// Thread-safe. Its mutex is a leaf.
class AccessLog {
 public:
  // An entry that says the same as a recent one adds to its count, and moves to the front.
  void Add(AccessLogEntry entry);
  // The newest first.
  std::vector<AccessLogEntry> Newest(size_t count) const;
  void Clear();
  void set_size_max(size_t size);

 private:
  mutable Mutex mutex_;
  std::deque<AccessLogEntry> entries_ GUARDED_BY(mutex_);
  size_t size_max_ GUARDED_BY(mutex_) = 128;
  uint64_t next_id_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mikura::engine::access
