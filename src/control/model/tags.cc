// SPDX-License-Identifier: Apache-2.0
#include "control/model/tags.h"

#include <fmt/format.h>

#include "base/numbers.h"

namespace mikura::control {
namespace {

constexpr size_t kKeyCharactersMax = 128;
constexpr size_t kValueCharactersMax = 256;

ApiError Invalid(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

ApiResult<> CheckTag(const std::string& key, const std::string& value) {
  const auto key_characters = CountCharacters(key);
  const auto value_characters = CountCharacters(value);
  if (!key_characters || !value_characters) {
    return Invalid("Tag keys and values must be UTF-8 text without control characters.");
  }
  if (*key_characters == 0) return Invalid("Tag key cannot be empty.");
  if (*key_characters > kKeyCharactersMax) {
    return Invalid(
        fmt::format("Tag key exceeds the maximum length of {} characters", kKeyCharactersMax));
  }
  if (*value_characters > kValueCharactersMax) {
    return Invalid(
        fmt::format("Tag value exceeds the maximum length of {} characters", kValueCharactersMax));
  }
  if (EqualsIgnoreCase(key.substr(0, 4), "aws:")) {
    return Invalid("Tag keys starting with 'aws:' are reserved for internal use");
  }
  return Ok();
}

}  // namespace

ApiResult<> AddTags(Tags& tags, const Tags& added, ApiErrorCode too_many) {
  Tags merged = tags;
  for (const auto& [key, value] : added) {
    RETURN_IF_ERROR(CheckTag(key, value));
    merged[key] = value;
  }
  if (merged.size() > kTagsMax) {
    return ApiError{too_many,
                    fmt::format("The maximum number of Tags for a resource is {}.", kTagsMax)};
  }
  tags = std::move(merged);
  return Ok();
}

std::optional<size_t> CountCharacters(std::string_view text) {
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++count) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 0 || lead > 0xF4 || lead < 0x20 || lead == 0x7F || i + length > text.size()) {
      return std::nullopt;
    }
    for (size_t j = 1; j < length; ++j) {
      if ((static_cast<unsigned char>(text[i + j]) & 0xC0) != 0x80) return std::nullopt;
    }
    i += length;
  }
  return count;
}

}  // namespace mikura::control
