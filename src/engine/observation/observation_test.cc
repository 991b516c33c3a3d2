// SPDX-License-Identifier: Apache-2.0
#include "engine/observation/observation.h"

#include <gtest/gtest.h>

namespace mikura::engine {
namespace {

TEST(DurationHistogram, EachClassEndsWhereTheNextBegins) {
  for (size_t i = 0; i + 1 < DurationHistogram::kClasses; ++i) {
    const uint64_t longest = DurationHistogram::LongestOf(i);
    EXPECT_EQ(DurationHistogram::ClassOf(longest), i) << longest;
    EXPECT_EQ(DurationHistogram::ClassOf(longest + 1), i + 1) << longest;
  }
  EXPECT_EQ(DurationHistogram::ClassOf(UINT64_MAX), DurationHistogram::kClasses - 1);
}

TEST(DurationHistogram, QuantilesAreWithinAQuarter) {
  DurationHistogram histogram;
  for (uint64_t micros = 1; micros <= 1000; ++micros) histogram.Count(micros);
  DurationCounts counts;
  counts.Add(histogram);
  EXPECT_EQ(counts.total(), 1000u);
  EXPECT_NEAR(static_cast<double>(counts.Quantile(0.5)), 500, 130);
  EXPECT_NEAR(static_cast<double>(counts.Quantile(0.99)), 990, 250);
  EXPECT_EQ(DurationCounts().Quantile(0.5), 0u);
}

TEST(TickScale, TicksAreAsLongAsTheClockSays) {
  TickScale scale;
  const uint64_t millisecond = scale.FromMicros(1000);
  EXPECT_NEAR(static_cast<double>(scale.ToMicros(millisecond)), 1000, 2);
  EXPECT_EQ(scale.FromMicros(-1), UINT64_MAX);
}

TEST(SlowLog, KeepsTheNewestAndCutsWhatIsLong) {
  SlowLog log;
  log.set_size_max(2);
  const std::vector<std::string_view> words(100, "w");
  for (int i = 0; i < 3; ++i) log.Add(words, {.at_seconds = i});
  const std::string longest(200, 'x');
  const std::string_view one[] = {longest};
  log.Add(one, {.at_seconds = 3});
  const auto newest = log.Newest(10);
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[0].id, 3u);
  EXPECT_EQ(newest[0].words[0], std::string(128, 'x') + "... (72 more bytes)");
  EXPECT_EQ(newest[1].words.size(), 32u);
  EXPECT_EQ(newest[1].words.back(), "... (69 more arguments)");
  log.Clear();
  EXPECT_EQ(log.size(), 0u);
}

TEST(LatencyMonitor, KeepsTheWorstOfEachSecond) {
  LatencyMonitor monitor;
  monitor.Add("command", 1, 5);
  monitor.Add("command", 1, 7);
  monitor.Add("command", 1, 6);
  monitor.Add("command", 2, 3);
  const auto history = monitor.History("command");
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0].millis, 7u);
  EXPECT_EQ(monitor.Events()[0].max_millis, 7u);
  EXPECT_TRUE(monitor.History("other").empty());
  EXPECT_FALSE(monitor.Reset("other"));
  EXPECT_TRUE(monitor.Reset("command"));
  for (int i = 0; i < 1000; ++i) monitor.Add("many", i, 1);
  EXPECT_EQ(monitor.History("many").size(), LatencyMonitor::kSamplesMax);
  EXPECT_EQ(monitor.ResetAll(), 1u);
}

TEST(Observation, TotalsAreThoseSinceTheLastReset) {
  Observation observation;
  const int rows[2] = {};
  observation.numbers.Add(&rows[0]);
  observation.numbers.Add(&rows[1]);
  CommandStatistics first(observation.numbers);
  CommandStatistics second(observation.numbers);
  observation.AddLoop(first);
  observation.AddLoop(second);
  const TickScale& scale = observation.scale;
  const auto ticks = [&](int64_t micros) { return scale.FromMicros(micros) + 1; };
  EXPECT_EQ(first.NoteCall(&rows[0], ticks(10), scale, false, true), 10u);
  EXPECT_EQ(second.NoteCall(&rows[0], ticks(20), scale, true, true), 20u);
  second.NoteRejected(&rows[1]);
  first.NoteCall(&first, 1, scale, false, true);  // no row
  EXPECT_EQ(observation.Totals(0).calls, 2u);
  EXPECT_EQ(observation.Totals(0).micros, 30u);
  EXPECT_EQ(observation.Totals(0).failed, 1u);
  EXPECT_EQ(observation.Totals(0).durations.total(), 2u);
  EXPECT_EQ(observation.Totals(1).rejected, 1u);
  first.NoteFailed(&rows[0]);  // one of its calls, which had waited
  EXPECT_EQ(observation.Totals(0).calls, 2u);
  EXPECT_EQ(observation.Totals(0).failed, 2u);
  observation.ResetStatistics();
  EXPECT_EQ(observation.Totals(0).calls, 0u);
  first.NoteCall(&rows[0], ticks(5), scale, false, false);
  EXPECT_EQ(observation.Totals(0).calls, 1u);
  EXPECT_EQ(observation.Totals(0).durations.total(), 0u);
}

TEST(Observation, CallsShorterThanAMicrosecondAddUp) {
  Observation observation;
  const int row = 0;
  observation.numbers.Add(&row);
  CommandStatistics statistics(observation.numbers);
  observation.AddLoop(statistics);
  const uint64_t quarter = observation.scale.ticks_per_micro() / 4;
  for (int i = 0; i < 4000; ++i) {
    EXPECT_EQ(statistics.NoteCall(&row, quarter, observation.scale, false, true), 0u);
  }
  EXPECT_NEAR(static_cast<double>(observation.Totals(0).micros), 1000, 20);
  EXPECT_EQ(observation.Totals(0).durations.counts[0], 4000u);
}

TEST(Observation, TheLowerThresholdDecidesWhatIsLookedAt) {
  Observation observation;
  observation.SetThresholds(-1, 0);
  EXPECT_EQ(observation.noted_micros(), UINT64_MAX);
  observation.SetThresholds(100'000, 20);
  EXPECT_EQ(observation.noted_micros(), 20'000u);
  observation.SetThresholds(0, 20);
  EXPECT_EQ(observation.noted_micros(), 0u);
}

}  // namespace
}  // namespace mikura::engine
