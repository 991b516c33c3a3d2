// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/hash_field_options.h"

#include "engine/commands/fault_replies.h"

namespace mikura::engine {
namespace {

// As Redis: 46 bits of milliseconds, some 2,200 years.
constexpr UnixMillis kFieldDeadlineMax = (UnixMillis{1} << 46) - 1;

}  // namespace

std::optional<std::span<const std::string_view>> TakeFields(CommandContext& ctx, size_t at,
                                                            std::string_view not_positive) {
  if (at + 1 >= ctx.args.size() || !EqualsIgnoreCase(ctx.args[at], "FIELDS")) {
    ctx.reply.Error("ERR", "Mandatory argument FIELDS is missing or not at the right position");
    return std::nullopt;
  }
  const std::optional<int64_t> count = ParseInt64(ctx.args[at + 1]);
  if (!count || *count < 1) {
    ctx.reply.Error("ERR", not_positive);
    return std::nullopt;
  }
  const std::span<const std::string_view> fields = ctx.args.subspan(at + 2);
  if (static_cast<uint64_t>(*count) != fields.size()) {
    ctx.reply.Error("ERR", "The `numfields` parameter must match the number of arguments");
    return std::nullopt;
  }
  return fields;
}

std::optional<UnixMillis> TakeFieldDeadline(CommandContext& ctx, std::string_view text,
                                            ExpireForm form) {
  const std::optional<int64_t> amount = ParseInt64(text);
  if (!amount) {
    const FaultReply& words = ReplyFor(Fault::kNotAnInteger);
    ctx.reply.Error(words.code, words.message);
    return std::nullopt;
  }
  if (*amount < 0) {
    ctx.reply.Error("ERR", "invalid expire time, must be >= 0");
    return std::nullopt;
  }
  const FaultOr<UnixMillis> deadline = DeadlineAt(*amount, form, ctx.now());
  if (!deadline.ok() || *deadline > kFieldDeadlineMax) {
    ctx.reply.Error("ERR", InvalidExpireMessage(ctx.spec));
    return std::nullopt;
  }
  return *deadline;
}

std::optional<ExpireForm> ExpireFormOf(std::string_view word) {
  if (EqualsIgnoreCase(word, "EX")) return ExpireForm::kSeconds;
  if (EqualsIgnoreCase(word, "PX")) return ExpireForm::kMillis;
  if (EqualsIgnoreCase(word, "EXAT")) return ExpireForm::kAtSeconds;
  if (EqualsIgnoreCase(word, "PXAT")) return ExpireForm::kAtMillis;
  return std::nullopt;
}

bool FieldDeadlineChange::Apply(std::string_view name) {
  names_.push_back(name);
  if (removes_) {
    hash_.Erase(name);
  } else {
    hash_.SetDeadline(name, deadline_);
  }
  return !removes_;
}

FaultOr<> FieldDeadlineChange::Commit(std::string_view first_event) {
  std::string_view event;
  const std::string_view key = ctx_.key_list[0].name;
  if (names_.empty()) {
    event = {};
  } else if (removes_) {
    event = "hdel";
    LogHashDeletion(ctx_, names_);
  } else if (deadline_ == kNoFieldDeadline) {
    event = "hpersist";
    LogFields(ctx_, {"HPERSIST", key}, names_);
  } else {
    event = "hexpire";
    LogFields(ctx_, {"HPEXPIREAT", key, NumberText(deadline_)}, names_);
  }
  return hash_.Commit({first_event, event});
}

}  // namespace mikura::engine
