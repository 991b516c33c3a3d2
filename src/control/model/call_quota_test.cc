// SPDX-License-Identifier: Apache-2.0
#include "control/model/call_quota.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

constexpr UnixMillis kHour = 3'600'000;

TEST(CallQuota, AdmitsSoManyInADayAndAgainWhenTheFirstIsADayOld) {
  CallQuota quota;
  EXPECT_TRUE(quota.Admit(1 * kHour, 2));
  EXPECT_TRUE(quota.Admit(2 * kHour, 2));
  EXPECT_FALSE(quota.Admit(3 * kHour, 2));
  EXPECT_FALSE(quota.Admit(25 * kHour - 1, 2));
  EXPECT_TRUE(quota.Admit(25 * kHour, 2));
  EXPECT_FALSE(quota.Admit(25 * kHour, 2));
}

TEST(CallQuota, ForgetsCallsThatWereNotedWhileTheClockWasWrong) {
  CallQuota quota;
  EXPECT_TRUE(quota.Admit(10'000 * kHour, 1));
  EXPECT_TRUE(quota.Admit(2 * kHour, 1));
  EXPECT_FALSE(quota.Admit(2 * kHour - 1000, 1));
}

TEST(CallQuota, IsStoredAsItIs) {
  CallQuota quota;
  quota.Admit(1'700'000'000'000, 1);
  const auto read = CallQuotaFromJson(ToJson(quota));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->calls, quota.calls);
}

}  // namespace
}  // namespace mikura::control
