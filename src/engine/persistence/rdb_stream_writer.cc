// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/rdb_stream_writer.h"

#include <vector>

#include "engine/persistence/compact_lists.h"
#include "engine/persistence/rdb_output.h"
#include "engine/persistence/rdb_stream_format.h"

namespace mikura::engine {
namespace {

using collections::PendingEntry;
using collections::StreamConsumer;
using collections::StreamEntry;
using collections::StreamGroup;
using collections::StreamId;
using collections::StreamValue;

constexpr uint64_t kNodeEntries = 100;

using Words = std::vector<std::string_view>;

void AppendRawId(std::string& out, StreamId id) {
  AppendRdbBigEndian(out, id.ms, 8);
  AppendRdbBigEndian(out, id.seq, 8);
}

void AppendId(std::string& out, StreamId id) {
  AppendRdbLength(out, id.ms);
  AppendRdbLength(out, id.seq);
}

Words NamesOf(const StreamEntry& entry) {
  Words names;
  entry.VisitFields([&](std::string_view name, std::string_view) { names.push_back(name); });
  return names;
}

void AddEntry(ListpackWriter& node, const StreamEntry& entry, StreamId first, const Words& names) {
  const uint32_t before = node.count();
  const bool same = NamesOf(entry) == names;
  node.AddInteger(static_cast<int64_t>(same ? kStreamSameFields : 0));
  node.AddInteger(static_cast<int64_t>(entry.id().ms - first.ms));
  node.AddInteger(static_cast<int64_t>(entry.id().seq - first.seq));
  if (!same) node.AddInteger(static_cast<int64_t>(entry.field_count()));
  entry.VisitFields([&](std::string_view name, std::string_view value) {
    if (!same) node.AddString(name);
    node.AddString(value);
  });
  node.AddInteger(node.count() - before);
}

// The node that begins at entry `index` with `count` entries.
std::string MakeNode(const StreamValue& stream, uint64_t index, uint64_t count) {
  ListpackWriter node;
  const StreamEntry first = stream.At(index);
  const Words names = NamesOf(first);
  node.AddInteger(static_cast<int64_t>(count));
  node.AddInteger(0);  // deleted ones
  node.AddInteger(static_cast<int64_t>(names.size()));
  for (const std::string_view name : names) node.AddString(name);
  node.AddInteger(0);
  stream.VisitRange(index, count, false, [&](const StreamEntry& entry) {
    AddEntry(node, entry, first.id(), names);
    return true;
  });
  return node.Finish();
}

void AppendConsumer(std::string& out, const StreamGroup& group, const StreamConsumer& consumer) {
  AppendRdbText(out, consumer.name);
  AppendRdbFixed(out, consumer.seen_at);
  AppendRdbLength(out, group.PendingCountOf(consumer.number));
  for (StreamGroup::PendingCursor c(group, StreamId(), consumer.number); !c.at_end(); c.Next()) {
    AppendRawId(out, c.entry().id);
  }
}

void AppendGroup(std::string& out, const StreamGroup& group) {
  AppendRdbText(out, group.name());
  AppendId(out, group.last_id());
  AppendRdbLength(out, static_cast<uint64_t>(group.entries_read()));
  AppendRdbLength(out, group.pending_count());
  for (StreamGroup::PendingCursor c(group, StreamId()); !c.at_end(); c.Next()) {
    const PendingEntry entry = c.entry();
    AppendRawId(out, entry.id);
    AppendRdbFixed(out, entry.delivered_at);
    AppendRdbLength(out, entry.deliveries);
  }
  AppendRdbLength(out, group.consumer_count());
  for (uint64_t i = 0; i < group.consumer_count(); ++i) {
    AppendConsumer(out, group, group.ConsumerByRank(i));
  }
}

}  // namespace

Status AppendRdbStream(std::string& out, const StreamValue& stream, const RdbFlush& flush,
                       RdbPlainTexts* texts) {
  AppendRdbLength(out, (stream.size() + kNodeEntries - 1) / kNodeEntries);
  for (uint64_t i = 0; i < stream.size(); i += kNodeEntries) {
    std::string id;
    AppendRawId(id, stream.At(i).id());
    AppendRdbText(out, id);
    AppendRdbText(out, MakeNode(stream, i, std::min(kNodeEntries, stream.size() - i)), texts);
    RETURN_IF_ERROR(flush(out));
  }
  AppendRdbLength(out, stream.size());
  AppendId(out, stream.last_id());
  AppendId(out, stream.first_id());
  AppendId(out, stream.max_deleted_id());
  AppendRdbLength(out, stream.entries_added());
  AppendRdbLength(out, stream.groups().size());
  for (const StreamGroup& group : stream.groups()) {
    AppendGroup(out, group);
    RETURN_IF_ERROR(flush(out));
  }
  return Ok();
}

}  // namespace mikura::engine
