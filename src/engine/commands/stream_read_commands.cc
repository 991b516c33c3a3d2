// SPDX-License-Identifier: Apache-2.0
// XREAD and XREADGROUP: entries of several streams, and waiting for them.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "engine/commands/blocking.h"
#include "engine/commands/command_families.h"
#include "engine/commands/stream_reading.h"

namespace mikura::engine {
namespace {

// The words up to STREAMS, as far as they make sense: how many words an option takes.
size_t OptionWords(std::string_view word) {
  if (EqualsIgnoreCase(word, "COUNT") || EqualsIgnoreCase(word, "BLOCK")) return 2;
  if (EqualsIgnoreCase(word, "GROUP")) return 3;
  return 1;
}

// The first word behind STREAMS; 0 when there is none.
size_t FirstKeyWord(std::span<const std::string_view> args) {
  for (size_t at = 1; at < args.size(); at += OptionWords(args[at])) {
    if (EqualsIgnoreCase(args[at], "STREAMS")) return at + 1;
  }
  return 0;
}

void FindStreams(std::span<const std::string_view> args, std::vector<KeyPlace>& places) {
  const size_t first = FirstKeyWord(args);
  if (first == 0) return;
  const size_t keys = (args.size() - first) / 2;
  for (size_t i = 0; i < keys; ++i) places.push_back({static_cast<uint32_t>(first + i), 0});
}

struct ReadRequest {
  StreamReading reading;
  std::optional<UnixMillis> timeout;  // BLOCK
  std::span<const std::string_view> ids;
};

FaultOr<std::optional<ReadRequest>> Complain(CommandContext& ctx, std::string_view text) {
  ctx.reply.Error("ERR", text);
  return std::optional<ReadRequest>();
}

// Nullopt after an error reply. Errors: kSyntax, kNotAnInteger.
FaultOr<std::optional<ReadRequest>> ParseRead(CommandContext& ctx, bool is_group) {
  ReadRequest request;
  StreamReading& reading = request.reading;
  size_t at = 1;
  for (; at < ctx.args.size() && !EqualsIgnoreCase(ctx.args[at], "STREAMS");
       at += OptionWords(ctx.args[at])) {
    const std::string_view word = ctx.args[at];
    const size_t more = ctx.args.size() - at - 1;
    if (EqualsIgnoreCase(word, "BLOCK") && more > 0) {
      if (ctx.is_in_script) {
        return Complain(ctx, std::string(ctx.args[0]) +
                                 " command is not allowed with BLOCK option from scripts");
      }
      request.timeout = WaitMillis(ctx, ctx.args[at + 1]);
      if (!request.timeout) return std::optional<ReadRequest>();
    } else if (EqualsIgnoreCase(word, "COUNT") && more > 0) {
      ASSIGN_OR_RETURN(const int64_t count, ToInteger(ctx.args[at + 1]));
      reading.count = static_cast<uint64_t>(std::max<int64_t>(count, 0));
    } else if (EqualsIgnoreCase(word, "GROUP") && more > 1) {
      if (!is_group) {
        return Complain(ctx,
                        "The GROUP option is only supported by XREADGROUP. You called XREAD "
                        "instead.");
      }
      reading.is_group = true;
      reading.group = ctx.args[at + 1];
      reading.consumer = ctx.args[at + 2];
    } else if (EqualsIgnoreCase(word, "NOACK")) {
      if (!is_group) {
        return Complain(ctx,
                        "The NOACK option is only supported by XREADGROUP. You called XREAD "
                        "instead.");
      }
      reading.acknowledges_at_once = true;
    } else {
      return Fault::kSyntax;
    }
  }
  const size_t first = at + 1;
  if (first >= ctx.args.size()) return Fault::kSyntax;
  if ((ctx.args.size() - first) % 2 != 0) {
    return Complain(ctx,
                    "Unbalanced XREAD list of streams: for each stream key an ID or '$' must be "
                    "specified.");
  }
  if (is_group && !reading.is_group) return Complain(ctx, "Missing GROUP option for XREADGROUP");
  request.ids = ctx.args.subspan(first + ctx.key_list.size());
  return std::optional<ReadRequest>(std::move(request));
}

// ---- Ids. Nullopt after an error reply. Errors: kWrongType, kInvalidStreamId.

// Of XREAD: an id, "$" for what comes from now on, "+" for the last entry as well.
FaultOr<std::optional<StreamSource>> ToSource(CommandContext& ctx, const Key& key,
                                              std::string_view text) {
  using Source = std::optional<StreamSource>;
  ASSIGN_OR_RETURN(const StreamView& stream, ctx.keys.View<StreamValue>(key));
  if (text == "$") return Source({.after = stream ? stream->last_id() : StreamId()});
  if (text == "+") {
    if (!stream || stream->size() == 0) return Source(StreamSource{});
    return Source({.after = stream->At(stream->size() - 1).id().Previous().value_or(StreamId())});
  }
  if (text == ">") {
    ctx.reply.Error("ERR",
                    "The > ID can be specified only when calling XREADGROUP using the GROUP "
                    "<group> <consumer> option.");
    return Source();
  }
  ASSIGN_OR_RETURN(const StreamId id, ToStreamId(text));
  return Source({.after = id});
}

// Of XREADGROUP: ">" for what is new to the group, or an id behind which its own history begins.
FaultOr<std::optional<StreamSource>> ToGroupSource(CommandContext& ctx, const Key& key,
                                                   std::string_view text,
                                                   const StreamReading& reading) {
  using Source = std::optional<StreamSource>;
  ASSIGN_OR_RETURN(const StreamView& stream, ctx.keys.View<StreamValue>(key));
  if (!stream || stream->FindGroup(reading.group) == nullptr) {
    ctx.reply.Error("NOGROUP", fmt::format("No such key '{}' or consumer group '{}' in XREADGROUP "
                                           "with GROUP option",
                                           key.name, reading.group));
    return Source();
  }
  if (text == "$") {
    ctx.reply.Error("ERR",
                    "The $ ID is meaningless in the context of XREADGROUP: you want to read the "
                    "history of this consumer by specifying a proper ID, or use the > ID to get "
                    "new messages. The $ ID would just return an empty result set.");
    return Source();
  }
  if (text == ">") return Source({.is_new = true});
  ASSIGN_OR_RETURN(const StreamId id, ToStreamId(text));
  // The last id of all has always meant ">".
  if (id == kLastStreamId) return Source({.is_new = true});
  return Source({.after = id});
}

// ---- Waiting

struct NamedSource {
  std::string name;
  StreamSource source;
};

class ReadWait final : public BlockedCommand {
 public:
  ReadWait(StreamReading reading, std::vector<NamedSource> sources)
      : reading_(std::move(reading)), sources_(std::move(sources)) {}

  FaultOr<bool> IsReady(KeyAccess& keys, const Key& key) override;
  FaultOr<> Serve(const ServeContext& ctx, const Key& key) override;
  // A group that is gone, with its key or without, is an answer.
  bool heeds_absence() const override { return reading_.is_group; }

 private:
  // A client that waits for its group ends when that is gone: with the key, or alone.
  enum class Loss : uint8_t { kNone, kKey, kGroup };
  FaultOr<Loss> LossOf(KeyAccess& keys, const Key& key);

  const StreamReading reading_;
  const std::vector<NamedSource> sources_;
};

FaultOr<ReadWait::Loss> ReadWait::LossOf(KeyAccess& keys, const Key& key) {
  if (!reading_.is_group) return Loss::kNone;
  const store::Found found = keys.Peek(key);
  if (!found || found.entry.type() != store::ValueType::kStream) return Loss::kKey;
  ASSIGN_OR_RETURN(const StreamView& stream, keys.View<StreamValue>(key));
  return stream->FindGroup(reading_.group) == nullptr ? Loss::kGroup : Loss::kNone;
}

FaultOr<bool> ReadWait::IsReady(KeyAccess& keys, const Key& key) {
  ASSIGN_OR_RETURN(const Loss loss, LossOf(keys, key));
  if (loss != Loss::kNone) return true;
  ASSIGN_OR_RETURN(const StreamView& stream, keys.View<StreamValue>(key));
  if (!stream) return false;
  if (reading_.is_group) {
    return HasEntriesAfter(*stream, stream->FindGroup(reading_.group)->last_id());
  }
  return std::any_of(sources_.begin(), sources_.end(), [&](const NamedSource& named) {
    return named.name == key.name && HasEntriesAfter(*stream, named.source.after);
  });
}

FaultOr<> ReadWait::Serve(const ServeContext& ctx, const Key& key) {
  ASSIGN_OR_RETURN(const Loss loss, LossOf(ctx.keys, key));
  if (loss == Loss::kKey) {
    ctx.reply.Error("UNBLOCKED", "the stream key no longer exists");
    return Ok();
  }
  if (loss == Loss::kGroup) {
    ctx.reply.Error("NOGROUP", "the consumer group this client was blocked on no longer exists");
    return Ok();
  }
  StreamReader reader(ctx.keys, reading_);
  for (const NamedSource& named : sources_) {
    if (named.name != key.name || reader.has_any()) continue;
    RETURN_IF_ERROR(reader.Take(key, named.source));
  }
  return reader.Reply(ctx.reply);
}

FaultOr<> Read(CommandContext& ctx, bool is_group) {
  ASSIGN_OR_RETURN(std::optional<ReadRequest> request, ParseRead(ctx, is_group));
  if (!request) return Ok();
  std::vector<NamedSource> sources;
  for (size_t i = 0; i < ctx.key_list.size(); ++i) {
    const Key& key = ctx.key_list[i];
    ASSIGN_OR_RETURN(const std::optional<StreamSource> source,
                     is_group ? ToGroupSource(ctx, key, request->ids[i], request->reading)
                              : ToSource(ctx, key, request->ids[i]));
    if (!source) return Ok();
    sources.push_back({std::string(key.name), *source});
  }
  StreamReader reader(ctx.keys, request->reading);
  for (size_t i = 0; i < sources.size(); ++i) {
    RETURN_IF_ERROR(reader.Take(ctx.key_list[i], sources[i].source));
  }
  if (reader.has_any()) return reader.Reply(ctx.reply);
  if (!request->timeout) {
    ctx.reply.NullArray();
    return Ok();
  }
  return ServeOrWait(ctx, ctx.key_list, *request->timeout,
                     std::make_unique<ReadWait>(std::move(request->reading), std::move(sources)));
}

// XREAD [COUNT n] [BLOCK ms] STREAMS key ... id ... -> for each stream that has entries behind the
// id, its name and those; null when there are none. Cost: O(log n + what is returned).
FaultOr<> XRead(CommandContext& ctx) { return Read(ctx, false); }

// XREADGROUP GROUP group consumer [COUNT n] [BLOCK ms] [NOACK] STREAMS key ... id ...
FaultOr<> XReadGroup(CommandContext& ctx) { return Read(ctx, true); }

constexpr KeySpec kXReadKeys[] = {
    {.access = "RO access", .keyword = "STREAMS", .keyword_from = 1, .last = -1, .limit = 2}};
constexpr KeySpec kXReadGroupKeys[] = {
    {.access = "RO access", .keyword = "STREAMS", .keyword_from = 4, .last = -1, .limit = 2}};

constexpr CommandSpec kStreamReadCommands[] = {
    {.name = "XREAD",
     .handler = XRead,
     .arity = AtLeast(4),
     .flags = kReadOnly | kBlocking | kMovableKeys,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Returns entries of streams behind given ids, or waits for some.",
     .key_specs = kXReadKeys,
     .find_keys = FindStreams},
    {.name = "XREADGROUP",
     .handler = XReadGroup,
     .arity = AtLeast(7),
     .flags = kWrite | kBlocking | kMovableKeys,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Returns new entries to a consumer of a group, or what was given to it before.",
     .key_specs = kXReadGroupKeys,
     .find_keys = FindStreams},
};

}  // namespace

std::span<const CommandSpec> StreamReadCommands() { return kStreamReadCommands; }

}  // namespace mikura::engine
