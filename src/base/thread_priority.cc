// SPDX-License-Identifier: Apache-2.0
#include "base/thread_priority.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mikura {

void StandBack() {
  constexpr int kNicer = 6;
  const auto self = static_cast<id_t>(syscall(SYS_gettid));
  const int now = getpriority(PRIO_PROCESS, self);
  setpriority(PRIO_PROCESS, self, now + kNicer);
}

}  // namespace mikura
