// SPDX-License-Identifier: Apache-2.0
// Commands on streams as they are: length, ranges, removal, settings.
#include <algorithm>
#include <limits>
#include <utility>

#include "engine/commands/command_families.h"
#include "engine/commands/prepared_edit.h"
#include "engine/commands/stream_support.h"

namespace mikura::engine {
namespace {

FaultOr<> XLen(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const StreamView& stream, ctx.keys.View<StreamValue>(ctx.key_list[0]));
  ctx.reply.Integer(stream ? static_cast<int64_t>(stream->size()) : 0);
  return Ok();
}

// Entries between two ids, both included, in either direction. Cost: O(log n + what is returned).
FaultOr<> Range(CommandContext& ctx, size_t start_at, size_t end_at, bool downwards) {
  ASSIGN_OR_RETURN(const StreamId start, ToRangeStart(ctx.args[start_at]));
  ASSIGN_OR_RETURN(const StreamId end, ToRangeEnd(ctx.args[end_at]));
  int64_t count = std::numeric_limits<int64_t>::max();
  for (size_t at = 4; at < ctx.args.size(); at += 2) {
    if (!EqualsIgnoreCase(ctx.args[at], "COUNT") || at + 1 == ctx.args.size()) {
      return Fault::kSyntax;
    }
    ASSIGN_OR_RETURN(const int64_t wanted, ToInteger(ctx.args[at + 1]));
    count = std::max<int64_t>(wanted, 0);
  }
  ASSIGN_OR_RETURN(const StreamView& stream, ctx.keys.View<StreamValue>(ctx.key_list[0]));
  if (!stream) {
    ctx.reply.Array(0);
  } else if (count == 0) {
    ctx.reply.NullArray();
  } else {
    const uint64_t first = stream->CountBefore(start);
    const std::optional<StreamId> after = end.Next();
    const uint64_t last = after ? stream->CountBefore(*after) : stream->size();
    const uint64_t found = std::min(last > first ? last - first : 0, static_cast<uint64_t>(count));
    ReplyStreamRange(ctx.keys, ctx.reply, *stream, downwards ? last - found : first, found,
                     downwards);
  }
  return Ok();
}

// XRANGE key start end [COUNT n], XREVRANGE key end start [COUNT n] -> ids and fields.
// Errors: kWrongType, kInvalidStreamId, kInvalidRangeStart, kInvalidRangeEnd.
FaultOr<> XRange(CommandContext& ctx) { return Range(ctx, 2, 3, false); }
FaultOr<> XRevRange(CommandContext& ctx) { return Range(ctx, 3, 2, true); }

// Those of the entries that were there.
std::vector<StreamId> EraseEntries(StreamValue& stream, const std::vector<StreamId>& ids) {
  std::vector<StreamId> removed;
  for (const StreamId id : ids) {
    if (stream.Erase(id)) removed.push_back(id);
  }
  if (removed.empty()) return removed;
  const StreamId last = *std::max_element(removed.begin(), removed.end());
  stream.set_max_deleted_id(std::max(stream.max_deleted_id(), last));
  return removed;
}

FaultOr<> FinishDeletion(CommandContext& ctx, StreamEdit& stream,
                         const std::vector<StreamId>& removed) {
  if (removed.empty()) {
    ctx.reply.Integer(0);
    return Ok();
  }
  RETURN_IF_ERROR(stream.Commit());
  AddIdsEffect(ctx.keys, {"XDEL", ctx.key_list[0].name}, removed);
  ctx.keys.Notify(EventClass::kStream, "xdel", ctx.key_list[0]);
  ctx.reply.Integer(static_cast<int64_t>(removed.size()));
  return Ok();
}

FaultOr<> DeleteMany(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const StreamView& view, ctx.keys.View<StreamValue>(ctx.key_list[0]));
  if (!view) {
    ctx.reply.Integer(0);
    return Ok();
  }
  ASSIGN_OR_RETURN(std::vector<StreamId> ids, ToStreamIds(ctx.args.subspan(2)));
  const auto change = [ids = std::move(ids)](StreamValue& stream, auto, const EncodingLimits&) {
    return EraseEntries(stream, ids);
  };
  return EditPrepared<StreamValue, std::vector<StreamId>>(ctx, change, FinishDeletion);
}

// XDEL key id ... -> how many were there.
FaultOr<> XDel(CommandContext& ctx) {
  if (HasManyWords(ctx)) [[unlikely]]
    return DeleteMany(ctx);
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(ctx.key_list[0]));
  if (!stream.existed()) {
    ctx.reply.Integer(0);
    return Ok();
  }
  ASSIGN_OR_RETURN(const std::vector<StreamId> ids, ToStreamIds(ctx.args.subspan(2)));
  return FinishDeletion(ctx, stream, EraseEntries(*stream, ids));
}

struct NewState {
  StreamId last_id;
  std::optional<uint64_t> entries_added;
  StreamId max_deleted_id;  // 0-0: stays
};

// Nullopt after an error reply.
FaultOr<std::optional<NewState>> ParseSetId(CommandContext& ctx) {
  NewState state;
  ASSIGN_OR_RETURN(state.last_id, ToStreamId(ctx.args[2]));
  for (size_t at = 3; at < ctx.args.size(); at += 2) {
    if (at + 1 == ctx.args.size()) return Fault::kSyntax;
    const std::string_view value = ctx.args[at + 1];
    if (EqualsIgnoreCase(ctx.args[at], "ENTRIESADDED")) {
      ASSIGN_OR_RETURN(const int64_t entries, ToInteger(value));
      if (entries < 0) {
        ctx.reply.Error("ERR", "entries_added must be positive");
        return std::optional<NewState>();
      }
      state.entries_added = static_cast<uint64_t>(entries);
    } else if (EqualsIgnoreCase(ctx.args[at], "MAXDELETEDID")) {
      ASSIGN_OR_RETURN(state.max_deleted_id, ToStreamId(value));
      if (state.last_id < state.max_deleted_id) {
        ctx.reply.Error("ERR",
                        "The ID specified in XSETID is smaller than the provided "
                        "max_deleted_entry_id");
        return std::optional<NewState>();
      }
    } else {
      return Fault::kSyntax;
    }
  }
  return std::optional<NewState>(state);
}

std::string_view SetIdComplaint(const StreamValue& stream, const NewState& state) {
  if (stream.size() == 0) return {};
  if (state.last_id < stream.At(stream.size() - 1).id()) {
    return "The ID specified in XSETID is smaller than the target stream top item";
  }
  if (state.entries_added && *state.entries_added < stream.size()) {
    return "The entries_added specified in XSETID is smaller than the target stream length";
  }
  return {};
}

// XSETID key last-id [ENTRIESADDED n] [MAXDELETEDID id]: what a stream knows beside its entries.
FaultOr<> XSetId(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const std::optional<NewState> state, ParseSetId(ctx));
  if (!state) return Ok();
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(key));
  if (!stream.existed()) return Fault::kNoSuchKey;
  if (const std::string_view complaint = SetIdComplaint(*stream, *state); !complaint.empty()) {
    ctx.reply.Error("ERR", complaint);
    return Ok();
  }
  stream->set_last_id(state->last_id);
  if (state->entries_added) stream->set_entries_added(*state->entries_added);
  if (!state->max_deleted_id.is_zero()) stream->set_max_deleted_id(state->max_deleted_id);
  RETURN_IF_ERROR(stream.CommitUnobserved());
  ctx.keys.effects().Add(ctx.keys.database(), ctx.args);
  ctx.keys.Notify(EventClass::kStream, "xsetid", key);
  ctx.reply.Ok();
  return Ok();
}

constexpr CommandSpec kStreamCommands[] = {
    {.name = "XLEN",
     .handler = XLen,
     .arity = Exactly(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kFast,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Returns the number of entries of a stream.",
     .key_access = "RO"},
    {.name = "XRANGE",
     .handler = XRange,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Returns entries of a stream between two ids.",
     .key_access = "RO access"},
    {.name = "XREVRANGE",
     .handler = XRevRange,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Returns entries of a stream between two ids, the last one first.",
     .key_access = "RO access"},
    {.name = "XDEL",
     .handler = XDel,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Removes entries from a stream.",
     .key_access = "RW delete"},
    {.name = "XSETID",
     .handler = XSetId,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Sets the last id of a stream, and what else it counts.",
     .key_access = "RW update"},
};

}  // namespace

std::span<const CommandSpec> StreamCommands() { return kStreamCommands; }

}  // namespace mikura::engine
