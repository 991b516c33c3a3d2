// SPDX-License-Identifier: Apache-2.0
// ISO 8601 times in UTC, as AWS writes and reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace mikura::control {

// "2026-01-02T03:04:05.678Z".
std::string FormatIsoTime(UnixMillis time);

// "2026-01-02T03:04:05Z", with or without up to nine decimals of a second, with "Z" or an offset
// such as "+09:00". nullopt for anything else, and for days that do not exist.
std::optional<UnixMillis> ParseIsoTime(std::string_view text);

// "20260102T030405Z", the form in signatures. nullopt for anything else.
std::optional<UnixMillis> ParseBasicIsoTime(std::string_view text);

}  // namespace mikura::control
