// SPDX-License-Identifier: Apache-2.0
// The options of SET, MSETEX and GETEX.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/commands/command_support.h"
#include "engine/commands/value_condition.h"
#include "engine/store/fault.h"

namespace mikura::engine {

enum class SetCondition : uint8_t { kAlways, kIfAbsent, kIfPresent, kByValue };

struct SetOptions {
  SetCondition condition = SetCondition::kAlways;
  ValueCondition by_value;  // of kByValue
  bool get = false;
  bool keep_deadline = false;
  bool persist = false;  // GETEX only
  std::optional<ExpireForm> form;
  std::string_view expire_text;  // with `form`
};

// The words behind the value of SET. Errors: kSyntax.
FaultOr<SetOptions> ParseSetOptions(std::span<const std::string_view> words);
// The words behind the pairs of MSETEX. Errors: kSyntax.
FaultOr<SetOptions> ParseMSetExOptions(std::span<const std::string_view> words);
// The words behind the key of GETEX. Errors: kSyntax.
FaultOr<SetOptions> ParseGetExOptions(std::span<const std::string_view> words);

// What the options say of the deadline; kNoDeadline when they say nothing. Errors: those of
// DeadlineOf() for a text.
FaultOr<UnixMillis> DeadlineOf(const SetOptions& options, UnixMillis now);

}  // namespace mikura::engine
