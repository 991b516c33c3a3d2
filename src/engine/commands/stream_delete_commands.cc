// SPDX-License-Identifier: Apache-2.0
// XDELEX and XACKDEL: removal of entries that looks at what consumer groups still have of them.
#include <algorithm>

#include "engine/commands/command_families.h"
#include "engine/commands/stream_trim.h"

namespace mikura::engine {
namespace {

// What is answered for an id.
enum class Removal : int8_t { kAbsent = -1, kRemoved = 1, kStillNeeded = 2 };

struct RemovalRequest {
  StreamReferences references = StreamReferences::kKeep;
  std::vector<StreamId> ids;
};

// [KEEPREF | DELREF | ACKED] IDS numids id ..., in any order, from word `at` on. Nullopt after an
// error reply. Errors: kSyntax, kInvalidStreamId.
FaultOr<std::optional<RemovalRequest>> ParseRemoval(CommandContext& ctx, size_t at) {
  using Request = std::optional<RemovalRequest>;
  RemovalRequest request;
  bool has_ids = false;
  for (; at < ctx.args.size(); ++at) {
    if (const auto references = ToStreamReferences(ctx.args[at])) {
      request.references = *references;
      continue;
    }
    if (has_ids || !EqualsIgnoreCase(ctx.args[at], "IDS") || at + 1 == ctx.args.size()) {
      return Fault::kSyntax;
    }
    const std::optional<int64_t> count = ParseInt64(ctx.args[at + 1]);
    if (!count || *count <= 0) {
      ctx.reply.Error("ERR", "Number of IDs must be a positive integer");
      return Request();
    }
    const size_t left = ctx.args.size() - at - 2;
    if (static_cast<uint64_t>(*count) > left) {
      ctx.reply.Error("ERR", "The `numids` parameter must match the number of arguments");
      return Request();
    }
    const auto words = static_cast<size_t>(*count);
    ASSIGN_OR_RETURN(request.ids, ToStreamIds(ctx.args.subspan(at + 2, words)));
    has_ids = true;
    at += 1 + words;
  }
  if (!has_ids) return Fault::kSyntax;
  return Request(std::move(request));
}

// Removes entries, and keeps the answers.
class EntryRemover {
 public:
  EntryRemover(StreamValue& stream, StreamReferences references)
      : stream_(stream), references_(references) {}

  void Remove(StreamId id) {
    if (!stream_.Contains(id)) {
      answers_.push_back(Removal::kAbsent);
    } else if (references_ == StreamReferences::kAcknowledged && !IsAcknowledged(stream_, id)) {
      answers_.push_back(Removal::kStillNeeded);
    } else {
      stream_.Erase(id);
      stream_.set_max_deleted_id(std::max(stream_.max_deleted_id(), id));
      removed_.push_back(id);
      answers_.push_back(Removal::kRemoved);
    }
  }
  void Answer(Removal answer) { answers_.push_back(answer); }
  std::vector<Removal>& answers() { return answers_; }
  const std::vector<StreamId>& removed() const { return removed_; }

 private:
  StreamValue& stream_;
  const StreamReferences references_;
  std::vector<Removal> answers_;
  std::vector<StreamId> removed_;
};

void Reply(wire::RespWriter& reply, const std::vector<Removal>& answers) {
  reply.Array(answers.size());
  for (const Removal answer : answers) reply.Integer(static_cast<int64_t>(answer));
}

void ReplyAllAbsent(wire::RespWriter& reply, const RemovalRequest& request) {
  Reply(reply, std::vector<Removal>(request.ids.size(), Removal::kAbsent));
}

// Stores what was removed, and tells of it; references went before.
FaultOr<> Finish(CommandContext& ctx, const Key& key, StreamEdit& stream,
                 const EntryRemover& remover) {
  if (remover.removed().empty()) return stream.CommitUnobserved();
  RETURN_IF_ERROR(stream.Commit());
  AddIdsEffect(ctx.keys, {"XDEL", key.name}, remover.removed());
  ctx.keys.Notify(EventClass::kStream, "xdel", key);
  return Ok();
}

// XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id ... -> for each id 1, 2 when a group still
// needs it, -1 when it is absent. Cost: O(log n) for each id and group.
FaultOr<> XDelEx(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const std::optional<RemovalRequest> request, ParseRemoval(ctx, 2));
  if (!request) return Ok();
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(key));
  if (!stream.existed()) {
    ReplyAllAbsent(ctx.reply, *request);
    return Ok();
  }
  EntryRemover remover(*stream, request->references);
  for (const StreamId id : request->ids) remover.Remove(id);
  if (request->references == StreamReferences::kRemove) {
    RemoveReferences(ctx, key, *stream, request->ids);
  }
  RETURN_IF_ERROR(Finish(ctx, key, stream, remover));
  Reply(ctx.reply, remover.answers());
  return Ok();
}

// XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id ... -> for each id 1, 2 when it was
// acknowledged, but another group still needs it, -1 when it was not pending.
FaultOr<> XAckDel(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const std::optional<RemovalRequest> request, ParseRemoval(ctx, 3));
  if (!request) return Ok();
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(key));
  StreamGroup* const group = stream.existed() ? stream->FindGroup(ctx.args[2]) : nullptr;
  if (group == nullptr) {
    ReplyAllAbsent(ctx.reply, *request);
    return Ok();
  }
  EntryRemover remover(*stream, request->references);
  std::vector<StreamId> acknowledged;
  for (const StreamId id : request->ids) {
    if (!group->RemovePending(id)) {
      remover.Answer(Removal::kAbsent);
      continue;
    }
    acknowledged.push_back(id);
    remover.Remove(id);
    // Gone before: then it is gone now.
    if (remover.answers().back() == Removal::kAbsent) remover.answers().back() = Removal::kRemoved;
  }
  AddIdsEffect(ctx.keys, {"XACK", key.name, ctx.args[2]}, acknowledged);
  if (request->references == StreamReferences::kRemove) {
    RemoveReferences(ctx, key, *stream, acknowledged);
  }
  RETURN_IF_ERROR(Finish(ctx, key, stream, remover));
  Reply(ctx.reply, remover.answers());
  return Ok();
}

constexpr CommandSpec kStreamDeleteCommands[] = {
    {.name = "XDELEX",
     .handler = XDelEx,
     .arity = AtLeast(5),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclStream,
     .group = "stream",
     .since = "8.2.0",
     .summary = "Removes entries from a stream, and says what became of each.",
     .key_access = "RW delete"},
    {.name = "XACKDEL",
     .handler = XAckDel,
     .arity = AtLeast(6),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclStream,
     .group = "stream",
     .since = "8.2.0",
     .summary = "Acknowledges entries of a group, and removes them from the stream.",
     .key_access = "RW delete"},
};

}  // namespace

std::span<const CommandSpec> StreamDeleteCommands() { return kStreamDeleteCommands; }

}  // namespace mikura::engine
