// SPDX-License-Identifier: Apache-2.0
#include "control/model/pagination.h"

#include <fmt/format.h>

namespace mikura::control {
namespace {

constexpr std::string_view kTokenStart = "m1";  // the version of the form

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string PageToken(std::string_view key) {
  std::string token(kTokenStart);
  for (const char c : key) token += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return token;
}

std::optional<std::string> KeyOfPageToken(std::string_view token) {
  if (token.substr(0, kTokenStart.size()) != kTokenStart || token.size() % 2 != 0) {
    return std::nullopt;
  }
  std::string key;
  for (size_t i = kTokenStart.size(); i < token.size(); i += 2) {
    const int high = HexDigit(token[i]);
    const int low = HexDigit(token[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    key.push_back(static_cast<char>(high * 16 + low));
  }
  return key;
}

ApiResult<size_t> PageSize(std::optional<int32_t> wanted, int32_t min, int32_t max,
                           std::string_view parameter) {
  if (!wanted) return static_cast<size_t>(max);
  if (*wanted < min || *wanted > max) {
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    fmt::format("Value ({}) for parameter {} is invalid. Expecting a value between "
                                "{} and {}.",
                                *wanted, parameter, min, max)};
  }
  return static_cast<size_t>(*wanted);
}

}  // namespace mikura::control
