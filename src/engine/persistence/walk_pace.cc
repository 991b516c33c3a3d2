// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/walk_pace.h"

#include <sched.h>

namespace mikura::engine {
namespace {

// What lies longer ago than this says little about how busy the core is.
constexpr MonotonicNanos kMemory = 100'000'000;

}  // namespace

bool WalkPace::MayGiveWay(MonotonicNanos now) const { return away_ * 4 <= (now - begin_) * 3; }

void WalkPace::GaveWay(MonotonicNanos from, MonotonicNanos to) {
  away_ += to - from;
  if (to - begin_ <= kMemory) return;
  away_ /= 2;
  begin_ += (to - begin_) / 2;
}

void GiveWay(WalkPace& pace, const Clock& clock) {
  const MonotonicNanos from = clock.NowNanos();
  if (!pace.MayGiveWay(from)) return;
  sched_yield();
  pace.GaveWay(from, clock.NowNanos());
}

}  // namespace mikura::engine
