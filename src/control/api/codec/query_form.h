// SPDX-License-Identifier: Apache-2.0
// application/x-www-form-urlencoded text, in and out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mikura::control {

struct FormField {
  std::string name;
  std::string value;
};

// The fields of `text` in their order; "+" is a blank, "a" is "a=". nullopt when a percent sequence
// is malformed, a byte is NUL, or the text is not UTF-8.
std::optional<std::vector<FormField>> ParseForm(std::string_view text);

// Replaces percent sequences; "+" stays. nullopt when a sequence is malformed.
std::optional<std::string> PercentDecode(std::string_view text);

// RFC 3986 with upper-case hexadecimal, as signatures need it: all but unreserved characters are
// encoded; "/" stays when `keep_slash`.
std::string PercentEncode(std::string_view text, bool keep_slash);

}  // namespace mikura::control
