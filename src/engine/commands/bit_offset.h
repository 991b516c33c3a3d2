// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "engine/commands/command_support.h"

namespace mikura::engine {

inline constexpr std::string_view kBadBitOffset = "bit offset is not an integer or out of range";

// The place of a bit, in a string that may become that long; nullopt: none such. `factor`: what the
// number is multiplied by.
inline std::optional<uint64_t> ParseBitOffset(const CommandContext& ctx, std::string_view text,
                                              uint64_t factor = 1) {
  const std::optional<int64_t> number = ParseInt64(text);
  uint64_t offset = 0;
  if (!number || *number < 0 ||
      __builtin_mul_overflow(static_cast<uint64_t>(*number), factor, &offset) ||
      offset / 8 >= ctx.services.string_bytes_max) {
    return std::nullopt;
  }
  return offset;
}

}  // namespace mikura::engine
