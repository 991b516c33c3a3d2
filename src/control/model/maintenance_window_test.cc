// SPDX-License-Identifier: Apache-2.0
#include "control/model/maintenance_window.h"

#include <gtest/gtest.h>

#include "control/model/identifiers.h"

namespace mikura::control {
namespace {

constexpr UnixMillis kMinute = 60'000;
// 2026-11-28 00:00, a Saturday.
constexpr UnixMillis kSaturday = 1'795'824'000'000;

TEST(MaintenanceWindow, HoldsItsBeginAndNotItsEnd) {
  const char* window = "sat:05:00-sat:06:30";
  EXPECT_FALSE(IsInMaintenanceWindow(window, kSaturday + 300 * kMinute - 1));
  EXPECT_TRUE(IsInMaintenanceWindow(window, kSaturday + 300 * kMinute));
  EXPECT_TRUE(IsInMaintenanceWindow(window, kSaturday + 389 * kMinute));
  EXPECT_FALSE(IsInMaintenanceWindow(window, kSaturday + 390 * kMinute));
  EXPECT_FALSE(IsInMaintenanceWindow(window, kSaturday + (24 * 60 + 300) * kMinute));
}

TEST(MaintenanceWindow, GoesOnOverTheEndOfTheWeek) {
  const char* window = "sat:23:30-sun:00:30";
  EXPECT_TRUE(IsInMaintenanceWindow(window, kSaturday + (23 * 60 + 30) * kMinute));
  EXPECT_TRUE(IsInMaintenanceWindow(window, kSaturday + (24 * 60 + 29) * kMinute));
  EXPECT_FALSE(IsInMaintenanceWindow(window, kSaturday + (24 * 60 + 30) * kMinute));
}

TEST(MaintenanceWindow, AnotherTextHoldsNothing) {
  for (const char* text : {"", "sat", "sat:05:00 sat:06:00x", "abc:05:00-sat:06:00"}) {
    EXPECT_FALSE(IsInMaintenanceWindow(text, kSaturday + 300 * kMinute)) << text;
  }
}

TEST(MaintenanceWindow, TheOneAssignedIsValidAndStays) {
  for (const char* seed : {"", "1f2e3d4c", "00000000", "ffffffff"}) {
    const std::string window = AssignedMaintenanceWindow(seed);
    EXPECT_TRUE(MaintenanceWindowOf(window).ok()) << window;
    EXPECT_EQ(window, AssignedMaintenanceWindow(seed));
  }
}

}  // namespace
}  // namespace mikura::control
