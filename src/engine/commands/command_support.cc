// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/command_support.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "engine/commands/shared_reply.h"

namespace mikura::engine {

void ReplyExternalValue(wire::RespWriter& reply, const store::Entry& entry) {
  if (auto shared = ShareLargeValue(reply.out(), entry)) {
    reply.BulkShared(std::move(*shared));
  } else {
    reply.Bulk(entry.value());
  }
}

FaultOr<long double> ToLongDouble(std::string_view text) {
  char buffer[256];
  if (text.empty() || text.size() >= sizeof(buffer)) return Fault::kNotAFloat;
  if (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r')) return Fault::kNotAFloat;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  char* stop = nullptr;
  errno = 0;
  const long double value = std::strtold(buffer, &stop);
  const bool out_of_range = errno == ERANGE && (std::isinf(value) || value == 0);
  if (stop != buffer + text.size() || std::isnan(value) || out_of_range) return Fault::kNotAFloat;
  return value;
}

FaultOr<UnixMillis> DeadlineAt(int64_t amount, ExpireForm form, UnixMillis now) {
  const bool in_seconds = form == ExpireForm::kSeconds || form == ExpireForm::kAtSeconds;
  const bool relative = form == ExpireForm::kSeconds || form == ExpireForm::kMillis;
  int64_t deadline = 0;
  if (__builtin_mul_overflow(amount, in_seconds ? 1000 : 1, &deadline) ||
      __builtin_add_overflow(deadline, relative ? now : 0, &deadline)) {
    return Fault::kInvalidExpire;
  }
  // The greatest number means "none" inside; nobody lives to tell the difference.
  return deadline == store::kNoDeadline ? deadline - 1 : deadline;
}

FaultOr<UnixMillis> DeadlineOf(std::string_view text, ExpireForm form, UnixMillis now) {
  ASSIGN_OR_RETURN(const int64_t amount, ToInteger(text));
  if (amount <= 0) return Fault::kInvalidExpire;
  return DeadlineAt(amount, form, now);
}

FaultOr<> ExpireFault(CommandContext& ctx, Fault fault) {
  if (fault != Fault::kInvalidExpire) return fault;
  ctx.reply.Error("ERR", InvalidExpireMessage(ctx.spec));
  return Ok();
}

FaultOr<int> DatabaseNumber(CommandContext& ctx, std::string_view text) {
  ASSIGN_OR_RETURN(const int64_t number, ToInteger(text));
  if (number < INT32_MIN || number > INT32_MAX) return Fault::kNotAnInt32;
  if (number < 0 || number >= ctx.keyspace.database_count()) return Fault::kDatabaseOutOfRange;
  return static_cast<int>(number);
}

void ReplyStatus(CommandContext& ctx, const Status& status) {
  if (status.ok()) {
    ctx.reply.Ok();
  } else {
    ctx.reply.Error("ERR", status.error().message);
  }
}

}  // namespace mikura::engine
