// SPDX-License-Identifier: Apache-2.0
// XINFO: what is known of streams, their groups and consumers.
#include <fmt/format.h>

#include <algorithm>

#include "engine/commands/command_families.h"
#include "engine/commands/stream_support.h"
#include "engine/commands/subcommand_help.h"

namespace mikura::engine {
namespace {

void ReplyField(wire::RespWriter& reply, std::string_view name, int64_t value) {
  reply.Bulk(name);
  reply.Integer(value);
}

void ReplyField(wire::RespWriter& reply, std::string_view name, StreamId id) {
  reply.Bulk(name);
  reply.Bulk(StreamIdText(id));
}

// The seven that both forms of XINFO STREAM begin with.
void ReplyCommonFields(wire::RespWriter& reply, const StreamValue& stream) {
  ReplyField(reply, "length", static_cast<int64_t>(stream.size()));
  ReplyField(reply, "radix-tree-keys", static_cast<int64_t>(stream.node_count()));
  ReplyField(reply, "radix-tree-nodes", static_cast<int64_t>(stream.RadixTreeNodes()));
  ReplyField(reply, "last-generated-id", stream.last_id());
  ReplyField(reply, "max-deleted-entry-id", stream.max_deleted_id());
  ReplyField(reply, "entries-added", static_cast<int64_t>(stream.entries_added()));
  ReplyField(reply, "recorded-first-entry-id", stream.first_id());
}

void ReplyEntryAt(wire::RespWriter& reply, const StreamValue& stream, uint64_t index) {
  if (stream.size() == 0) return reply.Null();
  ReplyStreamEntry(reply, stream.At(index));
}

// How many entries the group has not read yet; null when removed ones may hide it.
void ReplyLag(wire::RespWriter& reply, const StreamValue& stream, const StreamGroup& group) {
  const auto added = static_cast<int64_t>(stream.entries_added());
  if (added == 0) return reply.Integer(0);
  int64_t read = group.entries_read();
  if (read == StreamGroup::kNotKnown || MayHaveGapsFrom(stream, group.last_id())) {
    read = stream.EstimateEntriesRead(group.last_id());
  }
  if (read == StreamGroup::kNotKnown) return reply.Null();
  reply.Integer(added - read);
}

// entries-read and lag.
void ReplyProgress(wire::RespWriter& reply, const StreamValue& stream, const StreamGroup& group) {
  reply.Bulk("entries-read");
  if (group.entries_read() == StreamGroup::kNotKnown) {
    reply.Null();
  } else {
    reply.Integer(group.entries_read());
  }
  reply.Bulk("lag");
  ReplyLag(reply, stream, group);
}

// ---- FULL: with entries, and what is pending, `count_max` of each.

void ReplyPendingOfGroup(wire::RespWriter& reply, const StreamGroup& group, uint64_t count_max) {
  uint64_t count = std::min(group.pending_count(), count_max);
  reply.Array(static_cast<size_t>(count));
  for (StreamGroup::PendingCursor c(group, kFirstStreamId); count > 0; c.Next(), --count) {
    const PendingEntry entry = c.entry();
    reply.Array(4);
    reply.Bulk(StreamIdText(entry.id));
    reply.Bulk(group.ConsumerAt(entry.consumer).name);
    reply.Integer(entry.delivered_at);
    reply.Integer(static_cast<int64_t>(entry.deliveries));
  }
}

void ReplyFullConsumer(wire::RespWriter& reply, const StreamGroup& group,
                       const StreamConsumer& consumer, uint64_t count_max) {
  const uint64_t pending = group.PendingCountOf(consumer.number);
  reply.Map(4);
  reply.Bulk("name");
  reply.Bulk(consumer.name);
  ReplyField(reply, "seen-time", consumer.seen_at);
  ReplyField(reply, "pel-count", static_cast<int64_t>(pending));
  reply.Bulk("pending");
  uint64_t count = std::min(pending, count_max);
  reply.Array(static_cast<size_t>(count));
  for (StreamGroup::PendingCursor c(group, kFirstStreamId, consumer.number); count > 0;
       c.Next(), --count) {
    const PendingEntry entry = c.entry();
    reply.Array(3);
    reply.Bulk(StreamIdText(entry.id));
    reply.Integer(entry.delivered_at);
    reply.Integer(static_cast<int64_t>(entry.deliveries));
  }
}

void ReplyFullGroup(wire::RespWriter& reply, const StreamValue& stream, const StreamGroup& group,
                    uint64_t count_max) {
  reply.Map(7);
  reply.Bulk("name");
  reply.Bulk(group.name());
  ReplyField(reply, "last-delivered-id", group.last_id());
  ReplyProgress(reply, stream, group);
  ReplyField(reply, "pel-count", static_cast<int64_t>(group.pending_count()));
  reply.Bulk("pending");
  ReplyPendingOfGroup(reply, group, count_max);
  reply.Bulk("consumers");
  reply.Array(static_cast<size_t>(group.consumer_count()));
  for (uint64_t i = 0; i < group.consumer_count(); ++i) {
    ReplyFullConsumer(reply, group, group.ConsumerByRank(i), count_max);
  }
}

void ReplyFullStream(KeyAccess& keys, wire::RespWriter& reply, const StreamValue& stream,
                     uint64_t count_max) {
  reply.Map(9);
  ReplyCommonFields(reply, stream);
  reply.Bulk("entries");
  ReplyStreamRange(keys, reply, stream, 0, std::min(stream.size(), count_max));
  reply.Bulk("groups");
  reply.Array(stream.groups().size());
  for (const StreamGroup& group : stream.groups()) {
    ReplyFullGroup(reply, stream, group, count_max);
  }
}

// XINFO STREAM key [FULL [COUNT n]]. Cost: O(log n + what is returned).
FaultOr<> XInfoStream(CommandContext& ctx) {
  constexpr int64_t kCountByDefault = 10;
  ASSIGN_OR_RETURN(const StreamView& stream, ctx.keys.View<StreamValue>(ctx.key_list[0]));
  if (!stream) return Fault::kNoSuchKey;
  const size_t words = ctx.args.size();
  if (words > 3) {
    if (!EqualsIgnoreCase(ctx.args[3], "FULL") || words == 5 || words > 6 ||
        (words == 6 && !EqualsIgnoreCase(ctx.args[4], "COUNT"))) {
      ReplySubcommandSyntax(ctx);
      return Ok();
    }
    int64_t count = kCountByDefault;
    if (words == 6) {
      ASSIGN_OR_RETURN(count, ToInteger(ctx.args[5]));
      if (count < 0) count = kCountByDefault;
    }
    ReplyFullStream(ctx.keys, ctx.reply, *stream,
                    count == 0 ? StreamId::kPartMax : static_cast<uint64_t>(count));
    return Ok();
  }
  ctx.reply.Map(10);
  ReplyCommonFields(ctx.reply, *stream);
  ReplyField(ctx.reply, "groups", static_cast<int64_t>(stream->groups().size()));
  ctx.reply.Bulk("first-entry");
  ReplyEntryAt(ctx.reply, *stream, 0);
  ctx.reply.Bulk("last-entry");
  ReplyEntryAt(ctx.reply, *stream, stream->size() - 1);
  return Ok();
}

FaultOr<> XInfoGroups(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const StreamView& stream, ctx.keys.View<StreamValue>(ctx.key_list[0]));
  if (!stream) return Fault::kNoSuchKey;
  ctx.reply.Array(stream->groups().size());
  for (const StreamGroup& group : stream->groups()) {
    ctx.reply.Map(6);
    ctx.reply.Bulk("name");
    ctx.reply.Bulk(group.name());
    ReplyField(ctx.reply, "consumers", static_cast<int64_t>(group.consumer_count()));
    ReplyField(ctx.reply, "pending", static_cast<int64_t>(group.pending_count()));
    ReplyField(ctx.reply, "last-delivered-id", group.last_id());
    ReplyProgress(ctx.reply, *stream, group);
  }
  return Ok();
}

FaultOr<> XInfoConsumers(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(const StreamView& stream, ctx.keys.View<StreamValue>(key));
  if (!stream) return Fault::kNoSuchKey;
  const StreamGroup* const group = stream->FindGroup(ctx.args[3]);
  if (group == nullptr) {
    ReplyNoGroupOfKey(ctx.reply, key.name, ctx.args[3]);
    return Ok();
  }
  ctx.reply.Array(static_cast<size_t>(group->consumer_count()));
  for (uint64_t i = 0; i < group->consumer_count(); ++i) {
    const StreamConsumer consumer = group->ConsumerByRank(i);
    ctx.reply.Map(3);
    ctx.reply.Bulk("name");
    ctx.reply.Bulk(consumer.name);
    ReplyField(ctx.reply, "pending", static_cast<int64_t>(group->PendingCountOf(consumer.number)));
    ReplyField(ctx.reply, "idle", std::max<int64_t>(ctx.now() - consumer.seen_at, 0));
  }
  return Ok();
}

constexpr CommandSpec kXInfoSubcommands[] = {
    {.name = "STREAM",
     .handler = XInfoStream,
     .arity = AtLeast(3),
     .keys = OneKeyAt(2),
     .flags = kReadOnly,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Shows what is known of a stream.",
     .key_access = "RO access",
     .parent = "XINFO"},
    {.name = "GROUPS",
     .handler = XInfoGroups,
     .arity = Exactly(3),
     .keys = OneKeyAt(2),
     .flags = kReadOnly,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Shows the groups of a stream.",
     .key_access = "RO access",
     .parent = "XINFO"},
    {.name = "CONSUMERS",
     .handler = XInfoConsumers,
     .arity = Exactly(4),
     .keys = OneKeyAt(2),
     .flags = kReadOnly,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Shows the consumers of a group.",
     .tips = "nondeterministic_output",
     .key_access = "RO access",
     .parent = "XINFO"},
    {.name = "HELP",
     .handler = SubcommandHelp,
     .arity = Exactly(2),
     .flags = kLoadingOk | kStaleOk,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Lists the subcommands.",
     .parent = "XINFO"},
};

constexpr CommandSpec kStreamInfoCommands[] = {
    {.name = "XINFO",
     .arity = AtLeast(2),
     .group = "stream",
     .since = "5.0.0",
     .summary = "Shows what is known of streams.",
     .subcommands = kXInfoSubcommands},
};

}  // namespace

std::span<const CommandSpec> StreamInfoCommands() { return kStreamInfoCommands; }

}  // namespace mikura::engine
