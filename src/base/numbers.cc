// SPDX-License-Identifier: Apache-2.0
#include "base/numbers.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace mikura {

std::optional<int64_t> ParseInt64(std::string_view text) {
  if (text.empty() || text.size() > 20) return std::nullopt;
  const size_t first = text[0] == '-' ? 1 : 0;
  if (first == text.size()) return std::nullopt;
  if (text[first] == '0' && text.size() > 1) return std::nullopt;
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<uint64_t> ParseUint64(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<double> ParseDouble(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r')) return std::nullopt;
  char buffer[256];
  std::string long_text;
  const char* begin = buffer;
  if (text.size() < sizeof(buffer)) {
    std::memcpy(buffer, text.data(), text.size());
    buffer[text.size()] = '\0';
  } else {
    long_text.assign(text);
    begin = long_text.c_str();
  }
  errno = 0;
  char* stop = nullptr;
  const double value = std::strtod(begin, &stop);
  if (stop != begin + text.size() || std::isnan(value)) return std::nullopt;
  if (errno == ERANGE && (value == 0 || std::isinf(value))) return std::nullopt;
  return value;
}

std::optional<uint64_t> ParseByteCount(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  const auto value = ParseUint64(text.substr(0, digits));
  if (!value) return std::nullopt;
  const std::string unit = ToLower(text.substr(digits));
  uint64_t factor = 0;
  if (unit.empty() || unit == "b") factor = 1;
  if (unit == "k") factor = 1000;
  if (unit == "kb") factor = 1024;
  if (unit == "m") factor = 1'000'000;
  if (unit == "mb") factor = 1ULL << 20;
  if (unit == "g") factor = 1'000'000'000;
  if (unit == "gb") factor = 1ULL << 30;
  uint64_t bytes = 0;
  if (factor == 0 || __builtin_mul_overflow(*value, factor, &bytes)) return std::nullopt;
  return bytes;
}

size_t FormatInt64(int64_t value, char* out) {
  return static_cast<size_t>(std::to_chars(out, out + 20, value).ptr - out);
}

std::string FormatDouble(long double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[5 * 1024];
  int length = std::snprintf(buffer, sizeof(buffer), "%.17Lf", value);
  if (length < 0 || length >= static_cast<int>(sizeof(buffer))) return "0";
  std::string text(buffer, static_cast<size_t>(length));
  if (text.find('.') != std::string::npos) {
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

size_t FormatDouble17(double value, char* out) {
  constexpr double kIntegersBelow = 1e15;
  if (value > -kIntegersBelow && value < kIntegersBelow) {
    const auto integer = static_cast<int64_t>(value);
    const bool is_integer = static_cast<double>(integer) == value;
    if (is_integer && (integer != 0 || !std::signbit(value))) return FormatInt64(integer, out);
  }
  return static_cast<size_t>(std::snprintf(out, kDoubleTextMax, "%.17g", value));
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.empty() || strncasecmp(a.data(), b.data(), a.size()) == 0);
}

std::string ToLower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string ToUpper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

}  // namespace mikura
