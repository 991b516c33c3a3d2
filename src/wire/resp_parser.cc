// SPDX-License-Identifier: Apache-2.0
#include "wire/resp_parser.h"

#include <algorithm>
#include <cstring>

#include "base/numbers.h"
#include "wire/parameter_set.h"

namespace mikura::wire {
namespace {

// A "<digits>\r\n" header. Longer ones than this are refused even when no line end is in sight.
constexpr ptrdiff_t kHeaderMax = 64 << 10;

enum class Header { kOk, kIncomplete, kBad, kTooLong };

// Reads a length at `p` (behind its type byte); on kOk moves `p` behind the line end.
Header ReadLength(const char*& p, const char* end, int64_t* value) {
  const char* q = p;
  int64_t number = 0;
  // The usual case: up to 9 digits, then CR LF, all present.
  while (q < end && q - p < 9 && static_cast<unsigned char>(*q - '0') < 10) {
    number = number * 10 + (*q - '0');
    ++q;
  }
  if (end - q >= 2 && q > p && q[0] == '\r' && q[1] == '\n') {
    if (*p == '0' && q - p > 1) return Header::kBad;
    *value = number;
    p = q + 2;
    return Header::kOk;
  }
  // Negative, very long, malformed, or not all here.
  const char* carriage_return =
      static_cast<const char*>(std::memchr(p, '\r', static_cast<size_t>(end - p)));
  if (carriage_return == nullptr)
    return end - p > kHeaderMax ? Header::kTooLong : Header::kIncomplete;
  if (end - carriage_return < 2) return Header::kIncomplete;
  const auto parsed = ParseInt64({p, static_cast<size_t>(carriage_return - p)});
  if (!parsed) return Header::kBad;
  *value = *parsed;
  p = carriage_return + 2;  // as Redis: the byte behind CR is not looked at
  return Header::kOk;
}

RespResult Failed(std::string text) {
  RespResult result;
  result.status = RespStatus::kError;
  result.error = "Protocol error: " + std::move(text);
  return result;
}

// `lower_bound`: bytes without which the request cannot be whole. A small input is looked at again
// with every byte, so that an error is answered at once; a large one when half as much has come.
size_t WorthTryingAt(size_t size, size_t lower_bound) {
  constexpr size_t kSmall = 16 << 10;
  if (size < kSmall) return size + 1;
  return std::min(lower_bound, size + size / 2);
}

RespResult Incomplete(size_t bytes_needed) {
  RespResult result;
  result.bytes_needed = bytes_needed;
  return result;
}

RespResult ParseInline(std::string_view input, const RespLimits& limits,
                       std::vector<std::string_view>& words,
                       std::vector<std::unique_ptr<std::string>>& storage) {
  const size_t line_end = input.find('\n');
  if (line_end == std::string_view::npos) {
    if (input.size() > limits.inline_bytes_max) return Failed("too big inline request");
    return Incomplete(input.size() + 1);
  }
  auto split = SplitWords(input.substr(0, line_end));
  if (!split.ok()) return Failed("unbalanced quotes in request");
  for (std::string& word : *split) {
    storage.push_back(std::make_unique<std::string>(std::move(word)));
    words.push_back(*storage.back());
  }
  RespResult result;
  result.status = split->empty() ? RespStatus::kEmpty : RespStatus::kRequest;
  result.consumed = line_end + 1;
  return result;
}

// "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
RespResult ParseMultibulk(std::string_view input, const RespLimits& limits,
                          std::vector<std::string_view>& words) {
  const char* const begin = input.data();
  const char* const end = begin + input.size();
  const char* p = begin + 1;
  int64_t count = 0;
  switch (ReadLength(p, end, &count)) {
    case Header::kOk:
      break;
    case Header::kIncomplete:
      return Incomplete(input.size() + 1);
    case Header::kTooLong:
      return Failed("too big mbulk count string");
    case Header::kBad:
      return Failed("invalid multibulk length");
  }
  if (count > INT32_MAX) return Failed("invalid multibulk length");
  if (count > limits.words_max) return Failed("unauthenticated multibulk length");
  RespResult result;
  if (count <= 0) {
    result.status = RespStatus::kEmpty;
    result.consumed = static_cast<size_t>(p - begin);
    return result;
  }
  const size_t before = words.size();
  for (int64_t i = 0; i < count; ++i) {
    const auto smallest_rest = static_cast<size_t>(count - i - 1) * 6;  // "$0\r\n\r\n"
    if (p == end) {
      words.resize(before);
      return Incomplete(WorthTryingAt(input.size(), input.size() + smallest_rest + 6));
    }
    if (*p != '$') {
      const char found = *p;
      words.resize(before);
      return Failed(std::string("expected '$', got '") + found + "'");
    }
    ++p;
    int64_t length = 0;
    const Header header = ReadLength(p, end, &length);
    if (header != Header::kOk) words.resize(before);
    if (header == Header::kIncomplete) return Incomplete(input.size() + 1);
    if (header == Header::kTooLong) return Failed("too big bulk count string");
    if (header == Header::kBad || length < 0 || length > limits.bulk_bytes_max) {
      words.resize(before);
      const bool before_login =
          header == Header::kOk && length > 16384 &&
          limits.bulk_bytes_max == RespLimits::Unauthenticated().bulk_bytes_max;
      return Failed(before_login ? "unauthenticated bulk length" : "invalid bulk length");
    }
    if (end - p < length + 2) {
      words.resize(before);
      return Incomplete(static_cast<size_t>(p - begin) + static_cast<size_t>(length) + 2);
    }
    words.emplace_back(p, static_cast<size_t>(length));
    p += length + 2;
  }
  result.status = RespStatus::kRequest;
  result.consumed = static_cast<size_t>(p - begin);
  return result;
}

}  // namespace

RespResult ParseResp(std::string_view input, const RespLimits& limits,
                     std::vector<std::string_view>& words,
                     std::vector<std::unique_ptr<std::string>>& storage) {
  if (input.empty()) return Incomplete(1);
  if (input[0] == '*') return ParseMultibulk(input, limits, words);
  return ParseInline(input, limits, words, storage);
}

}  // namespace mikura::wire
