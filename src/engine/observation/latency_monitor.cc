// SPDX-License-Identifier: Apache-2.0
#include "engine/observation/latency_monitor.h"

#include <algorithm>

namespace mikura::engine {

void LatencyMonitor::Add(std::string_view event, int64_t at_seconds, uint64_t millis) {
  MutexLock lock(mutex_);
  auto found = series_.find(event);
  if (found == series_.end()) found = series_.emplace(event, Series{}).first;
  Series& series = found->second;
  series.max_millis = std::max(series.max_millis, millis);
  if (!series.samples.empty() && series.samples.back().at_seconds == at_seconds) {
    LatencySample& last = series.samples.back();
    last.millis = std::max(last.millis, millis);
    return;
  }
  series.samples.push_back({at_seconds, millis});
  if (series.samples.size() > kSamplesMax) series.samples.pop_front();
}

std::vector<LatencyEvent> LatencyMonitor::Events() const {
  MutexLock lock(mutex_);
  std::vector<LatencyEvent> events;
  for (const auto& [name, series] : series_) {
    events.push_back({name, {series.samples.begin(), series.samples.end()}, series.max_millis});
  }
  return events;
}

std::vector<LatencySample> LatencyMonitor::History(std::string_view event) const {
  MutexLock lock(mutex_);
  const auto found = series_.find(event);
  if (found == series_.end()) return {};
  return {found->second.samples.begin(), found->second.samples.end()};
}

bool LatencyMonitor::Reset(std::string_view event) {
  MutexLock lock(mutex_);
  const auto found = series_.find(event);
  if (found == series_.end()) return false;
  series_.erase(found);
  return true;
}

size_t LatencyMonitor::ResetAll() {
  MutexLock lock(mutex_);
  const size_t count = series_.size();
  series_.clear();
  return count;
}

}  // namespace mikura::engine
