// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/set_options.h"

namespace mikura::engine {
namespace {

std::optional<ExpireForm> ExpireFormOf(std::string_view word) {
  if (EqualsIgnoreCase(word, "EX")) return ExpireForm::kSeconds;
  if (EqualsIgnoreCase(word, "PX")) return ExpireForm::kMillis;
  if (EqualsIgnoreCase(word, "EXAT")) return ExpireForm::kAtSeconds;
  if (EqualsIgnoreCase(word, "PXAT")) return ExpireForm::kAtMillis;
  return std::nullopt;
}

// Takes an expiry word and its number at words[at], and moves `at` to the number. False when there
// is none, or it contradicts what came before. The same word may be given twice: the last counts.
bool TakeExpiry(std::span<const std::string_view> words, size_t& at, SetOptions& options) {
  const std::optional<ExpireForm> form = ExpireFormOf(words[at]);
  if (!form || at + 1 >= words.size()) return false;
  if (options.keep_deadline || options.persist) return false;
  if (options.form && *options.form != *form) return false;
  options.form = form;
  options.expire_text = words[++at];
  return true;
}

bool TakeCondition(std::span<const std::string_view> words, size_t& at, SetOptions& options) {
  SetCondition condition = SetCondition::kAlways;
  if (EqualsIgnoreCase(words[at], "NX")) condition = SetCondition::kIfAbsent;
  if (EqualsIgnoreCase(words[at], "XX")) condition = SetCondition::kIfPresent;
  const std::optional<ValueCondition> by_value = ValueCondition::OfWord(words[at]);
  if (by_value) condition = SetCondition::kByValue;
  if (condition == SetCondition::kAlways) return false;
  if (options.condition != SetCondition::kAlways && options.condition != condition) return false;
  if (by_value) {
    const ValueCondition& before = options.by_value;
    const bool is_first = options.condition == SetCondition::kAlways;
    const bool is_other =
        before.negated != by_value->negated || before.by_digest != by_value->by_digest;
    if (at + 1 >= words.size() || (!is_first && is_other)) return false;
    options.by_value = *by_value;
    options.by_value.operand = words[++at];
  }
  options.condition = condition;
  return true;
}

}  // namespace

FaultOr<SetOptions> ParseSetOptions(std::span<const std::string_view> words) {
  SetOptions options;
  for (size_t i = 0; i < words.size(); ++i) {
    if (EqualsIgnoreCase(words[i], "GET")) {
      options.get = true;
    } else if (EqualsIgnoreCase(words[i], "KEEPTTL")) {
      if (options.form) return Fault::kSyntax;
      options.keep_deadline = true;
    } else if (!TakeCondition(words, i, options) && !TakeExpiry(words, i, options)) {
      return Fault::kSyntax;
    }
  }
  return options;
}

FaultOr<SetOptions> ParseMSetExOptions(std::span<const std::string_view> words) {
  ASSIGN_OR_RETURN(SetOptions options, ParseSetOptions(words));
  if (options.get || options.condition == SetCondition::kByValue) return Fault::kSyntax;
  return options;
}

FaultOr<SetOptions> ParseGetExOptions(std::span<const std::string_view> words) {
  SetOptions options;
  for (size_t i = 0; i < words.size(); ++i) {
    if (EqualsIgnoreCase(words[i], "PERSIST")) {
      if (options.form) return Fault::kSyntax;
      options.persist = true;
    } else if (!TakeExpiry(words, i, options)) {
      return Fault::kSyntax;
    }
  }
  return options;
}

FaultOr<UnixMillis> DeadlineOf(const SetOptions& options, UnixMillis now) {
  if (!options.form) return store::kNoDeadline;
  return DeadlineOf(options.expire_text, *options.form, now);
}

}  // namespace mikura::engine
