// SPDX-License-Identifier: Apache-2.0
// Moments at which something kept clients waiting (LATENCY): for each kind of event the worst of
// each second, as far back as there is room.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace mikura::engine {

struct LatencySample {
  int64_t at_seconds = 0;  // since the Unix epoch
  uint64_t millis = 0;
};

struct LatencyEvent {
  std::string name;
  std::vector<LatencySample> samples;  // the oldest first; never empty
  uint64_t max_millis = 0;             // of all time, until it is reset
};

// Thread-safe. Its mutex is a leaf.
class LatencyMonitor {
 public:
  static constexpr size_t kSamplesMax = 160;

  void Add(std::string_view event, int64_t at_seconds, uint64_t millis);
  // All events, or the one of that name (none when it never occurred).
  std::vector<LatencyEvent> Events() const;
  std::vector<LatencySample> History(std::string_view event) const;
  // Whether there was such an event.
  bool Reset(std::string_view event);
  size_t ResetAll();

 private:
  struct Series {
    std::deque<LatencySample> samples;
    uint64_t max_millis = 0;
  };

  mutable Mutex mutex_;
  std::map<std::string, Series, std::less<>> series_ GUARDED_BY(mutex_);
};

}  // namespace mikura::engine
