// SPDX-License-Identifier: Apache-2.0
#include "control/api/codec/iso_time.h"

#include <fmt/format.h>

#include <chrono>

namespace mikura::control {
namespace {

constexpr UnixMillis kMillisPerDay = 86'400'000;

// Reads exactly `count` digits from the front of `text`; -1 when they are not there.
int TakeDigits(std::string_view& text, size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool TakeChar(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<UnixMillis> FromFields(int year, int month, int day, int hour, int minute,
                                     int second) {
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * kMillisPerDay + ((hour * 60LL + minute) * 60 + second) * 1000;
}

// Decimals of a second, in milliseconds; more than three are cut off. -1 when malformed.
int TakeFraction(std::string_view& text) {
  if (!TakeChar(text, '.')) return 0;
  int millis = 0;
  size_t digits = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    if (digits < 3) millis = millis * 10 + (text[0] - '0');
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0 || digits > 9) return -1;
  for (size_t i = digits; i < 3; ++i) millis *= 10;
  return millis;
}

// "Z" or an offset, in minutes east of UTC.
std::optional<int> TakeZone(std::string_view& text) {
  if (TakeChar(text, 'Z')) return 0;
  const bool east = TakeChar(text, '+');
  if (!east && !TakeChar(text, '-')) return std::nullopt;
  const int hours = TakeDigits(text, 2);
  TakeChar(text, ':');
  const int minutes = TakeDigits(text, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  return (east ? 1 : -1) * (hours * 60 + minutes);
}

}  // namespace

std::string FormatIsoTime(UnixMillis time) {
  UnixMillis days = time / kMillisPerDay;
  UnixMillis rest = time % kMillisPerDay;
  if (rest < 0) {
    rest += kMillisPerDay;
    --days;
  }
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(days)))};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     rest / 3'600'000, rest / 60'000 % 60, rest / 1000 % 60, rest % 1000);
}

std::optional<UnixMillis> ParseIsoTime(std::string_view text) {
  const int year = TakeDigits(text, 4);
  if (!TakeChar(text, '-')) return std::nullopt;
  const int month = TakeDigits(text, 2);
  if (!TakeChar(text, '-')) return std::nullopt;
  const int day = TakeDigits(text, 2);
  if (!TakeChar(text, 'T')) return std::nullopt;
  const int hour = TakeDigits(text, 2);
  if (!TakeChar(text, ':')) return std::nullopt;
  const int minute = TakeDigits(text, 2);
  if (!TakeChar(text, ':')) return std::nullopt;
  const int second = TakeDigits(text, 2);
  const int millis = TakeFraction(text);
  const std::optional<int> zone = TakeZone(text);
  const auto time = FromFields(year, month, day, hour, minute, second);
  if (!time || millis < 0 || !zone || !text.empty()) return std::nullopt;
  return *time + millis - *zone * 60'000LL;
}

std::optional<UnixMillis> ParseBasicIsoTime(std::string_view text) {
  const int year = TakeDigits(text, 4);
  const int month = TakeDigits(text, 2);
  const int day = TakeDigits(text, 2);
  if (!TakeChar(text, 'T')) return std::nullopt;
  const int hour = TakeDigits(text, 2);
  const int minute = TakeDigits(text, 2);
  const int second = TakeDigits(text, 2);
  if (text != "Z") return std::nullopt;
  return FromFields(year, month, day, hour, minute, second);
}

}  // namespace mikura::control
