// SPDX-License-Identifier: Apache-2.0
// Commands that read or set fields and change their deadlines, or remove them: HGETEX, HSETEX,
// HGETDEL.
#include <fmt/format.h>

#include "engine/commands/command_families.h"
#include "engine/commands/hash_field_options.h"

namespace mikura::engine {
namespace {

// Values as they were before a change, which comes before the reply: it may fail.
class OldValues {
 public:
  void Add(const std::optional<HashField>& field) {
    if (field) {
      values_.emplace_back(field->value);
    } else {
      values_.emplace_back();
    }
  }
  void Reply(CommandContext& ctx) const {
    ctx.reply.Array(values_.size());
    for (const std::optional<std::string>& value : values_) {
      if (value) {
        ctx.reply.Bulk(*value);
      } else {
        ctx.reply.Null();
      }
    }
  }

 private:
  std::vector<std::optional<std::string>> values_;
};

// HGETDEL key FIELDS n field ... -> a value or null each; the fields are removed.
FaultOr<> HGetDel(CommandContext& ctx) {
  HashEditor hash(ctx);
  RETURN_IF_ERROR(hash.Opened());
  const auto fields = TakeFields(ctx, 2, kFieldsNotPositive);
  if (!fields) return Ok();
  OldValues values;
  std::vector<std::string_view> removed;
  for (const std::string_view name : *fields) {
    values.Add(hash.Find(name));
    if (hash.Erase(name)) removed.push_back(name);
  }
  LogHashDeletion(ctx, removed);
  RETURN_IF_ERROR(hash.Commit({removed.empty() ? "" : "hdel"}));
  values.Reply(ctx);
  return Ok();
}

struct GetExRequest {
  std::optional<UnixMillis> deadline;  // kNoFieldDeadline: PERSIST; none: nothing changes
  std::span<const std::string_view> fields;
};

// Empty after an error reply.
std::optional<GetExRequest> ParseGetEx(CommandContext& ctx) {
  GetExRequest request;
  size_t at = 2;
  if (EqualsIgnoreCase(ctx.args[2], "PERSIST")) {
    request.deadline = kNoFieldDeadline;
    at = 3;
  } else if (const std::optional<ExpireForm> form = ExpireFormOf(ctx.args[2])) {
    request.deadline = TakeFieldDeadline(ctx, ctx.args[3], *form);
    if (!request.deadline) return std::nullopt;
    at = 4;
  }
  const auto fields = TakeFields(ctx, at, kFieldsNotPositive);
  if (!fields) return std::nullopt;
  request.fields = *fields;
  return request;
}

// HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS n field ... -> a value or null
// each; the deadlines of the fields change.
FaultOr<> HGetEx(CommandContext& ctx) {
  HashEditor hash(ctx);
  RETURN_IF_ERROR(hash.Opened());
  const std::optional<GetExRequest> request = ParseGetEx(ctx);
  if (!request) return Ok();
  OldValues values;
  FieldDeadlineChange change(ctx, hash, request->deadline.value_or(kNoFieldDeadline));
  for (const std::string_view name : request->fields) {
    const std::optional<HashField> field = hash.Find(name);
    values.Add(field);
    if (field && request->deadline && *request->deadline != field->deadline) change.Apply(name);
  }
  RETURN_IF_ERROR(change.Commit());
  values.Reply(ctx);
  return Ok();
}

enum class Presence : uint8_t { kAny, kAbsent, kPresent };

struct SetExRequest {
  Presence key = Presence::kAny;     // NX, XX
  Presence fields = Presence::kAny;  // FNX, FXX
  UnixMillis deadline = kNoFieldDeadline;
  bool keeps_deadlines = false;
  std::span<const std::string_view> pairs;
};

class SetExParser {
 public:
  explicit SetExParser(CommandContext& ctx) : ctx_(ctx) {}

  // Empty after an error reply.
  std::optional<SetExRequest> Parse() {
    while (at_ < ctx_.args.size() && !EqualsIgnoreCase(ctx_.args[at_], "FIELDS")) {
      if (!TakeOption()) return std::nullopt;
    }
    if (at_ + 1 >= ctx_.args.size()) return Refuse("missing FIELDS argument");
    const std::optional<int64_t> count = ParseInt64(ctx_.args[at_ + 1]);
    if (!count || *count < 1) return Refuse("invalid number of fields");
    request_.pairs = ctx_.args.subspan(at_ + 2);
    if (request_.pairs.size() % 2 != 0 ||
        static_cast<uint64_t>(*count) != request_.pairs.size() / 2) {
      return Refuse(WrongArityMessage(ctx_.spec));
    }
    return request_;
  }

 private:
  std::nullopt_t Refuse(std::string_view message) {
    ctx_.reply.Error("ERR", message);
    return std::nullopt;
  }

  // Takes the words of one option; false after an error reply.
  bool TakeOption() {
    const std::string_view word = ctx_.args[at_++];
    if (EqualsIgnoreCase(word, "NX")) return TakePresence(request_.key, Presence::kAbsent);
    if (EqualsIgnoreCase(word, "XX")) return TakePresence(request_.key, Presence::kPresent);
    if (EqualsIgnoreCase(word, "FNX")) return TakePresence(request_.fields, Presence::kAbsent);
    if (EqualsIgnoreCase(word, "FXX")) return TakePresence(request_.fields, Presence::kPresent);
    const std::optional<ExpireForm> form = ExpireFormOf(word);
    const bool keeps = EqualsIgnoreCase(word, "KEEPTTL");
    if (!form && !keeps) {
      Refuse(fmt::format("unknown argument: {}", word.substr(0, 128)));
      return false;
    }
    if (has_deadline_) {
      Refuse("Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
      return false;
    }
    has_deadline_ = true;
    request_.keeps_deadlines = keeps;
    if (keeps) return true;
    if (at_ == ctx_.args.size()) {
      Refuse("missing expire time");
      return false;
    }
    const std::optional<UnixMillis> deadline = TakeFieldDeadline(ctx_, ctx_.args[at_++], *form);
    if (deadline) request_.deadline = *deadline;
    return deadline.has_value();
  }

  bool TakePresence(Presence& presence, Presence wanted) {
    if (presence != Presence::kAny) {
      Refuse(&presence == &request_.key ? "Only one of XX or NX arguments can be specified"
                                        : "Only one of FXX or FNX arguments can be specified");
      return false;
    }
    presence = wanted;
    return true;
  }

  CommandContext& ctx_;
  size_t at_ = 2;
  bool has_deadline_ = false;
  SetExRequest request_;
};

bool ConditionsHold(HashEditor& hash, const SetExRequest& request) {
  if (request.key != Presence::kAny && hash.existed() != (request.key == Presence::kPresent)) {
    return false;
  }
  bool holds = true;
  for (size_t i = 0; request.fields != Presence::kAny && i < request.pairs.size(); i += 2) {
    // All are looked at: those that are due go by the way.
    const bool exists = hash.Find(request.pairs[i]).has_value();
    holds = holds && exists == (request.fields == Presence::kPresent);
  }
  return holds;
}

// The pairs with a deadline that has passed: the fields are set, and gone at once.
FaultOr<> RemoveInstead(CommandContext& ctx, HashEditor& hash, const SetExRequest& request) {
  std::vector<std::string_view> removed;
  for (size_t i = 0; i < request.pairs.size(); i += 2) {
    if (hash.Erase(request.pairs[i])) removed.push_back(request.pairs[i]);
  }
  LogHashDeletion(ctx, removed);
  return hash.Commit({removed.empty() ? "" : "hdel"});
}

FaultOr<> SetFields(CommandContext& ctx, HashEditor& hash, const SetExRequest& request) {
  const std::string_view key = ctx.key_list[0].name;
  EffectWords values(ctx, {"HSET", key});
  std::vector<std::pair<std::string_view, UnixMillis>> kept;
  std::vector<std::string_view> names;
  for (size_t i = 0; i < request.pairs.size(); i += 2) {
    const std::string_view name = request.pairs[i];
    const std::string_view value = request.pairs[i + 1];
    const std::optional<HashField> field = hash.Find(name);
    UnixMillis deadline = request.deadline;
    if (request.keeps_deadlines && field) deadline = field->deadline;
    hash.Set(name, value, deadline);
    values.Add(name);
    values.Add(value);
    if (request.keeps_deadlines && deadline != kNoFieldDeadline) kept.emplace_back(name, deadline);
    names.push_back(name);
  }
  values.Log();
  const bool has_deadline = request.deadline != kNoFieldDeadline;
  if (has_deadline) LogFields(ctx, {"HPEXPIREAT", key, NumberText(request.deadline)}, names);
  for (const auto& [name, deadline] : kept) {
    AddEffect(ctx, {"HPEXPIREAT", key, NumberText(deadline), "FIELDS", "1", name});
  }
  return hash.Commit({"hset", has_deadline ? "hexpire" : ""});
}

// HSETEX key [NX | XX] [FNX | FXX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] FIELDS n field value
// ... -> 1 when all fields were set, 0 when a condition did not hold and none was.
FaultOr<> HSetEx(CommandContext& ctx) {
  HashEditor hash(ctx);
  RETURN_IF_ERROR(hash.Opened());
  const std::optional<SetExRequest> request = SetExParser(ctx).Parse();
  if (!request) return Ok();
  const bool holds = ConditionsHold(hash, *request);
  if (!holds) {
    RETURN_IF_ERROR(hash.Commit({}));
  } else if (FieldDeadlineChange::IsRemoval(ctx, request->deadline)) {
    RETURN_IF_ERROR(RemoveInstead(ctx, hash, *request));
  } else {
    RETURN_IF_ERROR(SetFields(ctx, hash, *request));
  }
  ctx.reply.Integer(holds ? 1 : 0);
  return Ok();
}

constexpr CommandSpec kHashGetExCommands[] = {
    {.name = "HGETDEL",
     .handler = HGetDel,
     .arity = AtLeast(5),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclHash,
     .group = "hash",
     .since = "8.0.0",
     .summary = "Returns the values of fields and removes them.",
     .key_access = "RW access delete"},
    {.name = "HGETEX",
     .handler = HGetEx,
     .arity = AtLeast(5),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclHash,
     .group = "hash",
     .since = "8.0.0",
     .summary = "Returns the values of fields and sets when they go.",
     .key_access = "RW access update"},
    {.name = "HSETEX",
     .handler = HSetEx,
     .arity = AtLeast(6),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclHash,
     .group = "hash",
     .since = "8.0.0",
     .summary = "Sets fields and when they go.",
     .key_access = "RW update"},
};

}  // namespace

std::span<const CommandSpec> HashGetExCommands() { return kHashGetExCommands; }

}  // namespace mikura::engine
