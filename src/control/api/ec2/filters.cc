// SPDX-License-Identifier: Apache-2.0
#include "control/api/ec2/filters.h"

#include <fmt/format.h>

namespace mikura::control {
namespace {

constexpr std::string_view kTagPrefix = "tag:";

}  // namespace

// Linear in the text for each "*": only the last one is tried again, which suffices.
bool MatchesPattern(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;  // behind the last "*" that was met
  size_t star_text = 0;                  // where the text behind it is assumed to begin
  while (t < text.size()) {
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    if (!escaped && p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
      continue;
    }
    const bool any = !escaped && p < pattern.size() && pattern[p] == '?';
    const size_t literal = escaped ? p + 1 : p;
    if (any || (literal < pattern.size() && pattern[literal] == text[t])) {
      p = literal + 1;
      ++t;
      continue;
    }
    if (star == std::string_view::npos) return false;
    p = star;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool MatchesAny(const ec2::Filter& filter, const std::vector<std::string>& values) {
  for (const std::string& pattern : filter.values) {
    for (const std::string& value : values) {
      if (MatchesPattern(pattern, value)) return true;
    }
  }
  return false;
}

bool IsTagFilter(std::string_view name) {
  return name == "tag-key" || name == "tag-value" ||
         name.substr(0, kTagPrefix.size()) == kTagPrefix;
}

bool MatchesTags(const ec2::Filter& filter, const Tags& tags) {
  const std::string name = filter.name.value_or("");
  std::vector<std::string> values;
  for (const auto& [key, value] : tags) {
    if (name == "tag-key") {
      values.push_back(key);
    } else if (name == "tag-value" || name.substr(kTagPrefix.size()) == key) {
      values.push_back(value);
    }
  }
  return MatchesAny(filter, values);
}

ApiError UnknownFilter(const ec2::Filter& filter) {
  return {ApiErrorCode::kInvalidParameterValue,
          fmt::format("The filter '{}' is invalid", filter.name.value_or("null"))};
}

}  // namespace mikura::control
