// SPDX-License-Identifier: Apache-2.0
#include "control/model/identifiers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/numbers.h"

namespace mikura::control {
namespace {

constexpr size_t kReplicationGroupIdMax = 40;
constexpr size_t kCacheClusterIdMax = 50;
constexpr size_t kParameterGroupNameMax = 255;
constexpr size_t kSubnetGroupNameMax = 255;
constexpr size_t kSnapshotNameMax = 255;
constexpr int kMinutesPerDay = 24 * 60;
constexpr int kWindowMinutesMin = 60;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

ApiResult<std::string> IdentifierOf(std::string_view parameter, std::string_view text,
                                    size_t length_max) {
  const bool spelled = !text.empty() && text.size() <= length_max && IsLetter(text.front()) &&
                       text.back() != '-' && text.find("--") == text.npos &&
                       std::all_of(text.begin(), text.end(),
                                   [](char c) { return IsLetter(c) || IsDigit(c) || c == '-'; });
  if (spelled) return ToLower(text);
  return ApiError{
      ApiErrorCode::kInvalidParameterValue,
      fmt::format("The parameter {} must have 1 to {} letters, digits or hyphens, begin with a "
                  "letter, and neither end with a hyphen nor contain two in a row.",
                  parameter, length_max)};
}

// "hh:mm" as minutes of the day.
std::optional<int> MinuteOfDay(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const size_t i : {0, 1, 3, 4}) {
    if (!IsDigit(text[i])) return std::nullopt;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (hour > 23 || minute > 59) return std::nullopt;
  return hour * 60 + minute;
}

// "ddd:hh:mm" as minutes of the week.
std::optional<int> MinuteOfWeek(std::string_view text) {
  constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu",
                                                     "fri", "sat", "sun"};
  if (text.size() != 9 || text[3] != ':') return std::nullopt;
  const auto* const day = std::find(kDays.begin(), kDays.end(), text.substr(0, 3));
  const std::optional<int> minute = MinuteOfDay(text.substr(4));
  if (day == kDays.end() || !minute) return std::nullopt;
  return static_cast<int>(day - kDays.begin()) * kMinutesPerDay + *minute;
}

// Whether "begin-end" is a window of at least an hour on a circle of `circle` minutes.
template <typename ParseMinute>
bool IsWindow(std::string_view text, ParseMinute parse, int circle) {
  const size_t dash = text.find('-');
  if (dash == text.npos) return false;
  const std::optional<int> begin = parse(text.substr(0, dash));
  const std::optional<int> end = parse(text.substr(dash + 1));
  if (!begin || !end) return false;
  return (*end - *begin + circle) % circle >= kWindowMinutesMin;
}

}  // namespace

ApiResult<std::string> ReplicationGroupIdOf(std::string_view text) {
  return IdentifierOf("ReplicationGroupId", text, kReplicationGroupIdMax);
}

ApiResult<std::string> SnapshotNameOf(std::string_view parameter, std::string_view text) {
  return IdentifierOf(parameter, text, kSnapshotNameMax);
}

ApiResult<std::string> CacheClusterIdOf(std::string_view text) {
  return IdentifierOf("CacheClusterId", text, kCacheClusterIdMax);
}

ApiResult<std::string> CacheParameterGroupNameOf(std::string_view text) {
  return IdentifierOf("CacheParameterGroupName", text, kParameterGroupNameMax);
}

ApiResult<std::string> AccessIdOf(std::string_view parameter, std::string_view text) {
  return IdentifierOf(parameter, text, kReplicationGroupIdMax);
}

ApiResult<std::string> CacheSubnetGroupNameOf(std::string_view text) {
  std::string name = ToLower(text);
  const bool spelled =
      !name.empty() && name.size() <= kSubnetGroupNameMax && name != "default" &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return IsLetter(c) || IsDigit(c) || c == '-' || c == '.' || c == '_' || c == ' ';
      });
  if (spelled) return name;
  return ApiError{ApiErrorCode::kInvalidParameterValue,
                  "The parameter CacheSubnetGroupName must have 1 to 255 letters, digits, "
                  "hyphens, dots, underscores or blanks and must not be \"default\"."};
}

std::string MemberClusterId(std::string_view replication_group_id, int64_t ordinal) {
  return fmt::format("{}-{:03}", replication_group_id, ordinal);
}

std::string FourDigits(int64_t ordinal) { return fmt::format("{:04}", ordinal); }

ApiResult<std::string> MaintenanceWindowOf(std::string_view text) {
  std::string window = ToLower(text);
  if (IsWindow(window, MinuteOfWeek, 7 * kMinutesPerDay)) return window;
  return ApiError{ApiErrorCode::kInvalidParameterValue,
                  fmt::format("The maintenance window {} is not of the form "
                              "ddd:hh24:mi-ddd:hh24:mi or shorter than 60 minutes.",
                              text)};
}

ApiResult<std::string> SnapshotWindowOf(std::string_view text) {
  if (IsWindow(text, MinuteOfDay, kMinutesPerDay)) return std::string(text);
  return ApiError{ApiErrorCode::kInvalidParameterValue,
                  fmt::format("The snapshot window {} is not of the form hh24:mi-hh24:mi or "
                              "shorter than 60 minutes.",
                              text)};
}

}  // namespace mikura::control
