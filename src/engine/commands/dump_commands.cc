// SPDX-License-Identifier: Apache-2.0
// DUMP and RESTORE: values as bytes.
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/restored_form.h"
#include "engine/persistence/dump_payload.h"
#include "engine/persistence/rdb_value_writer.h"

namespace mikura::engine {
namespace {

FaultOr<> Dump(CommandContext& ctx) {
  const store::Found found = ctx.keys.Find(ctx.key_list[0]);
  if (!found) {
    ctx.reply.Null();
  } else {
    ctx.reply.Bulk(MakeDumpPayload(found.entry, ctx.keys.node_memory()));
  }
  return Ok();
}

struct RestoreOptions {
  bool replace = false;
  bool is_absolute = false;
};

// The words behind the payload. Nullopt after an error reply. Idle time and frequency are checked,
// and then count for nothing: the key was used now.
std::optional<RestoreOptions> ParseOptions(CommandContext& ctx) {
  RestoreOptions options;
  for (size_t i = 4; i < ctx.args.size(); ++i) {
    const std::string_view word = ctx.args[i];
    const bool has_more = i + 1 < ctx.args.size();
    if (EqualsIgnoreCase(word, "REPLACE")) {
      options.replace = true;
    } else if (EqualsIgnoreCase(word, "ABSTTL")) {
      options.is_absolute = true;
    } else if (has_more && (EqualsIgnoreCase(word, "IDLETIME") || EqualsIgnoreCase(word, "FREQ"))) {
      const bool is_idle = EqualsIgnoreCase(word, "IDLETIME");
      const std::optional<int64_t> number = ParseInt64(ctx.args[++i]);
      if (!number) {
        ctx.reply.Error("ERR", "value is not an integer or out of range");
        return std::nullopt;
      }
      if (*number < 0 || (!is_idle && *number > 255)) {
        ctx.reply.Error("ERR", is_idle ? "Invalid IDLETIME value, must be >= 0"
                                       : "Invalid FREQ value, must be >= 0 and <= 255");
        return std::nullopt;
      }
    } else {
      ctx.reply.Error("ERR", "syntax error");
      return std::nullopt;
    }
  }
  return options;
}

FaultOr<> StoreValue(CommandContext& ctx, const Key& key, RdbValue& value, UnixMillis deadline) {
  if (value.collection != nullptr) {
    std::optional<std::string> packed(std::in_place);
    if (!AppendIfPacked(*value.collection, *packed)) packed.reset();
    return ctx.keys.StoreAnyCollection(key, *value.collection, packed, deadline);
  }
  store::Attributes attributes;
  attributes.deadline = deadline;
  RETURN_IF_ERROR(ctx.keys.SetString(key, value.text, attributes));
  return Ok();
}

// RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]
FaultOr<> Restore(CommandContext& ctx) {
  const auto options = ParseOptions(ctx);
  if (!options) return Ok();
  const Key& key = ctx.key_list[0];
  const bool exists = static_cast<bool>(ctx.keys.Peek(key));
  if (exists && !options->replace) {
    ctx.reply.Error("BUSYKEY", "Target key name already exists.");
    return Ok();
  }
  ASSIGN_OR_RETURN(const int64_t ttl, ToInteger(ctx.args[2]));
  if (ttl < 0) {
    ctx.reply.Error("ERR", "Invalid TTL value, must be >= 0");
    return Ok();
  }
  const auto body = CheckDumpFooter(ctx.args[3]);
  if (!body) {
    ctx.reply.Error("ERR", "DUMP payload version or checksum are wrong");
    return Ok();
  }
  auto value = ReadDumpPayload(*body, ctx.keys.node_memory());
  if (!value.ok()) {
    ctx.reply.Error("ERR", "Bad data format");
    return Ok();
  }
  if (value->collection != nullptr) {
    ApplyRestoredForm(*value->collection, static_cast<uint8_t>((*body)[0]),
                      ctx.services.encoding_limits);
  }
  UnixMillis deadline = store::kNoDeadline;
  if (ttl != 0) {
    ASSIGN_OR_RETURN(
        deadline,
        DeadlineAt(ttl, options->is_absolute ? ExpireForm::kAtMillis : ExpireForm::kMillis,
                   ctx.now()));
  }
  if (deadline <= ctx.now() && ctx.keys.access().may_expire) {
    ctx.reply.Ok();
    if (!ctx.keys.Erase(key)) return Ok();
    AddEffect(ctx, {"DEL", key.name});
    ctx.keys.Notify(EventClass::kGeneric, "del", key);
    return Ok();
  }
  RETURN_IF_ERROR(StoreValue(ctx, key, *value, deadline));
  ctx.reply.Ok();
  AddEffect(ctx, {"RESTORE", key.name, ttl == 0 ? std::string_view("0") : NumberText(deadline),
                  ctx.args[3], "REPLACE", "ABSTTL"});
  ctx.keys.Notify(EventClass::kGeneric, "restore", key);
  return Ok();
}

constexpr CommandSpec kCommands[] = {
    {.name = "DUMP",
     .handler = Dump,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "2.6.0",
     .summary = "Returns a value as bytes for RESTORE.",
     .tips = "nondeterministic_output",
     .key_access = "RO access"},
    {.name = "RESTORE",
     .handler = Restore,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "generic",
     .since = "2.6.0",
     .summary = "Creates a key from the bytes of DUMP.",
     .key_access = "OW update"},
};

}  // namespace

std::span<const CommandSpec> DumpCommands() { return kCommands; }

}  // namespace mikura::engine
