// SPDX-License-Identifier: Apache-2.0
// The weekly hour in which changes that may wait are made.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace mikura::control {

// Whether `now` lies in the window, "sun:05:00-sun:06:00" in UTC, its end not included. Never in a
// text that is none.
bool IsInMaintenanceWindow(std::string_view window, UnixMillis now);

// The window of who names none: an hour at night, another for each `seed`.
std::string AssignedMaintenanceWindow(std::string_view seed);

}  // namespace mikura::control
