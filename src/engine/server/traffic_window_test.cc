// SPDX-License-Identifier: Apache-2.0
#include "engine/server/traffic_window.h"

#include <gtest/gtest.h>

#include "engine/server/statistics.h"

namespace mikura::engine {
namespace {

TEST(TrafficWindow, TheRateIsOfTheLastTwoSeconds) {
  TrafficWindow window;
  LoopStatistics statistics;
  UnixMillis now = 1'000'000;
  for (int i = 0; i < 100; ++i, now += 50) {
    window.Sample(now, statistics);
    statistics.commands.Add(10);
    statistics.input_bytes.Add(1000);
    statistics.output_bytes.Add(500);
  }
  EXPECT_EQ(statistics.commands_per_second.Get(), 200u);
  EXPECT_EQ(statistics.input_bytes_per_second.Get(), 20'000u);
  EXPECT_EQ(statistics.output_bytes_per_second.Get(), 10'000u);
  for (int i = 0; i < 50; ++i, now += 50) window.Sample(now, statistics);
  EXPECT_EQ(statistics.commands_per_second.Get(), 0u);
}

TEST(TrafficWindow, AClockThatIsSetBackBeginsItAnew) {
  TrafficWindow window;
  LoopStatistics statistics;
  window.Sample(1'000'000, statistics);
  statistics.commands.Add(100);
  window.Sample(1'001'000, statistics);
  EXPECT_EQ(statistics.commands_per_second.Get(), 100u);
  window.Sample(500'000, statistics);
  EXPECT_EQ(statistics.commands_per_second.Get(), 0u);
  statistics.commands.Add(50);
  window.Sample(501'000, statistics);
  EXPECT_EQ(statistics.commands_per_second.Get(), 50u);
}

}  // namespace
}  // namespace mikura::engine
