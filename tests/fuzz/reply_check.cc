// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/reply_check.h"

#include "base/numbers.h"

namespace mikura::fuzz {
namespace {

constexpr int kDepthMax = 10'000;

// The bytes behind a bulk string of `length` bytes and its line end.
std::optional<std::string_view> SkipBulk(std::string_view text, int64_t length) {
  if (length == -1) return text;
  const auto size = static_cast<size_t>(length);
  if (length < 0 || text.size() < size + 2 || text.substr(size, 2) != "\r\n") return std::nullopt;
  return text.substr(size + 2);
}

}  // namespace

std::optional<std::string_view> SkipReply(std::string_view text, int depth) {
  const size_t end = text.find("\r\n");
  if (text.empty() || end == std::string_view::npos || depth > kDepthMax) return std::nullopt;
  const char kind = text[0];
  const std::string_view line = text.substr(1, end - 1);
  std::string_view rest = text.substr(end + 2);
  if (line.find_first_of("\r\n") != std::string_view::npos) return std::nullopt;
  constexpr std::string_view kLines = "+-,#_(";
  if (kLines.find(kind) != std::string_view::npos) return rest;
  const std::optional<int64_t> number = ParseInt64(line);
  if (!number) return std::nullopt;
  if (kind == ':') return rest;
  if (kind == '$' || kind == '=') return SkipBulk(rest, *number);
  constexpr std::string_view kAggregates = "*~>%";
  if (kAggregates.find(kind) == std::string_view::npos) return std::nullopt;
  const int64_t count = kind == '%' ? *number * 2 : *number;
  for (int64_t i = 0; i < count; ++i) {
    const auto behind = SkipReply(rest, depth + 1);
    if (!behind) return std::nullopt;
    rest = *behind;
  }
  return rest;
}

}  // namespace mikura::fuzz
