// SPDX-License-Identifier: Apache-2.0
#include "engine/observation/observation.h"

#include <algorithm>

namespace mikura::engine {

void ErrorStatistics::Note(std::string_view code) {
  MutexLock lock(mutex_);
  const auto found = counts_.find(code);
  if (found != counts_.end()) {
    ++found->second;
  } else if (counts_.size() < kCodesMax) {
    counts_.emplace(code, 1);
  }
}

std::vector<std::pair<std::string, uint64_t>> ErrorStatistics::Counts() const {
  MutexLock lock(mutex_);
  return {counts_.begin(), counts_.end()};
}

void ErrorStatistics::Clear() {
  MutexLock lock(mutex_);
  counts_.clear();
}

void Observation::SetSizeThresholds(int64_t request_bytes, int64_t reply_bytes) {
  // A negative number becomes one that no size reaches.
  request_bytes_.store(static_cast<uint64_t>(request_bytes), std::memory_order_relaxed);
  reply_bytes_.store(static_cast<uint64_t>(reply_bytes), std::memory_order_relaxed);
}

void Observation::SetThresholds(int64_t slow_micros, int64_t latency_millis) {
  slow_micros_.store(slow_micros, std::memory_order_relaxed);
  latency_millis_.store(latency_millis, std::memory_order_relaxed);
  const uint64_t slow = slow_micros < 0 ? UINT64_MAX : static_cast<uint64_t>(slow_micros);
  const uint64_t spike =
      latency_millis <= 0 ? UINT64_MAX : static_cast<uint64_t>(latency_millis) * 1000;
  noted_micros_.store(std::min(slow, spike), std::memory_order_relaxed);
}

CommandTotals Observation::Sum(uint32_t number) const {
  CommandTotals totals;
  for (const CommandStatistics* loop : loops_) loop->AddTo(number, totals);
  return totals;
}

CommandTotals Observation::Totals(uint32_t number) const {
  CommandTotals totals = Sum(number);
  MutexLock lock(mutex_);
  if (number < before_.size()) totals.Subtract(before_[number]);
  return totals;
}

void Observation::ResetStatistics() {
  std::vector<CommandTotals> now;
  for (uint32_t i = 0; i < numbers.rows().size(); ++i) now.push_back(Sum(i));
  MutexLock lock(mutex_);
  before_ = std::move(now);
  errors.Clear();
}

}  // namespace mikura::engine
