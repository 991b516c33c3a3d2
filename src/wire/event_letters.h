// SPDX-License-Identifier: Apache-2.0
// The letters of notify-keyspace-events, as bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mikura::wire {

// Bit i is the class of letter i.
inline constexpr std::string_view kEventClassLetters = "g$lshzxetmdn";
inline constexpr uint32_t kEventClassBits = (1u << kEventClassLetters.size()) - 1;
// Where events are published: by key (K), by event (E).
inline constexpr uint32_t kEventsByKey = 1u << 16;
inline constexpr uint32_t kEventsByName = 1u << 17;

// Errors: worded as CONFIG SET words it.
Result<uint32_t> ParseEventLetters(std::string_view letters);
// As CONFIG GET shows them: 'A' for all classes but 'm' and 'n'.
std::string EventLetters(uint32_t bits);

}  // namespace mikura::wire
