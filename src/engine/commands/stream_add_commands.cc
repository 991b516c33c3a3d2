// SPDX-License-Identifier: Apache-2.0
// Commands that add entries to streams, and trim them.
#include "engine/commands/command_families.h"
#include "engine/commands/stream_trim.h"

namespace mikura::engine {
namespace {

constexpr uint64_t kEntryBytesMax = 1ULL << 30;

// The id of a new entry as a client gives it.
struct NewId {
  enum class Given : uint8_t { kNothing, kMillis, kAll };
  Given given = Given::kNothing;
  StreamId id;
};

// "*", "ms-*", "ms-seq" or "ms".
FaultOr<NewId> ToNewId(std::string_view text) {
  if (text == "*") return NewId{};
  const bool has_millis_only = text.size() > 2 && text.ends_with("-*");
  if (has_millis_only) text.remove_suffix(2);
  if (has_millis_only && text.find('-') != std::string_view::npos) return Fault::kInvalidStreamId;
  ASSIGN_OR_RETURN(const StreamId id, ToStreamId(text));
  return NewId{has_millis_only ? NewId::Given::kMillis : NewId::Given::kAll, id};
}

// The id for a new entry behind `last`, which is not the last one of all. Nullopt when there is
// none.
std::optional<StreamId> NextId(const NewId& wanted, StreamId last, UnixMillis now) {
  StreamId id = wanted.id;
  if (wanted.given == NewId::Given::kNothing) {
    const auto ms = static_cast<uint64_t>(now);
    return ms > last.ms ? StreamId{ms, 0} : *last.Next();
  }
  if (wanted.given == NewId::Given::kMillis && id.ms == last.ms) {
    if (last.seq == StreamId::kPartMax) return std::nullopt;
    id.seq = last.seq + 1;
  }
  if (id <= last) return std::nullopt;
  return id;
}

struct AddRequest {
  NewId id;
  StreamTrimOptions trim;
  bool may_create = true;
  std::span<const std::string_view> fields;  // names and values by turns
};

// XADD's words. Nullopt after an error reply. Errors: kInvalidStreamId.
FaultOr<std::optional<AddRequest>> ParseAdd(CommandContext& ctx) {
  AddRequest request;
  StreamTrimParser parser(ctx, true);
  size_t at = 2;
  for (; at < ctx.args.size(); ++at) {
    const std::string_view word = ctx.args[at];
    if (word != "*") {
      if (EqualsIgnoreCase(word, "NOMKSTREAM")) {
        request.may_create = false;
        continue;
      }
      const std::optional<size_t> taken = parser.Take(at);
      if (!taken) return std::optional<AddRequest>();
      if (*taken > 0) {
        at += *taken - 1;
        continue;
      }
    }
    ASSIGN_OR_RETURN(request.id, ToNewId(word));
    request.fields = ctx.args.subspan(at + 1);
    break;
  }
  const std::optional<StreamTrimOptions> trim = parser.Finish();
  if (!trim) return std::optional<AddRequest>();
  request.trim = *trim;
  if (request.fields.empty() || request.fields.size() % 2 != 0) {
    ctx.reply.Error("ERR", WrongArityMessage(ctx.spec));
    return std::optional<AddRequest>();
  }
  return std::optional<AddRequest>(request);
}

// What is wrong with a request for `stream`; empty: nothing.
std::string_view Complaint(const AddRequest& request, StreamValue& stream) {
  if (stream.last_id() == kLastStreamId) {
    return "The stream has exhausted the last possible ID, unable to add more items";
  }
  uint64_t bytes = 0;
  for (const std::string_view text : request.fields) bytes += text.size();
  if (bytes > kEntryBytesMax) return "Elements are too large to be stored";
  return {};
}

void AddXAddEffect(CommandContext& ctx, const Key& key, StreamId id, const AddRequest& request,
                   const std::vector<std::string>& trim) {
  if (!ctx.keys.effects().active()) return;
  const StreamIdText id_text(id);
  std::vector<std::string_view> words = {"XADD", key.name};
  words.insert(words.end(), trim.begin(), trim.end());
  words.push_back(id_text);
  words.insert(words.end(), request.fields.begin(), request.fields.end());
  ctx.keys.effects().Add(ctx.keys.database(), words);
}

// XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [MAXLEN | MINID [= | ~] threshold [LIMIT n]]
// id | * field value [field value ...] -> the id; null when the key is absent and must not be made.
// Errors: kWrongType, kInvalidStreamId. Cost: O(log n), and one step for each entry removed.
FaultOr<> XAdd(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const std::optional<AddRequest> request, ParseAdd(ctx));
  if (!request) return Ok();
  if (request->id.given == NewId::Given::kAll && request->id.id.is_zero()) {
    ctx.reply.Error("ERR", "The ID specified in XADD must be greater than 0-0");
    return Ok();
  }
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(key));
  if (!stream.existed() && !request->may_create) {
    ctx.reply.Null();
    return Ok();
  }
  if (const std::string_view complaint = Complaint(*request, *stream); !complaint.empty()) {
    ctx.reply.Error("ERR", complaint);
    return Ok();
  }
  const std::optional<StreamId> id = NextId(request->id, stream->last_id(), ctx.now());
  if (!id) {
    ctx.reply.Error("ERR",
                    "The ID specified in XADD is equal or smaller than the target stream top item");
    return Ok();
  }
  stream->Append(*id, request->fields, NodeLimitsOf(ctx.services));
  StreamTrimmer trimmer(ctx, key, *stream, request->trim);
  const uint64_t removed = trimmer.Run();
  const std::vector<std::string> trim = trimmer.EffectWords();
  trimmer.RemoveReferences();
  RETURN_IF_ERROR(stream.Commit());
  AddXAddEffect(ctx, key, *id, *request, trim);
  trimmer.AddEffects();
  ctx.keys.Notify(EventClass::kStream, "xadd", key);
  if (removed > 0) ctx.keys.Notify(EventClass::kStream, "xtrim", key);
  ctx.reply.Bulk(StreamIdText(*id));
  return Ok();
}

// XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT n] [KEEPREF | DELREF | ACKED] -> the number of
// entries removed.
FaultOr<> XTrim(CommandContext& ctx) {
  StreamTrimParser parser(ctx, false);
  for (size_t at = 2; at < ctx.args.size();) {
    const std::optional<size_t> taken = parser.Take(at);
    if (!taken) return Ok();
    if (*taken == 0) return Fault::kSyntax;
    at += *taken;
  }
  const std::optional<StreamTrimOptions> options = parser.Finish();
  if (!options) return Ok();
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(key));
  if (!stream.existed()) {
    ctx.reply.Integer(0);
    return Ok();
  }
  StreamTrimmer trimmer(ctx, key, *stream, *options);
  const uint64_t removed = trimmer.Run();
  if (removed == 0) {
    ctx.reply.Integer(0);
    return Ok();
  }
  const std::vector<std::string> trim = trimmer.EffectWords();
  trimmer.RemoveReferences();
  RETURN_IF_ERROR(stream.Commit());
  if (!trim.empty()) AddEffect(ctx, {"XTRIM", key.name, trim[0], trim[1], trim[2]});
  trimmer.AddEffects();
  ctx.keys.Notify(EventClass::kStream, "xtrim", key);
  ctx.reply.Integer(static_cast<int64_t>(removed));
  return Ok();
}

constexpr CommandSpec kStreamAddCommands[] = {
    {.name = "XADD",
     .handler = XAdd,
     .arity = AtLeast(5),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Appends an entry to a stream.",
     .tips = "nondeterministic_output",
     .key_access = "RW update",
     .key_notes = "UPDATE instead of INSERT because of the optional trimming feature"},
    {.name = "XTRIM",
     .handler = XTrim,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kWrite,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Removes entries from the front of a stream.",
     .tips = "nondeterministic_output",
     .key_access = "RW delete"},
};

}  // namespace

std::span<const CommandSpec> StreamAddCommands() { return kStreamAddCommands; }

}  // namespace mikura::engine
