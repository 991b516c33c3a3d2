// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/stream_commands_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/keyspace/effects.h"
#include "engine/persistence/dump_payload.h"
#include "engine/persistence/entry_commands.h"

namespace mikura::engine {
namespace {

using collections::PendingEntry;
using collections::StreamConsumer;
using collections::StreamEntry;
using collections::StreamGroup;
using collections::StreamId;
using collections::StreamValue;

std::string TextOf(StreamId id) { return fmt::format("{}-{}", id.ms, id.seq); }

bool HasDeletedPending(const StreamValue& stream) {
  return std::any_of(stream.groups().begin(), stream.groups().end(), [&](const StreamGroup& group) {
    for (StreamGroup::PendingCursor c(group, StreamId()); !c.at_end(); c.Next()) {
      if (!stream.Contains(c.entry().id)) return true;
    }
    return false;
  });
}

Status AppendEntries(std::string& out, std::string_view key, const StreamValue& stream,
                     const RdbFlush& flush) {
  Status status;
  stream.VisitRange(0, stream.size(), false, [&](const StreamEntry& entry) {
    AppendCommandHeader(out, 3 + 2 * entry.field_count());
    AppendCommandWord(out, "XADD");
    AppendCommandWord(out, key);
    AppendCommandWord(out, TextOf(entry.id()));
    entry.VisitFields([&](std::string_view name, std::string_view value) {
      AppendCommandWord(out, name);
      AppendCommandWord(out, value);
    });
    status = FlushWhenLarge(out, flush);
    return status.ok();
  });
  return status;
}

// A stream without entries: that of a group which goes again.
void AppendEmptyStream(std::string& out, std::string_view key) {
  AppendWords(out, {"XGROUP", "CREATE", key, "x", "0-0", "MKSTREAM"});
  AppendWords(out, {"XGROUP", "DESTROY", key, "x"});
}

void AppendPending(std::string& out, std::string_view key, const StreamGroup& group,
                   const StreamConsumer& consumer, const PendingEntry& entry) {
  AppendWords(out, {"XCLAIM", key, group.name(), consumer.name, "0", TextOf(entry.id), "TIME",
                    std::to_string(entry.delivered_at), "RETRYCOUNT",
                    std::to_string(entry.deliveries), "JUSTID", "FORCE"});
}

Status AppendGroup(std::string& out, std::string_view key, const StreamGroup& group,
                   const RdbFlush& flush) {
  AppendWords(out, {"XGROUP", "CREATE", key, group.name(), TextOf(group.last_id()), "ENTRIESREAD",
                    std::to_string(group.entries_read())});
  for (uint64_t i = 0; i < group.consumer_count(); ++i) {
    const StreamConsumer consumer = group.ConsumerByRank(i);
    AppendWords(out, {"XGROUP", "CREATECONSUMER", key, group.name(), consumer.name});
    for (StreamGroup::PendingCursor c(group, StreamId(), consumer.number); !c.at_end(); c.Next()) {
      AppendPending(out, key, group, consumer, c.entry());
      RETURN_IF_ERROR(FlushWhenLarge(out, flush));
    }
  }
  return FlushWhenLarge(out, flush);
}

}  // namespace

Status AppendStreamCommands(std::string& out, std::string_view key, const StreamValue& stream,
                            const RdbFlush& flush) {
  if (HasDeletedPending(stream)) {
    AppendWords(out, {"RESTORE", key, "0", MakeDumpPayload(stream)});
    return Ok();
  }
  if (stream.size() == 0) AppendEmptyStream(out, key);
  RETURN_IF_ERROR(AppendEntries(out, key, stream, flush));
  AppendWords(out, {"XSETID", key, TextOf(stream.last_id()), "ENTRIESADDED",
                    std::to_string(stream.entries_added()), "MAXDELETEDID",
                    TextOf(stream.max_deleted_id())});
  for (const StreamGroup& group : stream.groups()) {
    RETURN_IF_ERROR(AppendGroup(out, key, group, flush));
  }
  return Ok();
}

}  // namespace mikura::engine
