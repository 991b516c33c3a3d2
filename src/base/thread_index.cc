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
    for (uint32_t i = 0; i < kThreadsMax; ++i) {
      bool expected = false;
      if (in_use[i].compare_exchange_strong(expected, true, std::memory_order_acq_rel)) {
        index = i;
        break;
      }
    }
    CHECK(index < kThreadsMax);
  }
  ~Registration() { in_use[index].store(false, std::memory_order_release); }
};

}  // namespace

uint32_t ThreadIndex() {
  thread_local const Registration registration;
  return registration.index;
}

}  // namespace mikura
