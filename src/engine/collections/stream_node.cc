// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/stream_node.h"

#include <algorithm>

#include "base/numbers.h"
#include "engine/collections/sequence.h"

namespace mikura::engine::collections {
namespace {

// Redis allows no more, whatever the setting.
constexpr uint64_t kNodeBytesMax = 1ULL << 30;
constexpr uint64_t kListpackFrameBytes = 7;

// Bytes of a listpack's element behind which its length stands, seven bits in a byte.
uint64_t WithBackLength(uint64_t bytes) {
  uint64_t length_bytes = 1;
  for (uint64_t limit = 128; bytes >= limit && length_bytes < 5; limit <<= 7) ++length_bytes;
  return bytes + length_bytes;
}

uint64_t ListpackBytes(int64_t value) {
  const auto fits = [value](int bits) {
    const int64_t half = int64_t{1} << (bits - 1);
    return value >= -half && value < half;
  };
  if (value >= 0 && value < 128) return WithBackLength(1);
  if (fits(13)) return WithBackLength(2);
  if (fits(16)) return WithBackLength(3);
  if (fits(24)) return WithBackLength(4);
  if (fits(32)) return WithBackLength(5);
  return WithBackLength(9);
}

uint64_t ListpackBytes(std::string_view text) {
  if (text.size() <= 20) {
    const std::optional<int64_t> number = ParseInt64(text);
    if (number) return ListpackBytes(*number);
  }
  const uint64_t header = text.size() < 64 ? 1 : text.size() < 4096 ? 2 : 5;
  return WithBackLength(header + text.size());
}

uint64_t ListpackBytesOf(std::span<const std::string_view> texts, size_t first, size_t step) {
  uint64_t bytes = 0;
  for (size_t i = first; i < texts.size(); i += step) bytes += ListpackBytes(texts[i]);
  return bytes;
}

// The names among names and values by turns, as StreamNode::names has them.
std::string NamesOf(std::span<const std::string_view> fields) {
  std::string names;
  AppendVarint(names, fields.size() / 2);
  for (size_t i = 0; i < fields.size(); i += 2) AppendText(names, fields[i]);
  return names;
}

// Whether `names` are NamesOf(fields).
bool HasNames(std::string_view names, std::span<const std::string_view> fields) {
  if (TakeNumber(names) != fields.size() / 2) return false;
  for (size_t i = 0; i < fields.size(); i += 2) {
    if (TakeText(names) != fields[i]) return false;
  }
  return true;
}

}  // namespace

bool StreamNode::IsFull(uint64_t text_bytes, const StreamNodeLimits& limits) const {
  const uint64_t bytes_max =
      limits.bytes == 0 ? kNodeBytesMax : std::min(limits.bytes, kNodeBytesMax);
  const uint64_t size = kListpackFrameBytes + ListpackBytes(static_cast<int64_t>(live)) +
                        ListpackBytes(static_cast<int64_t>(total - live)) + bytes;
  if (size + text_bytes >= bytes_max) return true;
  return limits.entries > 0 && total >= limits.entries;
}

void StreamNode::AppendTo(std::string& out) const {
  AppendStreamId(out, first);
  AppendVarint(out, total);
  AppendVarint(out, live);
  AppendVarint(out, bytes);
  AppendText(out, names);
}

StreamNode StreamNode::Take(std::string_view& bytes) {
  StreamNode node;
  node.first = TakeStreamId(bytes);
  node.total = TakeNumber(bytes);
  node.live = TakeNumber(bytes);
  node.bytes = TakeNumber(bytes);
  node.names = TakeText(bytes);
  return node;
}

std::string_view StreamNode::NamesOf(std::string_view element) {
  TakeStreamId(element);
  for (int i = 0; i < 3; ++i) TakeNumber(element);
  return TakeText(element);
}

StreamEntry::StreamEntry(std::string_view element, std::string_view names) {
  id_ = TakeStreamId(element);
  // 0: the names are the node's.
  field_count_ = TakeNumber(element);
  has_names_ = field_count_ != 0;
  if (!has_names_) field_count_ = TakeNumber(names);
  names_ = names;
  texts_ = element;
}

size_t StreamElementBytesMax(std::span<const std::string_view> fields) {
  size_t bytes = sizeof(StreamId::ms) + VarintBytes(UINT64_MAX) + VarintBytes(fields.size());
  for (const std::string_view text : fields) bytes += VarintBytes(text.size()) + text.size();
  return bytes;
}

void PutStreamElement(ElementText& text, StreamId id, std::span<const std::string_view> fields,
                      bool has_names_of_node) {
  text.PutBytesOf(id.ms);
  text.PutLength(id.seq);
  text.PutLength(has_names_of_node ? 0 : fields.size() / 2);
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i % 2 == 0 && has_names_of_node) continue;
    text.PutLength(fields[i].size());
    text.Put(fields[i]);
  }
}

bool AddToStreamNode(StreamNode& node, StreamId id, std::span<const std::string_view> fields) {
  const auto fields_count = static_cast<int64_t>(fields.size() / 2);
  if (node.empty()) {
    node = {.first = id, .names = NamesOf(fields)};
    node.bytes = ListpackBytes(fields_count) + ListpackBytesOf(fields, 0, 2) + ListpackBytes(0);
  }
  const bool is_same = HasNames(node.names, fields);
  node.bytes +=
      ListpackBytes(is_same ? 2 : 0) + ListpackBytes(static_cast<int64_t>(id.ms - node.first.ms)) +
      ListpackBytes(static_cast<int64_t>(id.seq - node.first.seq)) + ListpackBytesOf(fields, 1, 2) +
      ListpackBytes(is_same ? fields_count + 3 : 2 * fields_count + 4);
  if (!is_same) node.bytes += ListpackBytes(fields_count) + ListpackBytesOf(fields, 0, 2);
  ++node.total;
  ++node.live;
  return is_same;
}

}  // namespace mikura::engine::collections
