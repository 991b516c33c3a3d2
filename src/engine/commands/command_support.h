// SPDX-License-Identifier: Apache-2.0
// What many handlers need: numbers and options among the arguments.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/numbers.h"
#include "engine/commands/command_context.h"
#include "engine/commands/command_errors.h"

namespace mikura::engine {

inline FaultOr<int64_t> ToInteger(std::string_view text) {
  const std::optional<int64_t> value = ParseInt64(text);
  if (!value) return Fault::kNotAnInteger;
  return *value;
}

// A long double as strtold reads the whole text; not NaN, no blanks, not beyond its range. Errors:
// kNotAFloat.
FaultOr<long double> ToLongDouble(std::string_view text);

// How a moment of expiry is given: seconds or milliseconds, from now or since the epoch.
enum class ExpireForm : uint8_t { kSeconds, kMillis, kAtSeconds, kAtMillis };

// The deadline that `amount` means, also one in the past. Errors: kInvalidExpire, beyond the end of
// time.
FaultOr<UnixMillis> DeadlineAt(int64_t amount, ExpireForm form, UnixMillis now);

// The deadline that `text` means for SET and its kin: positive, and not beyond the end of time.
// Errors: kNotAnInteger, kInvalidExpire.
FaultOr<UnixMillis> DeadlineOf(std::string_view text, ExpireForm form, UnixMillis now);

// Replies to kInvalidExpire with the command's name; passes other faults on.
FaultOr<> ExpireFault(CommandContext& ctx, Fault fault);

// "+OK", or the status's error as the reply.
void ReplyStatus(CommandContext& ctx, const Status& status);

// The number of an existing database. Errors: kNotAnInteger, kNotAnInt32, kDatabaseOutOfRange.
FaultOr<int> DatabaseNumber(CommandContext& ctx, std::string_view text);

inline void AddEffect(CommandContext& ctx, std::initializer_list<std::string_view> words) {
  ctx.keys.effects().Add(ctx.keys.database(), words);
}

// A value outside the shard's entries: by reference when it is large enough for that to pay.
void ReplyExternalValue(wire::RespWriter& reply, const store::Entry& entry);

// A string entry's value as a bulk string. The entry's shard is locked.
inline void ReplyValue(wire::RespWriter& reply, const store::Entry& entry) {
  if (entry.is_external()) [[unlikely]] {
    ReplyExternalValue(reply, entry);
  } else {
    reply.Bulk(entry.value());
  }
}

// Decimal text of a number, on the stack.
class NumberText {
 public:
  explicit NumberText(int64_t value) : size_(FormatInt64(value, text_)) {}
  operator std::string_view() const { return {text_, size_}; }  // NOLINT(*-explicit-*)

 private:
  char text_[24];
  size_t size_;
};

}  // namespace mikura::engine
