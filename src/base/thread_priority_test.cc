// SPDX-License-Identifier: Apache-2.0
#include "base/thread_priority.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace mikura {
namespace {

int NiceOfThisThread() { return getpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid))); }

TEST(StandBack, ConcernsTheCallingThreadAlone) {
  constexpr int kNiceMost = 19;
  const int before = NiceOfThisThread();
  int after = before;
  std::thread([&] {
    StandBack();
    after = NiceOfThisThread();
  }).join();
  EXPECT_EQ(after, std::min(before + 6, kNiceMost));
  EXPECT_EQ(NiceOfThisThread(), before);
}

TEST(StandBack, AgainIsHarmless) {
  std::thread([] {
    for (int i = 0; i < 10; ++i) StandBack();
    EXPECT_EQ(NiceOfThisThread(), 19);
  }).join();
}

}  // namespace
}  // namespace mikura
