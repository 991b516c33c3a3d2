// SPDX-License-Identifier: Apache-2.0
#include "control/model/maintenance_window.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>

#include "base/numbers.h"

namespace mikura::control {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr int64_t kMinutesPerDay = 24 * 60;
constexpr int64_t kMinutesPerWeek = 7 * kMinutesPerDay;
constexpr int64_t kMillisPerMinute = 60'000;
constexpr int64_t kFirstDay = 4;  // 1970 began on a Thursday
constexpr size_t kMomentBytes = 9;

// "sun:05:00" as minutes of the week.
std::optional<int64_t> MinuteOfWeek(std::string_view text) {
  if (text.size() != kMomentBytes || text[3] != ':' || text[6] != ':') return std::nullopt;
  const auto hour = ParseInt64(text.substr(4, 1) == "0" ? text.substr(5, 1) : text.substr(4, 2));
  const auto minute = ParseInt64(text.substr(7, 1) == "0" ? text.substr(8, 1) : text.substr(7, 2));
  if (!hour || !minute) return std::nullopt;
  for (size_t day = 0; day < kDays.size(); ++day) {
    if (text.substr(0, 3) != kDays[day]) continue;
    return static_cast<int64_t>(day) * kMinutesPerDay + *hour * 60 + *minute;
  }
  return std::nullopt;
}

}  // namespace

bool IsInMaintenanceWindow(std::string_view window, UnixMillis now) {
  if (window.size() != 2 * kMomentBytes + 1) return false;
  const auto begin = MinuteOfWeek(window.substr(0, kMomentBytes));
  const auto end = MinuteOfWeek(window.substr(kMomentBytes + 1));
  if (!begin || !end) return false;
  const int64_t minute = (now / kMillisPerMinute + kFirstDay * kMinutesPerDay) % kMinutesPerWeek;
  const auto since_begin = [&](int64_t moment) {
    return (moment - *begin + kMinutesPerWeek) % kMinutesPerWeek;
  };
  return since_begin(minute) < since_begin(*end);
}

std::string AssignedMaintenanceWindow(std::string_view seed) {
  constexpr uint32_t kHours = 8;
  uint32_t sum = 0;
  for (const char c : seed) sum = sum * 31 + static_cast<unsigned char>(c);
  const std::string_view day = kDays[sum % kDays.size()];
  const uint32_t hour = sum / kDays.size() % kHours;
  return fmt::format("{}:{:02}:00-{}:{:02}:00", day, hour, day, hour + 1);
}

}  // namespace mikura::control
