// SPDX-License-Identifier: Apache-2.0
// Commands that took long, or were large (SLOWLOG, COMMANDLOG): the newest of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace mikura::engine {

struct SlowLogEntry {
  uint64_t id = 0;
  int64_t at_seconds = 0;  // since the Unix epoch
  uint64_t value = 0;      // microseconds, or bytes
  std::vector<std::string> words;
  std::string client_address;
  std::string client_name;
};

// Thread-safe. Its mutex is a leaf.
class SlowLog {
 public:
  // Keeps at most 32 words and 128 bytes of each, and says what was left out.
  void Add(std::span<const std::string_view> words, SlowLogEntry entry);
  // The newest first.
  std::vector<SlowLogEntry> Newest(size_t count) const;
  size_t size() const;
  void Clear();
  void set_size_max(size_t size);

 private:
  mutable Mutex mutex_;
  std::deque<SlowLogEntry> entries_ GUARDED_BY(mutex_);
  size_t size_max_ GUARDED_BY(mutex_) = 128;
  uint64_t next_id_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mikura::engine
