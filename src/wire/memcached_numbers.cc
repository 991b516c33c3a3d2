// SPDX-License-Identifier: Apache-2.0
#include "wire/memcached_numbers.h"

#include <array>

namespace mikura::wire {
namespace {

constexpr bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

struct Digits {
  bool negative = false;
  uint64_t magnitude = 0;
};

// Sign and digits of `text`; nullopt when it is no number or has more than 64 bits.
std::optional<Digits> ReadDigits(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && IsBlank(text[at])) ++at;
  Digits result;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) result.negative = text[at++] == '-';
  const size_t first = at;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
    const uint64_t digit = static_cast<uint64_t>(text[at++] - '0');
    if (__builtin_mul_overflow(result.magnitude, uint64_t{10}, &result.magnitude) ||
        __builtin_add_overflow(result.magnitude, digit, &result.magnitude)) {
      return std::nullopt;
    }
  }
  if (at == first) return std::nullopt;
  // A NUL ends the text, as it does for the C library.
  if (at < text.size() && !IsBlank(text[at]) && text[at] != '\0') return std::nullopt;
  return result;
}

constexpr char kBase64Letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> MakeBase64Values() {
  std::array<int8_t, 256> values{};
  for (auto& value : values) value = -1;
  for (int i = 0; i < 64; ++i) {
    values[static_cast<uint8_t>(kBase64Letters[i])] = static_cast<int8_t>(i);
  }
  return values;
}

constexpr std::array<int8_t, 256> kBase64Values = MakeBase64Values();

}  // namespace

std::optional<uint64_t> ReadMemcachedUnsigned(std::string_view text) {
  const auto digits = ReadDigits(text);
  if (!digits) return std::nullopt;
  const uint64_t value = digits->negative ? 0 - digits->magnitude : digits->magnitude;
  if (static_cast<int64_t>(value) < 0 && text.find('-') != std::string_view::npos) {
    return std::nullopt;
  }
  return value;
}

std::optional<int32_t> ReadMemcachedInt32(std::string_view text) {
  const auto digits = ReadDigits(text);
  if (!digits) return std::nullopt;
  constexpr uint64_t kMax = uint64_t{1} << 63;
  if (digits->negative ? digits->magnitude > kMax : digits->magnitude >= kMax) return std::nullopt;
  const uint64_t value = digits->negative ? 0 - digits->magnitude : digits->magnitude;
  return static_cast<int32_t>(static_cast<uint32_t>(value));
}

std::optional<uint32_t> ReadMemcachedUint32(std::string_view text) {
  const auto value = ReadMemcachedUnsigned(text);
  if (!value) return std::nullopt;
  return static_cast<uint32_t>(*value);
}

size_t DecodeBase64(std::string_view text, char* out) {
  if (text.empty() || text.size() % 4 != 0) return 0;
  size_t padding = 0;
  if (text[text.size() - 1] == '=') padding = text[text.size() - 2] == '=' ? 2 : 1;
  const size_t letters = text.size() - padding;
  size_t written = 0;
  uint32_t bits = 0;
  int held = 0;
  for (size_t i = 0; i < letters; ++i) {
    const int8_t value = kBase64Values[static_cast<uint8_t>(text[i])];
    if (value < 0) return 0;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out[written++] = static_cast<char>(bits >> held & 0xff);
  }
  return written;
}

size_t EncodeBase64(std::string_view bytes, char* out) {
  size_t written = 0;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t have = bytes.size() - i < 3 ? bytes.size() - i : 3;
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < have ? static_cast<uint8_t>(bytes[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      out[written++] = k <= have ? kBase64Letters[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return written;
}

}  // namespace mikura::wire
