// SPDX-License-Identifier: Apache-2.0
// XACK and XPENDING: what was delivered to consumers and not acknowledged.
#include <algorithm>

#include "engine/commands/command_families.h"
#include "engine/commands/stream_support.h"

namespace mikura::engine {
namespace {

// XACK key group id ... -> how many were pending.
FaultOr<> XAck(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(key));
  StreamGroup* const group = stream.existed() ? stream->FindGroup(ctx.args[2]) : nullptr;
  if (group == nullptr) {
    ctx.reply.Integer(0);
    return Ok();
  }
  ASSIGN_OR_RETURN(const std::vector<StreamId> ids, ToStreamIds(ctx.args.subspan(3)));
  std::vector<StreamId> removed;
  for (const StreamId id : ids) {
    if (group->RemovePending(id)) removed.push_back(id);
  }
  ctx.reply.Integer(static_cast<int64_t>(removed.size()));
  if (removed.empty()) return Ok();
  AddIdsEffect(ctx.keys, {"XACK", key.name, ctx.args[2]}, removed);
  return stream.CommitUnobserved();
}

// The words of the long form of XPENDING.
struct PendingQuery {
  int64_t idle_min = 0;
  StreamId start;
  StreamId end;
  uint64_t count = 0;
  std::optional<std::string_view> consumer;
};

// Errors: kSyntax, kNotAnInteger, kInvalidStreamId, kInvalidRangeStart, kInvalidRangeEnd.
FaultOr<PendingQuery> ParsePending(std::span<const std::string_view> args) {
  if (args.size() < 6 || args.size() > 9) return Fault::kSyntax;
  PendingQuery query;
  size_t at = 3;
  if (EqualsIgnoreCase(args[3], "IDLE")) {
    ASSIGN_OR_RETURN(query.idle_min, ToInteger(args[4]));
    if (args.size() < 8) return Fault::kSyntax;
    at = 5;
  }
  ASSIGN_OR_RETURN(const int64_t count, ToInteger(args[at + 2]));
  query.count = static_cast<uint64_t>(std::max<int64_t>(count, 0));
  ASSIGN_OR_RETURN(query.start, ToRangeStart(args[at]));
  ASSIGN_OR_RETURN(query.end, ToRangeEnd(args[at + 1]));
  if (args.size() > at + 3) query.consumer = args[at + 3];
  return query;
}

// How many are pending, between which ids, and for whom.
void ReplySummary(wire::RespWriter& reply, const StreamGroup& group) {
  reply.Array(4);
  reply.Integer(static_cast<int64_t>(group.pending_count()));
  if (group.pending_count() == 0) {
    reply.Null();
    reply.Null();
    return reply.NullArray();
  }
  reply.Bulk(StreamIdText(group.first_pending()));
  reply.Bulk(StreamIdText(group.last_pending()));
  std::vector<std::pair<std::string_view, uint64_t>> consumers;
  for (uint64_t i = 0; i < group.consumer_count(); ++i) {
    const StreamConsumer consumer = group.ConsumerByRank(i);
    const uint64_t count = group.PendingCountOf(consumer.number);
    if (count > 0) consumers.emplace_back(consumer.name, count);
  }
  reply.Array(consumers.size());
  for (const auto& [name, count] : consumers) {
    reply.Array(2);
    reply.Bulk(name);
    reply.BulkInteger(static_cast<int64_t>(count));
  }
}

std::vector<PendingEntry> FindEntries(const StreamGroup& group, const PendingQuery& query,
                                      UnixMillis now) {
  std::vector<PendingEntry> entries;
  const auto visit = [&](StreamGroup::PendingCursor cursor) {
    for (; !cursor.at_end() && entries.size() < query.count; cursor.Next()) {
      const PendingEntry entry = cursor.entry();
      if (entry.id > query.end) break;
      if (query.idle_min == 0 || now - entry.delivered_at >= query.idle_min) {
        entries.push_back(entry);
      }
    }
  };
  if (!query.consumer) {
    visit(StreamGroup::PendingCursor(group, query.start));
  } else if (const auto consumer = group.FindConsumer(*query.consumer)) {
    visit(StreamGroup::PendingCursor(group, query.start, consumer->number));
  }
  return entries;
}

// XPENDING key group [[IDLE ms] start end count [consumer]]. Cost: O(log n + entries looked at).
FaultOr<> XPending(CommandContext& ctx) {
  std::optional<PendingQuery> query;
  if (ctx.args.size() > 3) {
    ASSIGN_OR_RETURN(query, ParsePending(ctx.args));
  }
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(const StreamView& stream, ctx.keys.View<StreamValue>(key));
  const StreamGroup* const group = stream ? stream->FindGroup(ctx.args[2]) : nullptr;
  if (group == nullptr) {
    ReplyNoGroup(ctx.reply, key.name, ctx.args[2]);
    return Ok();
  }
  if (!query) {
    ReplySummary(ctx.reply, *group);
    return Ok();
  }
  const std::vector<PendingEntry> entries = FindEntries(*group, *query, ctx.now());
  ctx.reply.Array(entries.size());
  for (const PendingEntry& entry : entries) {
    ctx.reply.Array(4);
    ctx.reply.Bulk(StreamIdText(entry.id));
    ctx.reply.Bulk(group->ConsumerAt(entry.consumer).name);
    ctx.reply.Integer(std::max<int64_t>(ctx.now() - entry.delivered_at, 0));
    ctx.reply.Integer(static_cast<int64_t>(entry.deliveries));
  }
  return Ok();
}

constexpr CommandSpec kStreamPendingCommands[] = {
    {.name = "XACK",
     .handler = XAck,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Acknowledges entries that were given to consumers of a group.",
     .key_access = "RW update"},
    {.name = "XPENDING",
     .handler = XPending,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Shows which entries of a group are not acknowledged.",
     .tips = "nondeterministic_output",
     .key_access = "RO access"},
};

}  // namespace

std::span<const CommandSpec> StreamPendingCommands() { return kStreamPendingCommands; }

}  // namespace mikura::engine
