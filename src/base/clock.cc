// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <time.h>

namespace mikura {

UnixMillis SystemClock::NowMillis() const {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  return static_cast<UnixMillis>(t.tv_sec) * 1000 + t.tv_nsec / 1'000'000;
}

MonotonicNanos SystemClock::NowNanos() const {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<MonotonicNanos>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

}  // namespace mikura
