// SPDX-License-Identifier: Apache-2.0
// Deadlines of fields: HEXPIRE and its like, HTTL and its like, HPERSIST.
#include "engine/commands/command_families.h"
#include "engine/commands/hash_field_options.h"

namespace mikura::engine {
namespace {

// What is answered for each field.
constexpr int64_t kNoField = -2;
constexpr int64_t kNoDeadlineThere = -1;
constexpr int64_t kConditionFailed = 0;
constexpr int64_t kDone = 1;
constexpr int64_t kRemoved = 2;

enum class Condition : uint8_t { kNone, kIfNone, kIfSome, kIfLater, kIfEarlier };

Condition ConditionOf(std::string_view word) {
  if (EqualsIgnoreCase(word, "NX")) return Condition::kIfNone;
  if (EqualsIgnoreCase(word, "XX")) return Condition::kIfSome;
  if (EqualsIgnoreCase(word, "GT")) return Condition::kIfLater;
  if (EqualsIgnoreCase(word, "LT")) return Condition::kIfEarlier;
  return Condition::kNone;
}

// A field without a deadline counts as one that never goes: nothing is later.
bool Holds(Condition condition, UnixMillis current, UnixMillis wanted) {
  switch (condition) {
    case Condition::kIfNone:
      return current == kNoFieldDeadline;
    case Condition::kIfSome:
      return current != kNoFieldDeadline;
    case Condition::kIfLater:
      return current != kNoFieldDeadline && wanted > current;
    case Condition::kIfEarlier:
      return wanted < current;
    case Condition::kNone:
      break;
  }
  return true;
}

struct ExpireRequest {
  UnixMillis deadline = 0;
  Condition condition = Condition::kNone;
  std::span<const std::string_view> fields;
};

// Empty after an error reply.
std::optional<ExpireRequest> ParseRequest(CommandContext& ctx, ExpireForm form) {
  const std::optional<UnixMillis> deadline = TakeFieldDeadline(ctx, ctx.args[2], form);
  if (!deadline) return std::nullopt;
  ExpireRequest request{*deadline, ConditionOf(ctx.args[3]), {}};
  const size_t at = request.condition == Condition::kNone ? 3 : 4;
  const auto fields = TakeFields(ctx, at, "Parameter `numFields` should be greater than 0");
  if (!fields) return std::nullopt;
  request.fields = *fields;
  return request;
}

void ReplySame(CommandContext& ctx, size_t count, int64_t value) {
  ctx.reply.Array(count);
  for (size_t i = 0; i < count; ++i) ctx.reply.Integer(value);
}

// HEXPIRE key amount [NX | XX | GT | LT] FIELDS n field ... -> for each field: -2 when it is
// absent, 0 when the condition does not hold, 1 when the deadline was set, 2 when it had passed and
// the field was removed.
FaultOr<> ExpireIn(CommandContext& ctx, ExpireForm form) {
  HashEditor hash(ctx);
  RETURN_IF_ERROR(hash.Opened());
  const std::optional<ExpireRequest> request = ParseRequest(ctx, form);
  if (!request) return Ok();
  if (!hash.existed()) {
    ReplySame(ctx, request->fields.size(), kNoField);
    return Ok();
  }
  FieldDeadlineChange change(ctx, hash, request->deadline);
  std::vector<int64_t> outcomes;
  outcomes.reserve(request->fields.size());
  for (const std::string_view name : request->fields) {
    const std::optional<HashField> field = hash.Find(name);
    if (!field) {
      outcomes.push_back(kNoField);
    } else if (!Holds(request->condition, field->deadline, request->deadline)) {
      outcomes.push_back(kConditionFailed);
    } else {
      outcomes.push_back(change.Apply(name) ? kDone : kRemoved);
    }
  }
  RETURN_IF_ERROR(change.Commit());
  ctx.reply.Array(outcomes.size());
  for (const int64_t outcome : outcomes) ctx.reply.Integer(outcome);
  return Ok();
}

FaultOr<> HExpire(CommandContext& ctx) { return ExpireIn(ctx, ExpireForm::kSeconds); }
FaultOr<> HPExpire(CommandContext& ctx) { return ExpireIn(ctx, ExpireForm::kMillis); }
FaultOr<> HExpireAt(CommandContext& ctx) { return ExpireIn(ctx, ExpireForm::kAtSeconds); }
FaultOr<> HPExpireAt(CommandContext& ctx) { return ExpireIn(ctx, ExpireForm::kAtMillis); }

// For each field: -2 when it is absent, -1 without deadline, else `value` of it.
template <typename Value>
FaultOr<> ReplyDeadlines(CommandContext& ctx, const Value& value) {
  ASSIGN_OR_RETURN(const HashView& hash, ctx.keys.View<HashValue>(ctx.key_list[0]));
  const auto fields = TakeFields(ctx, 2, kFieldsNotPositive);
  if (!fields) return Ok();
  ctx.reply.Array(fields->size());
  for (const std::string_view name : *fields) {
    const std::optional<HashField> field = FindLive(hash, name, ctx.now());
    if (!field) {
      ctx.reply.Integer(kNoField);
    } else if (field->deadline == kNoFieldDeadline) {
      ctx.reply.Integer(kNoDeadlineThere);
    } else {
      ctx.reply.Integer(value(field->deadline));
    }
  }
  return Ok();
}

int64_t SecondsUp(int64_t millis) { return (millis + 999) / 1000; }

FaultOr<> HTtl(CommandContext& ctx) {
  return ReplyDeadlines(ctx, [&](UnixMillis deadline) { return SecondsUp(deadline - ctx.now()); });
}
FaultOr<> HPTtl(CommandContext& ctx) {
  return ReplyDeadlines(ctx, [&](UnixMillis deadline) { return deadline - ctx.now(); });
}
FaultOr<> HExpireTime(CommandContext& ctx) { return ReplyDeadlines(ctx, SecondsUp); }
FaultOr<> HPExpireTime(CommandContext& ctx) {
  return ReplyDeadlines(ctx, [](UnixMillis deadline) { return deadline; });
}

// HPERSIST key FIELDS n field ... -> for each field: -2 when it is absent, -1 without deadline, 1
// when it lost its deadline.
FaultOr<> HPersist(CommandContext& ctx) {
  HashEditor hash(ctx);
  RETURN_IF_ERROR(hash.Opened());
  const auto fields = TakeFields(ctx, 2, kFieldsNotPositive);
  if (!fields) return Ok();
  if (!hash.existed()) {
    ReplySame(ctx, fields->size(), kNoField);
    return Ok();
  }
  FieldDeadlineChange change(ctx, hash, kNoFieldDeadline);
  std::vector<int64_t> outcomes;
  outcomes.reserve(fields->size());
  for (const std::string_view name : *fields) {
    const std::optional<HashField> field = hash.Find(name);
    if (!field) {
      outcomes.push_back(kNoField);
    } else if (field->deadline == kNoFieldDeadline) {
      outcomes.push_back(kNoDeadlineThere);
    } else {
      change.Apply(name);
      outcomes.push_back(kDone);
    }
  }
  RETURN_IF_ERROR(change.Commit());
  ctx.reply.Array(outcomes.size());
  for (const int64_t outcome : outcomes) ctx.reply.Integer(outcome);
  return Ok();
}

constexpr CommandSpec Row(std::string_view name, CommandHandler handler, std::string_view summary) {
  return {.name = name,
          .handler = handler,
          .arity = AtLeast(5),
          .keys = OneKeyAt(1),
          .flags = kReadOnly | kFast,
          .acl = kAclHash,
          .group = "hash",
          .since = "7.4.0",
          .summary = summary,
          .key_access = "RO access"};
}

constexpr CommandSpec ExpireRow(std::string_view name, CommandHandler handler,
                                std::string_view summary) {
  CommandSpec row = Row(name, handler, summary);
  row.arity = AtLeast(6);
  row.flags = kWrite | kDenyOom | kFast;
  row.key_access = "RW update";
  return row;
}

constexpr CommandSpec PersistRow() {
  CommandSpec row = Row("HPERSIST", HPersist, "Takes the deadlines of fields away.");
  row.flags = kWrite | kFast;
  row.key_access = "RW update";
  return row;
}

constexpr CommandSpec kHashExpireCommands[] = {
    ExpireRow("HEXPIRE", HExpire, "Sets when fields go, in seconds from now."),
    ExpireRow("HPEXPIRE", HPExpire, "Sets when fields go, in milliseconds from now."),
    ExpireRow("HEXPIREAT", HExpireAt, "Sets when fields go, as a Unix time in seconds."),
    ExpireRow("HPEXPIREAT", HPExpireAt, "Sets when fields go, as a Unix time in milliseconds."),
    Row("HTTL", HTtl, "Returns the seconds that fields have left."),
    Row("HPTTL", HPTtl, "Returns the milliseconds that fields have left."),
    Row("HEXPIRETIME", HExpireTime, "Returns when fields go, as Unix times in seconds."),
    Row("HPEXPIRETIME", HPExpireTime, "Returns when fields go, as Unix times in milliseconds."),
    PersistRow(),
};

}  // namespace

std::span<const CommandSpec> HashExpireCommands() { return kHashExpireCommands; }

}  // namespace mikura::engine
