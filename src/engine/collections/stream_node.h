// SPDX-License-Identifier: Apache-2.0
// Nodes of a stream: runs of neighbouring entries. Entries leave the field names out where they
// are those of their node; and approximate trimming (MAXLEN ~) removes whole nodes. Nodes begin and
// end where Redis' do: for that the size is kept that theirs would have.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/collections/element_text.h"
#include "engine/collections/stream_id.h"

namespace mikura::engine::collections {

// stream-node-max-bytes and stream-node-max-entries; 0: no limit.
struct StreamNodeLimits {
  uint64_t bytes = 4096;
  uint64_t entries = 100;
};

struct StreamNode {
  StreamId first;      // of the entry it began with, also when that is gone
  uint64_t total = 0;  // entries, those that are gone included
  uint64_t live = 0;   // without those
  uint64_t bytes = 0;  // of a listpack with them, without its two counts
  std::string names;   // of the first entry's fields: a varint of their number, and texts

  bool empty() const { return live == 0; }
  // Whether it has no room for one entry more, with `text_bytes` of names and values.
  bool IsFull(uint64_t text_bytes, const StreamNodeLimits& limits) const;

  void AppendTo(std::string& out) const;
  static StreamNode Take(std::string_view& bytes);
  static StreamNode Of(std::string_view element) { return Take(element); }
  // Of an element that holds a node; a view into it.
  static std::string_view NamesOf(std::string_view element);
};

// An entry in a stream. Valid until the next change of the stream.
class StreamEntry {
 public:
  StreamEntry() = default;
  // names: those of its node.
  StreamEntry(std::string_view element, std::string_view names);

  StreamId id() const { return id_; }
  uint64_t field_count() const { return field_count_; }
  // Calls visit(name, value) for each field, in order.
  template <typename Visit>
  void VisitFields(const Visit& visit) const {
    std::string_view names = names_;
    std::string_view texts = texts_;
    for (uint64_t i = 0; i < field_count_; ++i) {
      const std::string_view name = TakeText(has_names_ ? texts : names);
      visit(name, TakeText(texts));
    }
  }

 private:
  StreamId id_;
  uint64_t field_count_ = 0;
  bool has_names_ = false;  // texts_ has names and values by turns
  std::string_view names_;
  std::string_view texts_;
};

// Bytes of an entry with these names and values by turns, at most.
size_t StreamElementBytesMax(std::span<const std::string_view> fields);
// The element of an entry with the id and the fields. has_names_of_node: its names are those of the
// node it goes to, and are left out.
void PutStreamElement(ElementText& text, StreamId id, std::span<const std::string_view> fields,
                      bool has_names_of_node);

// Makes `node`, which is empty or has room, hold one entry more; true when its names are the
// node's.
bool AddToStreamNode(StreamNode& node, StreamId id, std::span<const std::string_view> fields);

}  // namespace mikura::engine::collections
