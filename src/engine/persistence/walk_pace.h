// SPDX-License-Identifier: Apache-2.0
// Lets the threads that serve clients go first while a snapshot is walked.
//
// A walk computes for seconds. The scheduler grants a thread slices of some milliseconds, and on a
// core that both want, a request that arrives within one waits for its end. So the walk offers the
// core between two of its steps. Offered always, a core that clients want all the time would leave
// the walk one step a slice: it keeps a quarter of the time for itself.
#pragma once

#include "base/clock.h"

namespace mikura::engine {

class WalkPace {
 public:
  explicit WalkPace(MonotonicNanos now) : begin_(now) {}

  // Whether the walk may offer the core now.
  bool MayGiveWay(MonotonicNanos now) const;
  // The core was offered at `from` and the walk went on at `to`.
  void GaveWay(MonotonicNanos from, MonotonicNanos to);

 private:
  MonotonicNanos begin_;  // of what counts
  MonotonicNanos away_ = 0;
};

// Offers the core to whoever waits for it, if `pace` allows. Called with no lock held. Cost: some
// hundred nanoseconds when nobody waits.
void GiveWay(WalkPace& pace, const Clock& clock);

}  // namespace mikura::engine
