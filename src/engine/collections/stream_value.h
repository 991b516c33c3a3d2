// SPDX-License-Identifier: Apache-2.0
// A stream: entries with ids that only grow, and the consumer groups that read them.
//
// Rules, checked by CheckInvariants():
//   S1. entries_ is in order of the ids; none is above last_id().
//   S2. Each entry belongs to the last node that begins at or before its id; nodes_ and last_node_
//       are in order, and the live entries of each are counted in it. No node of nodes_ is empty;
//       last_node_ is empty only when there is no entry.
//   S3. groups_ is in order of the names.
//   S4. A packed stream has no groups and one node at most.
//
// Packed form in an entry: varints of the counts and ids, the node, then the entries.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/collections/collection.h"
#include "engine/collections/sequence.h"
#include "engine/collections/stream_group.h"
#include "engine/collections/stream_node.h"

namespace mikura::engine::collections {

// Which entries a trim removes, from the front.
struct StreamTrim {
  enum class By : uint8_t { kNothing, kLength, kId };
  By by = By::kNothing;
  bool is_approximate = false;  // whole nodes only
  uint64_t length_max = 0;
  StreamId id_min;
  uint64_t limit = 0;  // of entries that are removed; 0: none. For approximate trims.
};

class StreamValue final : public Collection {
 public:
  static constexpr CollectionType kType = CollectionType::kStream;

  explicit StreamValue(NodeMemory& memory);
  // A view on what AppendPacked() wrote, which outlives it or its first change.
  StreamValue(NodeMemory& memory, std::string_view packed);
  StreamValue(const StreamValue&) = default;
  StreamValue(StreamValue&&) noexcept = default;

  bool is_packed() const { return entries_.is_packed(); }
  void AppendPacked(std::string& out) const;
  // The one change since it was made of packed bytes, when that is all that AppendPacked() would
  // differ by, but for what stands in front of the elements: that is appended to `header`.
  std::optional<PackedSplice> Splice(std::string& header) const;
  // A stream without entries is a value like any other.
  bool empty() const { return false; }

  CollectionType type() const override { return kType; }
  Collection* Copy() const override { return new StreamValue(*this); }
  void Prefetch() const override;
  size_t memory_bytes() const override;

  uint64_t size() const { return entries_.size(); }
  StreamId last_id() const { return last_id_; }
  void set_last_id(StreamId id) { last_id_ = id; }
  // Of all entries ever removed one by one.
  StreamId max_deleted_id() const { return max_deleted_id_; }
  void set_max_deleted_id(StreamId id) { max_deleted_id_ = id; }
  // Entries ever added.
  uint64_t entries_added() const { return entries_added_; }
  void set_entries_added(uint64_t entries) { entries_added_ = entries; }
  // 0-0 when there is no entry.
  StreamId first_id() const { return size() == 0 ? StreamId() : StreamIdOf(entries_.At(0)); }

  // ---- Entries. Cost: O(log n), and one step for each that is visited or removed.
  // `id` is above last_id(). fields: names and values by turns, outside this stream.
  void Append(StreamId id, std::span<const std::string_view> fields,
              const StreamNodeLimits& limits);
  // Entries before the id.
  uint64_t CountBefore(StreamId id) const;
  bool Contains(StreamId id) const;
  StreamEntry At(uint64_t index) const { return EntryOf(entries_.At(index)); }
  // False when it is absent. Does not change max_deleted_id().
  bool Erase(StreamId id);
  // How many entries from the front the trim removes.
  uint64_t CountToTrim(const StreamTrim& trim) const;
  // count <= size().
  void EraseFront(uint64_t count);
  // Calls visit(entry) for `count` entries from `index` on, upwards or downwards, while it returns
  // true. The range must be there.
  template <typename Visit>
  void VisitRange(uint64_t index, uint64_t count, bool downwards, const Visit& visit) const;

  // Walks entries of a stream that is not packed, from one on that is there. Valid until the next
  // change.
  class Cursor {
   public:
    Cursor(const StreamValue& stream, uint64_t index, bool downwards);
    StreamEntry entry() const { return StreamEntry(element_.element(), node_.names); }
    // Upwards or downwards; there must be one more.
    void Next();

   private:
    const StreamValue* stream_;
    bool downwards_;
    Sequence::Cursor element_;
    uint64_t at_;
    uint64_t place_;  // of the node
    StreamNode node_;
    uint64_t node_begin_;
  };

  // ---- Nodes
  uint64_t node_count() const { return nodes_.size() + (last_node_.empty() ? 0 : 1); }
  // index < node_count(). Cost: O(log n).
  StreamNode NodeAt(uint64_t index) const;
  // Nodes of a radix tree with the nodes' ids as keys, as XINFO shows them; an estimate when there
  // are thousands.
  uint64_t RadixTreeNodes() const;

  // ---- Groups, in order of their names. A few: looking for one is O(log n), all else O(n).
  std::span<const StreamGroup> groups() const { return groups_; }
  std::span<StreamGroup> groups() { return groups_; }
  const StreamGroup* FindGroup(std::string_view name) const;
  StreamGroup* FindGroup(std::string_view name);
  // There must be none of that name. Ends the packed form.
  void AddGroup(std::string_view name, StreamId last_id, int64_t entries_read);
  // False when there is none.
  bool RemoveGroup(std::string_view name);
  // How many entries a reader at `id` has read, of all that were ever added; StreamGroup::kNotKnown
  // when removed entries may hide the answer.
  int64_t EstimateEntriesRead(StreamId id) const;

  // Aborts when a rule is broken. O(n), for tests.
  void CheckInvariants() const;

 private:
  void AppendHeader(std::string& out) const;
  template <typename Visit>
  void VisitPacked(uint64_t index, uint64_t count, bool downwards, const Visit& visit) const;
  // Where a node is: in nodes_, or at nodes_.size() for last_node_.
  uint64_t NodePlace(StreamId id) const;
  void SetNode(uint64_t place, StreamNode node);
  void RemoveNode(uint64_t place);
  // Looks its node up where it needs its names.
  StreamEntry EntryOf(std::string_view element) const;
  size_t GroupPlace(std::string_view name) const;

  Sequence entries_;
  ElementTree nodes_;
  StreamNode last_node_;
  StreamId last_id_;
  StreamId max_deleted_id_;
  uint64_t entries_added_ = 0;
  std::vector<StreamGroup> groups_;
};

template <typename Visit>
void StreamValue::VisitRange(uint64_t index, uint64_t count, bool downwards,
                             const Visit& visit) const {
  if (count == 0) return;
  if (is_packed()) return VisitPacked(index, count, downwards, visit);
  for (Cursor c(*this, downwards ? index + count - 1 : index, downwards); visit(c.entry());) {
    if (--count == 0) return;
    c.Next();
  }
}

template <typename Visit>
void StreamValue::VisitPacked(uint64_t index, uint64_t count, bool downwards,
                              const Visit& visit) const {
  std::vector<std::string_view> elements;
  elements.reserve(static_cast<size_t>(count));
  for (Sequence::Cursor c(entries_, index); elements.size() < count; c.Next()) {
    elements.push_back(c.element());
  }
  if (downwards) std::reverse(elements.begin(), elements.end());
  for (const std::string_view element : elements) {
    if (!visit(StreamEntry(element, last_node_.names))) return;
  }
}

}  // namespace mikura::engine::collections
