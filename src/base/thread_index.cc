// SPDX-License-Identifier: Apache-2.0
#include "base/thread_index.h"

#include <atomic>

#include "base/check.h"

namespace mikura {
namespace {

// in_use[i] is true while thread number i lives; acquire/release hands the rows of per-thread
// tables from a thread that ended to the next owner of the number.
std::atomic<bool> in_use[kThreadsMax];  // NOLINT(*-non-const-global-*)

struct Registration {
  uint32_t index = kThreadsMax;

  Registration() {
    for (uint32_t i = 0; i < kThreadsMax && index == kThreadsMax; ++i) {
      if (ClaimThreadIndex(i)) index = i;
    }
    CHECK(index < kThreadsMax);
  }
  ~Registration() { ReleaseThreadIndex(index); }
};

}  // namespace

uint32_t ThreadIndex() {
  thread_local const Registration registration;
  return registration.index;
}

bool ClaimThreadIndex(uint32_t index) {
  bool expected = false;
  return in_use[index].compare_exchange_strong(expected, true, std::memory_order_acq_rel);
}

void ReleaseThreadIndex(uint32_t index) { in_use[index].store(false, std::memory_order_release); }

}  // namespace mikura
