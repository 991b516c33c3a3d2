// SPDX-License-Identifier: Apache-2.0
#include "engine/server/traffic_window.h"

#include <algorithm>

#include "engine/server/statistics.h"

namespace mikura::engine {

void TrafficWindow::Sample(UnixMillis now, LoopStatistics& statistics) {
  const Totals& newest = samples_[(next_ + kSamples - 1) % kSamples];
  // Times of before the clock was set back say nothing.
  if (count_ > 0 && now < newest.at) count_ = 0;
  if (count_ > 0 && now - newest.at < kPeriod) return;
  const Totals totals{now, statistics.commands.Get(), statistics.input_bytes.Get(),
                      statistics.output_bytes.Get()};
  const Totals oldest = count_ == 0 ? totals : samples_[(next_ + kSamples - count_) % kSamples];
  samples_[next_] = totals;
  next_ = (next_ + 1) % kSamples;
  count_ = std::min(count_ + 1, kSamples);
  const auto millis = static_cast<uint64_t>(std::max<UnixMillis>(1, now - oldest.at));
  const auto rate = [&](uint64_t before, uint64_t after) {
    return (after - before) * 1000 / millis;
  };
  statistics.commands_per_second.Set(rate(oldest.commands, totals.commands));
  statistics.input_bytes_per_second.Set(rate(oldest.input_bytes, totals.input_bytes));
  statistics.output_bytes_per_second.Set(rate(oldest.output_bytes, totals.output_bytes));
}

}  // namespace mikura::engine
