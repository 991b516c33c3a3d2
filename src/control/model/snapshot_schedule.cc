// SPDX-License-Identifier: Apache-2.0
#include "control/model/snapshot_schedule.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdint>

#include "base/numbers.h"
#include "control/model/identifiers.h"

namespace mikura::control {
namespace {

constexpr UnixMillis kMinute = 60'000;
constexpr int64_t kMinutesPerDay = 24 * 60;
constexpr UnixMillis kDay = kMinutesPerDay * kMinute;

// "hh:mm" of a window that was checked.
int64_t MinuteOf(std::string_view text) {
  return static_cast<int64_t>(ParseUint64(text.substr(0, 2)).value_or(0) * 60 +
                              ParseUint64(text.substr(3, 2)).value_or(0));
}

}  // namespace

std::optional<UnixMillis> WindowBeginAt(std::string_view window, UnixMillis now) {
  if (!SnapshotWindowOf(window).ok()) return std::nullopt;
  const int64_t begin = MinuteOf(window.substr(0, 5));
  const int64_t length = (MinuteOf(window.substr(6, 5)) - begin + kMinutesPerDay) % kMinutesPerDay;
  // A window that began yesterday may reach into today.
  const UnixMillis today = now - now % kDay + begin * kMinute;
  for (const UnixMillis began : {today, today - kDay}) {
    if (now >= began && now < began + length * kMinute) return began;
  }
  return std::nullopt;
}

std::string AutomaticSnapshotName(std::string_view source_id, UnixMillis now) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(now)};
  return fmt::format("automatic.{}-{:%Y-%m-%d-%H-%M}", source_id,
                     std::chrono::floor<std::chrono::seconds>(time));
}

std::string DefaultSnapshotWindow(std::string_view source_id) {
  uint32_t hash = 2166136261;
  for (const char c : source_id) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  const uint32_t minute = hash % 48 * 30;
  const uint32_t end = (minute + 60) % static_cast<uint32_t>(kMinutesPerDay);
  return fmt::format("{:02}:{:02}-{:02}:{:02}", minute / 60, minute % 60, end / 60, end % 60);
}

bool IsExpired(const Snapshot& snapshot, int64_t limit, UnixMillis now) {
  if (snapshot.source != kSourceAutomated) return false;
  return now - snapshot.created_at >= (limit > 0 ? limit : snapshot.retention_limit) * kDay;
}

}  // namespace mikura::control
