// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace mikura::fuzz {

// What is behind the first RESP reply in `text`; nullopt when no whole, well-formed one is there.
std::optional<std::string_view> SkipReply(std::string_view text, int depth = 0);

}  // namespace mikura::fuzz
