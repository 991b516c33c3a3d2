// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/walk_pace.h"

#include <gtest/gtest.h>

namespace mikura::engine {
namespace {

constexpr MonotonicNanos kMicro = 1'000;
constexpr MonotonicNanos kMilli = 1'000'000;

// The share of `duration` that a walk has whose every offer is taken for `absence`.
double ShareOfWalk(MonotonicNanos step, MonotonicNanos absence, MonotonicNanos duration) {
  WalkPace pace(0);
  MonotonicNanos now = 0;
  MonotonicNanos walked = 0;
  while (now < duration) {
    now += step;
    walked += step;
    if (!pace.MayGiveWay(now)) continue;
    pace.GaveWay(now, now + absence);
    now += absence;
  }
  return static_cast<double>(walked) / static_cast<double>(now);
}

TEST(WalkPace, KeepsAQuarterOfACoreThatOthersWantAllTheTime) {
  const double share = ShareOfWalk(50 * kMicro, 3 * kMilli, 5'000 * kMilli);
  EXPECT_GT(share, 0.22);
  EXPECT_LT(share, 0.30);
}

TEST(WalkPace, GivesWayAfterEachStepWhereOthersWantLittle) {
  WalkPace pace(0);
  MonotonicNanos now = 0;
  for (int i = 0; i < 10'000; ++i) {
    now += 50 * kMicro;
    ASSERT_TRUE(pace.MayGiveWay(now)) << i;
    pace.GaveWay(now, now + 30 * kMicro);
    now += 30 * kMicro;
  }
}

TEST(WalkPace, ForgetsThatTheCoreWasWanted) {
  WalkPace pace(0);
  pace.GaveWay(kMilli, 90 * kMilli);
  EXPECT_FALSE(pace.MayGiveWay(91 * kMilli));
  EXPECT_TRUE(pace.MayGiveWay(120 * kMilli));
  pace.GaveWay(120 * kMilli, 120 * kMilli + kMicro);
  pace.GaveWay(240 * kMilli, 240 * kMilli + kMicro);
  pace.GaveWay(360 * kMilli, 360 * kMilli + kMicro);
  EXPECT_TRUE(pace.MayGiveWay(361 * kMilli));
}

}  // namespace
}  // namespace mikura::engine
