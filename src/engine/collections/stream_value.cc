// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/stream_value.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"

namespace mikura::engine::collections {
namespace {

// Of a packed stream but for the names of its node: eleven numbers.
constexpr size_t kHeaderBytesMax = 128;

void AppendId(std::string& out, StreamId id) {
  AppendVarint(out, id.ms);
  AppendVarint(out, id.seq);
}

StreamId TakeId(std::string_view& bytes) {
  StreamId id;
  id.ms = TakeNumber(bytes);
  id.seq = TakeNumber(bytes);
  return id;
}

constexpr int kIdBytes = 16;

// A byte of the id in its form that orders as it does.
int ByteOf(StreamId id, int index) {
  const uint64_t part = index < 8 ? id.ms : id.seq;
  return static_cast<int>(part >> (8 * (7 - index % 8)) & 0xFF);
}

// Nodes of a radix tree below a node for ids that have the first `depth` bytes in common.
uint64_t RadixTreeNodesOf(std::span<const StreamId> ids, int depth) {
  int common = depth;
  while (common < kIdBytes && ByteOf(ids.front(), common) == ByteOf(ids.back(), common)) ++common;
  const uint64_t nodes = (common > depth ? 1 : 0) + 1;  // the bytes in common; the end or a branch
  if (common == kIdBytes) return nodes;
  uint64_t below = 0;
  for (size_t begin = 0; begin < ids.size();) {
    size_t end = begin + 1;
    while (end < ids.size() && ByteOf(ids[end], common) == ByteOf(ids[begin], common)) ++end;
    below += RadixTreeNodesOf(ids.subspan(begin, end - begin), common + 1);
    begin = end;
  }
  return nodes + below;
}

}  // namespace

StreamValue::StreamValue(NodeMemory& memory)
    : entries_(memory, StreamIdOrder), nodes_(memory, StreamIdOrder) {}

StreamValue::StreamValue(NodeMemory& memory, std::string_view packed) : StreamValue(memory) {
  const uint64_t count = TakeNumber(packed);
  last_id_ = TakeId(packed);
  max_deleted_id_ = TakeId(packed);
  entries_added_ = TakeNumber(packed);
  if (count > 0) last_node_ = StreamNode::Take(packed);
  entries_ = Sequence(memory, StreamIdOrder, packed, count);
}

void StreamValue::AppendPacked(std::string& out) const {
  DCHECK(nodes_.empty() && groups_.empty());  // S4
  out.reserve(out.size() + kHeaderBytesMax + last_node_.names.size() + entries_.packed().size());
  AppendHeader(out);
  out.append(entries_.packed());
}

std::optional<PackedSplice> StreamValue::Splice(std::string& header) const {
  if (!is_packed() || !nodes_.empty() || !groups_.empty()) return std::nullopt;
  AppendHeader(header);
  return entries_.splice();
}

// What stands in front of the entries of a packed stream.
void StreamValue::AppendHeader(std::string& out) const {
  AppendVarint(out, size());
  AppendId(out, last_id_);
  AppendId(out, max_deleted_id_);
  AppendVarint(out, entries_added_);
  if (!last_node_.empty()) last_node_.AppendTo(out);
}

void StreamValue::Prefetch() const {
  entries_.PrefetchRecent();
  __builtin_prefetch(&last_node_);
  __builtin_prefetch(&last_id_);
  __builtin_prefetch(&groups_);
}

size_t StreamValue::memory_bytes() const {
  size_t bytes = sizeof(StreamValue) + entries_.memory_bytes() + nodes_.memory_bytes() +
                 last_node_.names.capacity();
  for (const StreamGroup& group : groups_) bytes += group.memory_bytes();
  return bytes;
}

// ---- Entries

void StreamValue::Append(StreamId id, std::span<const std::string_view> fields,
                         const StreamNodeLimits& limits) {
  DCHECK(id > last_id_);
  uint64_t text_bytes = 0;
  for (const std::string_view text : fields) text_bytes += text.size();
  if (!last_node_.empty() && last_node_.IsFull(text_bytes, limits)) {
    entries_.Unpack();  // S4
    std::string element;
    last_node_.AppendTo(element);
    nodes_.Append(element);
    last_node_ = {};
  }
  const bool has_names_of_node = AddToStreamNode(last_node_, id, fields);
  ElementText element(StreamElementBytesMax(fields));
  PutStreamElement(element, id, fields, has_names_of_node);
  entries_.Append(element.view());
  if (entries_.is_overfull()) entries_.Unpack();
  last_id_ = id;
  ++entries_added_;
}

uint64_t StreamValue::CountBefore(StreamId id) const {
  if (!is_packed()) {
    return entries_.tree().LowerBound(
        id.ms, [id](std::string_view element) { return StreamIdOf(element).seq < id.seq; });
  }
  if (id > last_id_) return size();
  uint64_t count = 0;
  for (Sequence::Cursor c(entries_, 0); !c.at_end() && StreamIdOf(c.element()) < id; c.Next()) {
    ++count;
  }
  return count;
}

bool StreamValue::Contains(StreamId id) const {
  const uint64_t index = CountBefore(id);
  return index < size() && StreamIdOf(entries_.At(index)) == id;
}

StreamEntry StreamValue::EntryOf(std::string_view element) const {
  const StreamId id = StreamIdOf(element);
  if (nodes_.empty() || id >= last_node_.first) return StreamEntry(element, last_node_.names);
  return StreamEntry(element, StreamNode::NamesOf(nodes_.At(NodePlace(id))));
}

bool StreamValue::Erase(StreamId id) {
  const uint64_t index = CountBefore(id);
  if (index == size() || StreamIdOf(entries_.At(index)) != id) return false;
  entries_.Erase(index);
  const uint64_t place = NodePlace(id);
  StreamNode node = NodeAt(place);
  --node.live;
  SetNode(place, std::move(node));
  return true;
}

uint64_t StreamValue::CountToTrim(const StreamTrim& trim) const {
  if (trim.by == StreamTrim::By::kNothing) return 0;
  const uint64_t wanted = trim.by == StreamTrim::By::kId ? CountBefore(trim.id_min)
                          : size() > trim.length_max     ? size() - trim.length_max
                                                         : 0;
  if (!trim.is_approximate) return wanted;
  uint64_t count = 0;
  for (uint64_t place = 0; place < node_count() && count < wanted; ++place) {
    const uint64_t live = NodeAt(place).live;
    if (count + live > wanted) break;
    if (trim.limit > 0 && count + live > trim.limit) break;
    count += live;
  }
  return count;
}

void StreamValue::EraseFront(uint64_t count) {
  DCHECK(count <= size());
  entries_.Erase(0, count);
  uint64_t whole = 0;
  for (; whole < nodes_.size(); ++whole) {
    const uint64_t live = StreamNode::Of(nodes_.At(whole)).live;
    if (live > count) break;
    count -= live;
  }
  nodes_.Erase(0, whole);
  if (count == 0) return;
  StreamNode node = NodeAt(0);
  node.live -= count;
  SetNode(0, std::move(node));
}

// ---- Nodes

StreamNode StreamValue::NodeAt(uint64_t index) const {
  return index < nodes_.size() ? StreamNode::Of(nodes_.At(index)) : last_node_;
}

StreamValue::Cursor::Cursor(const StreamValue& stream, uint64_t index, bool downwards)
    : stream_(&stream),
      downwards_(downwards),
      element_(stream.entries_, index),
      at_(index),
      place_(stream.NodePlace(StreamIdOf(element_.element()))),
      node_(stream.NodeAt(place_)),
      node_begin_(stream.CountBefore(node_.first)) {}

void StreamValue::Cursor::Next() {
  if (downwards_) {
    element_.Previous();
    if (at_-- == node_begin_) {
      node_ = stream_->NodeAt(--place_);
      node_begin_ -= node_.live;
    }
  } else {
    element_.Next();
    if (++at_ == node_begin_ + node_.live) {
      node_begin_ = at_;
      node_ = stream_->NodeAt(++place_);
    }
  }
}

uint64_t StreamValue::NodePlace(StreamId id) const {
  if (id >= last_node_.first) return nodes_.size();
  const uint64_t after = nodes_.LowerBound(
      id.ms, [id](std::string_view element) { return StreamIdOf(element).seq <= id.seq; });
  DCHECK(after > 0);
  return after - 1;
}

void StreamValue::SetNode(uint64_t place, StreamNode node) {
  if (node.empty()) return RemoveNode(place);
  if (place == nodes_.size()) {
    last_node_ = std::move(node);
    return;
  }
  std::string element;
  node.AppendTo(element);
  nodes_.Replace(place, element);
}

void StreamValue::RemoveNode(uint64_t place) {
  if (place < nodes_.size()) return nodes_.Erase(place);
  last_node_ = {};
  if (nodes_.empty()) return;
  last_node_ = StreamNode::Of(nodes_.At(nodes_.size() - 1));
  nodes_.Erase(nodes_.size() - 1);
}

uint64_t StreamValue::RadixTreeNodes() const {
  constexpr size_t kCountedMax = 2048;
  const uint64_t keys = node_count();
  if (keys == 0) return 1;
  std::vector<StreamId> ids;
  for (ElementTree::Cursor c(nodes_, 0); !c.at_end() && ids.size() < kCountedMax; c.Next()) {
    ids.push_back(StreamIdOf(c.element()));
  }
  if (ids.size() < keys) ids.push_back(last_node_.first);
  return RadixTreeNodesOf(ids, 0) * keys / ids.size();
}

// ---- Groups

size_t StreamValue::GroupPlace(std::string_view name) const {
  const auto place = std::lower_bound(
      groups_.begin(), groups_.end(), name,
      [](const StreamGroup& group, std::string_view n) { return group.name() < n; });
  return static_cast<size_t>(place - groups_.begin());
}

const StreamGroup* StreamValue::FindGroup(std::string_view name) const {
  const size_t place = GroupPlace(name);
  if (place == groups_.size() || groups_[place].name() != name) return nullptr;
  return &groups_[place];
}

StreamGroup* StreamValue::FindGroup(std::string_view name) {
  return const_cast<StreamGroup*>(std::as_const(*this).FindGroup(name));
}

void StreamValue::AddGroup(std::string_view name, StreamId last_id, int64_t entries_read) {
  entries_.Unpack();  // S4
  groups_.emplace(groups_.begin() + static_cast<ptrdiff_t>(GroupPlace(name)), entries_.memory(),
                  name, last_id, entries_read);
}

bool StreamValue::RemoveGroup(std::string_view name) {
  if (FindGroup(name) == nullptr) return false;
  groups_.erase(groups_.begin() + static_cast<ptrdiff_t>(GroupPlace(name)));
  return true;
}

// ---- Checks

int64_t StreamValue::EstimateEntriesRead(StreamId id) const {
  const auto added = static_cast<int64_t>(entries_added_);
  const auto length = static_cast<int64_t>(size());
  if (added == 0) return 0;
  if (length == 0 && id <= last_id_) return added;
  if (id == last_id_) return added;
  if (id > last_id_) return StreamGroup::kNotKnown;
  const StreamId first = first_id();
  if (max_deleted_id_.is_zero() || max_deleted_id_ < first) {
    if (id < first) return added - length;
    if (id == first) return added - length + 1;
  }
  return StreamGroup::kNotKnown;
}

void StreamValue::CheckInvariants() const {
  if (!is_packed()) entries_.tree().CheckInvariants();
  nodes_.CheckInvariants();
  CHECK(!is_packed() || (nodes_.empty() && groups_.empty()));  // S4
  CHECK(last_node_.empty() == (size() == 0));                  // S2
  uint64_t seen = 0;
  std::optional<StreamId> last;
  for (uint64_t place = 0; place < node_count(); ++place) {
    const StreamNode node = NodeAt(place);
    const bool is_last = place + 1 == node_count();
    CHECK(!node.empty() && node.live <= node.total);  // S2
    for (uint64_t i = 0; i < node.live; ++i, ++seen) {
      CHECK(seen < size());
      const StreamId id = StreamIdOf(entries_.At(seen));
      CHECK((!last || *last < id) && id <= last_id_);     // S1
      CHECK(id >= node.first && NodePlace(id) == place);  // S2
      CHECK(is_last || id < NodeAt(place + 1).first);     // S2
      last = id;
    }
  }
  CHECK(seen == size());  // S2
  for (size_t i = 0; i < groups_.size(); ++i) {
    CHECK(i == 0 || groups_[i - 1].name() < groups_[i].name());  // S3
    groups_[i].CheckInvariants();
  }
}

}  // namespace mikura::engine::collections
