// SPDX-License-Identifier: Apache-2.0
#include "base/thread_priority.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace mikura {
namespace {

// struct sched_attr as the first Linux with sched_setattr(2) had it; glibc 2.36 has none.
struct SchedulingAttributes {
  uint32_t size = sizeof(SchedulingAttributes);
  uint32_t policy = SCHED_OTHER;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime_nanos = 0;
  uint64_t deadline_nanos = 0;
  uint64_t period_nanos = 0;
};

// Longer than that of others: whoever wakes and asks for a shorter one goes first at once (from
// Linux 6.12 on; earlier kernels ignore this). Not much longer: some kernels let a slice end before
// they look again.
constexpr uint64_t kSliceNanos = 10'000'000;
constexpr int kNicer = 6;

}  // namespace

void StandBack() {
  const auto self = static_cast<id_t>(syscall(SYS_gettid));
  SchedulingAttributes attributes;
  attributes.nice = getpriority(PRIO_PROCESS, self) + kNicer;
  attributes.runtime_nanos = kSliceNanos;
  if (syscall(SYS_sched_setattr, self, &attributes, 0) != 0) {
    setpriority(PRIO_PROCESS, self, attributes.nice);
  }
}

}  // namespace mikura
