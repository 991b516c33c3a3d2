// SPDX-License-Identifier: Apache-2.0
#include "engine/server/fence.h"

#include <ctime>

namespace mikura::engine {

BootMillis SystemFenceClock::Now() const {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<BootMillis>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace mikura::engine
