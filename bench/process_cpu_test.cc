// SPDX-License-Identifier: Apache-2.0
#include "bench/process_cpu.h"

#include <gtest/gtest.h>
#include <time.h>
#include <unistd.h>

namespace mikura::bench {
namespace {

uint64_t OwnCpuNanos() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

TEST(ProcessCpu, CountsWhatTheProcessSpent) {
  const ProcessCpu cpu(getpid());
  const auto before = cpu.Nanos();
  ASSERT_TRUE(before.has_value());
  const uint64_t until = OwnCpuNanos() + 60'000'000;
  while (OwnCpuNanos() < until) {
  }
  const auto after = cpu.Nanos();
  ASSERT_TRUE(after.has_value());
  EXPECT_GE(*after - *before, 40'000'000u);
}

TEST(ProcessCpu, ANumberThatIsNoProcessHasNone) {
  EXPECT_EQ(ProcessCpu(999'999'999).Nanos(), std::nullopt);
}

}  // namespace
}  // namespace mikura::bench
