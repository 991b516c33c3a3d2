// SPDX-License-Identifier: Apache-2.0
// DUMP and RESTORE: values as bytes.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/preparation.h"
#include "engine/commands/restored_form.h"
#include "engine/persistence/dump_payload.h"
#include "engine/persistence/rdb_value_writer.h"

namespace mikura::engine {
namespace {

class DumpReply final : public ReplyComputation {
 public:
  DumpReply(store::CollectionMemory& memory, const store::Found& found) : value_(memory, found) {}
  void Write(wire::RespWriter& reply) override { reply.Bulk(MakeDumpPayload(value_)); }

 private:
  const HeldValue value_;
};

std::string PayloadOf(const store::Entry& entry, collections::NodeMemory& memory) {
  if (entry.type() == store::ValueType::kString) return MakeDumpPayload(entry.value());
  if (const collections::Collection* const large = entry.collection()) {
    return MakeDumpPayload(*large);
  }
  return MakeDumpPayload(*OpenPacked(memory, entry.type(), entry.value()));
}

// DUMP key -> the value as bytes, or null. Cost: a copy of the value, which for a large one is made
// elsewhere.
FaultOr<> Dump(CommandContext& ctx) {
  constexpr size_t kBytesAtOnce = 256 << 10;
  const store::Found found = ctx.keys.Find(ctx.key_list[0]);
  if (!found) {
    ctx.reply.Null();
    return Ok();
  }
  store::CollectionMemory& memory = CollectionMemoryOf(ctx.keys);
  const collections::Collection* const large = found.entry.collection();
  const size_t bytes = large != nullptr ? large->memory_bytes() : found.entry.value().size();
  if (bytes > kBytesAtOnce && MayReplyLater(ctx)) {
    ReplyFrom(ctx, std::make_shared<DumpReply>(memory, found), bytes);
  } else {
    ctx.reply.Bulk(PayloadOf(found.entry, memory));
  }
  return Ok();
}

struct RestoreOptions {
  bool replace = false;
  std::string_view absolute;  // the word; empty: not given
  std::optional<int64_t> idle_seconds;
  std::optional<int64_t> frequency;
};

// The words behind the payload. Nullopt after an error reply.
std::optional<RestoreOptions> ParseOptions(CommandContext& ctx) {
  RestoreOptions options;
  for (size_t i = 4; i < ctx.args.size(); ++i) {
    const std::string_view word = ctx.args[i];
    const bool has_more = i + 1 < ctx.args.size();
    if (EqualsIgnoreCase(word, "REPLACE")) {
      options.replace = true;
    } else if (EqualsIgnoreCase(word, "ABSTTL")) {
      options.absolute = word;
    } else if (has_more && ((EqualsIgnoreCase(word, "IDLETIME") && !options.frequency) ||
                            (EqualsIgnoreCase(word, "FREQ") && !options.idle_seconds))) {
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
      (is_idle ? options.idle_seconds : options.frequency) = *number;
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

// As if the key had been used as the options say, where the policy tracks that; else as a new key.
void NoteUse(CommandContext& ctx, const Key& key, const RestoreOptions& options) {
  const store::AccessTracking tracking = ctx.keyspace.tracking();
  store::Found found = ctx.keys.Peek(key);
  if (!found || !found.entry.has_access()) return;
  found.entry.set_access(tracking.First(ctx.now()));
  if (tracking.is_lfu() && options.frequency) {
    found.entry.set_access(
        store::AccessTracking::WithCounter(static_cast<uint32_t>(*options.frequency), ctx.now()));
  } else if (tracking.is_lru() && options.idle_seconds) {
    // Beyond what the clock holds counts as the longest time.
    const auto seconds = static_cast<uint32_t>(
        std::min<int64_t>(*options.idle_seconds, store::AccessTracking::kIdleSecondsMax));
    found.entry.set_access(store::AccessTracking::IdleFor(seconds, ctx.now()));
  }
}

// replaces: replicas have something in the key's place.
void AddRestoreEffect(CommandContext& ctx, UnixMillis deadline, const RestoreOptions& options,
                      bool replaces) {
  const NumberText time(deadline);
  const NumberText use(options.idle_seconds ? *options.idle_seconds
                                            : options.frequency.value_or(0));
  std::vector<std::string_view> words = {"RESTORE", ctx.key_list[0].name, time, ctx.args[3]};
  if (replaces) words.emplace_back("REPLACE");
  // In the client's words, as far as there are any.
  if (deadline != 0) words.push_back(options.absolute.empty() ? "ABSTTL" : options.absolute);
  if (options.idle_seconds || options.frequency) {
    words.insert(words.end(), {options.idle_seconds ? "IDLETIME" : "FREQ", use});
  }
  ctx.keys.effects().Add(ctx.keys.database(), words);
}

// A payload's value, or what is wrong with it.
struct Restored {
  RdbValue value;
  std::string_view complaint;  // empty: nothing
};

Restored ReadPayload(std::string_view payload, collections::NodeMemory& memory,
                     const EncodingLimits& limits) {
  Restored restored;
  const auto body = CheckDumpFooter(payload);
  if (!body) {
    restored.complaint = "DUMP payload version or checksum are wrong";
    return restored;
  }
  auto value = ReadDumpPayload(*body, memory);
  if (!value.ok()) {
    restored.complaint = "Bad data format";
    return restored;
  }
  restored.value = std::move(*value);
  if (restored.value.collection != nullptr) {
    ApplyRestoredForm(*restored.value.collection, static_cast<uint8_t>((*body)[0]), limits);
  }
  return restored;
}

constexpr size_t kPayloadWord = 3;

struct PreparedRestore final : Preparation {
  using Preparation::Preparation;
  void Compute() override { restored = ReadPayload(words()[kPayloadWord], *memory, *limits); }

  collections::NodeMemory* memory = nullptr;
  const EncodingLimits* limits = nullptr;
  Restored restored;
};

// The payload's value; of no meaning when it is being read elsewhere.
Restored TakePayload(CommandContext& ctx) {
  constexpr size_t kBytesAtOnce = 128 << 10;
  collections::NodeMemory& memory = ctx.keys.node_memory();
  const EncodingLimits& limits = ctx.services.encoding_limits;
  const std::string_view payload = ctx.args[kPayloadWord];
  if (payload.size() > kBytesAtOnce) {
    const auto prepared = Prepare<PreparedRestore>(ctx, [&](PreparedRestore& next) {
      next.memory = &memory;
      next.limits = &limits;
    });
    if (ctx.outcome == RunOutcome::kPreparing) return {};
    if (prepared) return std::move(prepared->restored);
  }
  return ReadPayload(payload, memory, limits);
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
  Restored restored = TakePayload(ctx);
  if (ctx.outcome == RunOutcome::kPreparing) return Ok();
  if (!restored.complaint.empty()) {
    ctx.reply.Error("ERR", restored.complaint);
    return Ok();
  }
  UnixMillis deadline = store::kNoDeadline;
  if (ttl != 0) {
    ASSIGN_OR_RETURN(
        deadline,
        DeadlineAt(ttl, !options->absolute.empty() ? ExpireForm::kAtMillis : ExpireForm::kMillis,
                   ctx.now()));
  }
  if (deadline <= ctx.now() && ctx.keys.access().may_expire) {
    ctx.reply.Ok();
    if (!ctx.keys.Erase(key)) return Ok();
    AddEffect(ctx, {"DEL", key.name});
    ctx.keys.Notify(EventClass::kGeneric, "del", key);
    return Ok();
  }
  // An expired key lies there as long as it is not removed, on replicas too.
  KeyAccess all(ctx.keyspace, ctx.keys.effects(), ctx.keys.database(), {0, false}, ctx.keys.held());
  const bool replaces = static_cast<bool>(all.Peek(key));
  RETURN_IF_ERROR(StoreValue(ctx, key, restored.value, deadline));
  NoteUse(ctx, key, *options);
  ctx.reply.Ok();
  AddRestoreEffect(ctx, ttl == 0 ? 0 : deadline, *options, replaces);
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
