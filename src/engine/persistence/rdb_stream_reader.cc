// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/rdb_stream_reader.h"

#include <string>
#include <vector>

#include "base/numbers.h"
#include "engine/persistence/compact_lists.h"
#include "engine/persistence/rdb_format.h"
#include "engine/persistence/rdb_stream_format.h"

namespace mikura::engine {
namespace {

using collections::PendingEntry;
using collections::StreamGroup;
using collections::StreamId;
using collections::StreamNodeLimits;
using collections::StreamValue;

constexpr size_t kIdBytes = 16;
constexpr int64_t kNeverActive = -1;  // of a consumer

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

Result<StreamId> ReadRawId(RdbInput& input) {
  std::string bytes;
  RETURN_IF_ERROR(input.ReadBytes(kIdBytes, bytes));
  return StreamId{BigEndian(std::string_view(bytes).substr(0, 8)),
                  BigEndian(std::string_view(bytes).substr(8))};
}

Result<StreamId> ReadId(RdbInput& input) {
  ASSIGN_OR_RETURN(const uint64_t ms, input.ReadLength());
  ASSIGN_OR_RETURN(const uint64_t seq, input.ReadLength());
  return StreamId{ms, seq};
}

// One node: the entry it began with, whose fields others share, then the entries.
class NodeReader {
 public:
  NodeReader(RdbInput& input, StreamId first, std::string_view bytes, StreamValue& stream)
      : input_(input), reader_(CompactForm::kListpack, bytes), first_(first), stream_(stream) {}

  Status Read() {
    ASSIGN_OR_RETURN(const uint64_t live, NextNumber());
    ASSIGN_OR_RETURN(const uint64_t deleted, NextNumber());
    ASSIGN_OR_RETURN(uint64_t count, NextNumber());
    for (; count > 0; --count) {
      ASSIGN_OR_RETURN(std::string name, Next());
      names_.push_back(std::move(name));
    }
    RETURN_IF_ERROR(Next());  // zero: the end of the names
    uint64_t seen = 0;
    for (uint64_t left = live + deleted; left > 0; --left) {
      ASSIGN_OR_RETURN(const bool is_live, ReadEntry());
      seen += is_live ? 1 : 0;
    }
    if (seen != live) return input_.Malformed("a stream node with a wrong count");
    return Ok();
  }

 private:
  // Whether the entry is there still.
  Result<bool> ReadEntry() {
    ASSIGN_OR_RETURN(const uint64_t flags, NextNumber());
    ASSIGN_OR_RETURN(const uint64_t ms, NextNumber());
    ASSIGN_OR_RETURN(const uint64_t seq, NextNumber());
    uint64_t count = names_.size();
    const bool has_names = (flags & kStreamSameFields) == 0;
    if (has_names) {
      ASSIGN_OR_RETURN(count, NextNumber());
    }
    std::vector<std::string> words;
    for (uint64_t i = 0; i < count; ++i) {
      if (has_names) {
        ASSIGN_OR_RETURN(std::string name, Next());
        words.push_back(std::move(name));
      } else {
        words.push_back(names_[static_cast<size_t>(i)]);
      }
      ASSIGN_OR_RETURN(std::string value, Next());
      words.push_back(std::move(value));
    }
    RETURN_IF_ERROR(Next());  // the number of elements, for walking backwards
    if ((flags & kStreamDeleted) != 0) return false;
    // The differences are signed numbers, added as they come.
    const StreamId id{first_.ms + ms, first_.seq + seq};
    if (stream_.size() > 0 && id <= last_) return input_.Malformed("stream entries out of order");
    if (words.empty()) return input_.Malformed("a stream entry without fields");
    last_ = id;
    const std::vector<std::string_view> fields(words.begin(), words.end());
    stream_.Append(id, fields, StreamNodeLimits{});
    return true;
  }

  Result<std::string> Next() {
    std::string_view element;
    if (!reader_.Next(element)) return input_.Malformed("a stream node that ends too early");
    return std::string(element);
  }
  Result<uint64_t> NextNumber() {
    ASSIGN_OR_RETURN(const std::string text, Next());
    if (const auto number = ParseInt64(text)) return static_cast<uint64_t>(*number);
    return input_.Malformed("a stream node with a word in place of a number");
  }

  RdbInput& input_;
  CompactReader reader_;
  const StreamId first_;
  StreamValue& stream_;
  StreamId last_;
  std::vector<std::string> names_;
};

Status ReadConsumer(RdbInput& input, StreamGroup& group, uint8_t type) {
  std::string name;
  RETURN_IF_ERROR(input.ReadString(name));
  ASSIGN_OR_RETURN(const uint64_t seen, input.ReadFixed(8, true));
  const auto seen_at = static_cast<int64_t>(seen & INT64_MAX);
  int64_t active_at = seen_at;
  if (type >= kRdbTypeStream3) {
    ASSIGN_OR_RETURN(const uint64_t active, input.ReadFixed(8, true));
    active_at = active == UINT64_MAX ? kNeverActive : static_cast<int64_t>(active & INT64_MAX);
  }
  if (group.FindConsumer(name)) return input.Malformed("a group with a consumer twice");
  const uint64_t number = group.AddConsumer(name, seen_at);
  group.SetSeen(number, seen_at, active_at);
  ASSIGN_OR_RETURN(uint64_t count, input.ReadLength());
  for (; count > 0; --count) {
    ASSIGN_OR_RETURN(const StreamId id, ReadRawId(input));
    auto pending = group.FindPending(id);
    if (!pending) return input.Malformed("a consumer's pending entry that its group has not");
    pending->consumer = number;
    group.SetPending(*pending);
  }
  return Ok();
}

// Pending entries come first for all the group, then by consumer.
Status ReadGroup(RdbInput& input, StreamValue& stream, uint8_t type) {
  std::string name;
  RETURN_IF_ERROR(input.ReadString(name));
  ASSIGN_OR_RETURN(const StreamId last_id, ReadId(input));
  int64_t entries_read = stream.EstimateEntriesRead(last_id);  // for files before Redis 7
  if (type >= kRdbTypeStream2) {
    ASSIGN_OR_RETURN(const uint64_t read, input.ReadLength());
    entries_read = static_cast<int64_t>(read);
  }
  if (stream.FindGroup(name) != nullptr) return input.Malformed("a stream with a group twice");
  stream.AddGroup(name, last_id, entries_read);
  StreamGroup& group = *stream.FindGroup(name);
  // Nobody's until its consumer is read.
  const uint64_t nobody = group.AddConsumer(std::string(1, '\0') + "nobody", 0);
  ASSIGN_OR_RETURN(uint64_t pending, input.ReadLength());
  for (; pending > 0; --pending) {
    ASSIGN_OR_RETURN(const StreamId id, ReadRawId(input));
    ASSIGN_OR_RETURN(const uint64_t delivered_at, input.ReadFixed(8, true));
    ASSIGN_OR_RETURN(const uint64_t deliveries, input.ReadLength());
    if (group.FindPending(id)) return input.Malformed("a pending entry twice");
    group.SetPending({id, nobody, static_cast<int64_t>(delivered_at & INT64_MAX), deliveries});
  }
  ASSIGN_OR_RETURN(uint64_t consumers, input.ReadLength());
  for (; consumers > 0; --consumers) RETURN_IF_ERROR(ReadConsumer(input, group, type));
  if (group.PendingCountOf(nobody) != 0) return input.Malformed("a pending entry of nobody");
  group.RemoveConsumer(nobody);
  return Ok();
}

}  // namespace

Result<std::unique_ptr<StreamValue>> ReadRdbStream(RdbInput& input, collections::NodeMemory& memory,
                                                   uint8_t type) {
  auto stream = std::make_unique<StreamValue>(memory);
  ASSIGN_OR_RETURN(uint64_t nodes, input.ReadLength());
  for (; nodes > 0; --nodes) {
    std::string first;
    std::string bytes;
    RETURN_IF_ERROR(input.ReadString(first));
    if (first.size() != kIdBytes) return input.Malformed("a stream node without an id");
    RETURN_IF_ERROR(input.ReadString(bytes));
    const StreamId id{BigEndian(std::string_view(first).substr(0, 8)),
                      BigEndian(std::string_view(first).substr(8))};
    if (stream->size() > 0 && id <= stream->last_id()) {
      return input.Malformed("stream nodes out of order");
    }
    RETURN_IF_ERROR(NodeReader(input, id, bytes, *stream).Read());
  }
  ASSIGN_OR_RETURN(const uint64_t length, input.ReadLength());
  if (length != stream->size()) return input.Malformed("a stream with a wrong length");
  ASSIGN_OR_RETURN(const StreamId last_id, ReadId(input));
  if (stream->size() > 0 && last_id < stream->last_id()) {
    return input.Malformed("a stream whose last id is before its last entry");
  }
  stream->set_last_id(last_id);
  stream->set_entries_added(length);
  if (type >= kRdbTypeStream2) {
    RETURN_IF_ERROR(ReadId(input));  // the first id: follows from the entries
    ASSIGN_OR_RETURN(const StreamId max_deleted, ReadId(input));
    ASSIGN_OR_RETURN(const uint64_t added, input.ReadLength());
    stream->set_max_deleted_id(max_deleted);
    stream->set_entries_added(added);
  }
  ASSIGN_OR_RETURN(uint64_t groups, input.ReadLength());
  for (; groups > 0; --groups) RETURN_IF_ERROR(ReadGroup(input, *stream, type));
  return stream;
}

}  // namespace mikura::engine
