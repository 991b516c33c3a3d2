// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/latency_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

namespace mikura::engine {
namespace {

constexpr size_t kColumnsMax = 80;
constexpr uint64_t kRows = 4;
constexpr std::string_view kHeights = "_o#";  // of a row's lowest, middle and highest third

// "5s", "12m", "3h", "2d"
std::string Age(int64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m", seconds / 60);
  if (seconds < 86400) return fmt::format("{}h", seconds / 3600);
  return fmt::format("{}d", seconds / 86400);
}

}  // namespace

std::string DrawLatencyGraph(const LatencyEvent& event, int64_t now_seconds) {
  std::span<const LatencySample> samples = event.samples;
  if (samples.size() > kColumnsMax) samples = samples.last(kColumnsMax);
  const auto [low, high] =
      std::minmax_element(samples.begin(), samples.end(),
                          [](const auto& a, const auto& b) { return a.millis < b.millis; });
  std::string text =
      fmt::format("{} - high {} ms, low {} ms (all time high {} ms)\n{}\n", event.name,
                  high->millis, low->millis, event.max_millis, std::string(kColumnsMax, '-'));
  const uint64_t steps = kRows * kHeights.size();
  const uint64_t range = std::max<uint64_t>(high->millis - low->millis, 1);
  for (uint64_t row = kRows; row-- > 0;) {
    for (const LatencySample& sample : samples) {
      const uint64_t step = std::min((sample.millis - low->millis) * steps / range, steps - 1);
      const uint64_t in_row = step / kHeights.size();
      text += in_row == row ? kHeights[step % kHeights.size()] : in_row > row ? '|' : ' ';
    }
    text += '\n';
  }
  std::vector<std::string> ages;
  size_t longest = 0;
  for (const LatencySample& sample : samples) {
    ages.push_back(Age(std::max<int64_t>(0, now_seconds - sample.at_seconds)));
    longest = std::max(longest, ages.back().size());
  }
  text += '\n';
  for (size_t i = 0; i < longest; ++i) {
    for (const std::string& age : ages) text += i < age.size() ? age[i] : ' ';
    text += '\n';
  }
  return text;
}

}  // namespace mikura::engine
