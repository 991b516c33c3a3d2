// SPDX-License-Identifier: Apache-2.0
// All that a node notes about the commands it runs, shared by its event loops.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/observation/command_statistics.h"
#include "engine/observation/latency_monitor.h"
#include "engine/observation/slow_log.h"
#include "engine/observation/tick_clock.h"

namespace mikura::engine {

// Errors by their code ("ERR", "WRONGTYPE"). Thread-safe; its mutex is a leaf.
class ErrorStatistics {
 public:
  // Different codes at most: scripts can make up any.
  static constexpr size_t kCodesMax = 128;

  void Note(std::string_view code);
  std::vector<std::pair<std::string, uint64_t>> Counts() const;
  void Clear();

 private:
  mutable Mutex mutex_;
  std::map<std::string, uint64_t, std::less<>> counts_ GUARDED_BY(mutex_);
};

class Observation {
 public:
  TickScale scale;
  SlowLog slow_log;
  SlowLog large_requests;  // COMMANDLOG: values in bytes
  SlowLog large_replies;
  LatencyMonitor latency;
  ErrorStatistics errors;
  CommandNumbers numbers;

  // ---- Thresholds, set by parameters; relaxed.
  // Commands that take at least so long are looked at closer. Negative: no slow log.
  void SetThresholds(int64_t slow_micros, int64_t latency_millis);
  int64_t slow_micros() const { return slow_micros_.load(std::memory_order_relaxed); }
  // 0: the latency monitor is off.
  int64_t latency_millis() const { return latency_millis_.load(std::memory_order_relaxed); }
  uint64_t noted_micros() const { return noted_micros_.load(std::memory_order_relaxed); }
  // Requests and replies of so many bytes are logged. Negative: none.
  void SetSizeThresholds(int64_t request_bytes, int64_t reply_bytes);
  uint64_t request_bytes() const { return request_bytes_.load(std::memory_order_relaxed); }
  uint64_t reply_bytes() const { return reply_bytes_.load(std::memory_order_relaxed); }
  std::atomic<bool> counts_durations{true};  // latency-tracking

  // ---- Statistics of all loops. A loop's statistics are added before it starts, and outlive this.
  void AddLoop(const CommandStatistics& statistics) { loops_.push_back(&statistics); }
  // Since the last reset.
  CommandTotals Totals(uint32_t number) const;
  void ResetStatistics();

 private:
  CommandTotals Sum(uint32_t number) const;

  std::atomic<int64_t> slow_micros_{10'000};
  std::atomic<int64_t> latency_millis_{0};
  std::atomic<uint64_t> noted_micros_{10'000};
  std::atomic<uint64_t> request_bytes_{1 << 20};
  std::atomic<uint64_t> reply_bytes_{1 << 20};
  std::vector<const CommandStatistics*> loops_;
  mutable Mutex mutex_;
  std::vector<CommandTotals> before_ GUARDED_BY(mutex_);  // at the last reset
};

}  // namespace mikura::engine
