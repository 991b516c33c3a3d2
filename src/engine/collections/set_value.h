// SPDX-License-Identifier: Apache-2.0
// A set of byte strings.
//
// Rules, checked by CheckInvariants():
//   S1. A set of integers that never outgrew OBJECT ENCODING's intset is in numeric order.
//   S2. Any other set is packed in the order in which its elements came, or a tree in that of
//       ElementHash(), then of the bytes.
//
// Packed form in an entry: varint (elements * 2 + 1 unless an intset) | elements.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/collections/collection.h"
#include "engine/collections/element_hash.h"
#include "engine/collections/sequence.h"

namespace mikura::engine::collections {

class SetValue final : public Collection {
 public:
  static constexpr CollectionType kType = CollectionType::kSet;

  explicit SetValue(NodeMemory& memory);
  // A view on what AppendPacked() wrote, which outlives it or its first change.
  SetValue(NodeMemory& memory, std::string_view packed);
  SetValue(const SetValue&) = default;
  SetValue(SetValue&&) noexcept = default;

  bool is_packed() const { return elements_.is_packed(); }
  void AppendPacked(std::string& out) const;
  // The one change since it was made of packed bytes, when that is all that AppendPacked() would
  // differ by, but for what stands in front of the elements: that is appended to `header`.
  std::optional<PackedSplice> Splice(std::string& header) const;

  CollectionType type() const override { return kType; }
  Collection* Copy() const override { return new SetValue(*this); }
  void Prefetch() const override { elements_.PrefetchOrders(); }
  size_t memory_bytes() const override { return sizeof(SetValue) + elements_.memory_bytes(); }
  // Bytes of what it holds, about.
  size_t content_bytes() const {
    return is_packed() ? elements_.packed().size() : elements_.memory_bytes();
  }

  // What OBJECT ENCODING says: an intset until an element is no integer, or BecomeHashtable().
  bool is_intset() const { return is_intset_; }
  // Cost: O(n) when it was an intset and is no longer packed.
  void BecomeHashtable();

  // ---- Cost O(log n). An element given in may not lie in this set, unless it says so.
  uint64_t size() const { return elements_.size(); }
  bool empty() const { return elements_.empty(); }
  bool Contains(std::string_view element) const { return PlaceOf(element).exists; }
  // True when the element is new.
  bool Add(std::string_view element);
  // False when the element is absent. It may lie in this set.
  bool Erase(std::string_view element);

  // ---- By position. Views are valid until the next change.
  std::string_view At(uint64_t index) const { return elements_.At(index); }
  // index + count <= size().
  void EraseAt(uint64_t index, uint64_t count = 1) { elements_.Erase(index, count); }

  // In order, from a position on. Valid until the next change.
  class Cursor {
   public:
    explicit Cursor(const SetValue& set, uint64_t index = 0) : elements_(set.elements_, index) {}
    bool at_end() const { return elements_.at_end(); }
    std::string_view element() const { return elements_.element(); }
    void Next() { elements_.Next(); }

   private:
    Sequence::Cursor elements_;
  };

  // Calls visit(element) for elements from `cursor` on, `count` of them or a few more, and returns
  // the cursor to go on with; 0 begins, and is the end. An element that is there from begin to end
  // is visited, whatever else changes meanwhile. Packed, or an intset: all at once.
  template <typename Visit>
  uint64_t Scan(uint64_t cursor, uint64_t count, const Visit& visit) const;

  // Aborts when a rule is broken. O(n), for tests.
  void CheckInvariants() const;

 private:
  struct Place {
    uint64_t index = 0;  // where the element is, or belongs
    bool exists = false;
  };

  Place PlaceOf(std::string_view element) const;
  Place PlaceOfInteger(std::string_view element) const;
  void BecomeTree();
  void BecomeHashedTree();

  Sequence elements_;
  bool is_intset_ = true;
};

template <typename Visit>
uint64_t SetValue::Scan(uint64_t cursor, uint64_t count, const Visit& visit) const {
  const bool at_once = is_packed() || is_intset();
  uint64_t from = 0;
  if (!at_once) {
    from = elements_.tree().LowerBound(cursor, [](std::string_view) { return false; });
  }
  uint64_t seen = 0;
  uint64_t last = 0;
  for (Cursor c(*this, from); !c.at_end(); c.Next(), ++seen) {
    if (!at_once) {
      // Elements with the same hash go together: a cursor cannot stand between them.
      const uint64_t order = ElementHash(c.element());
      if (seen >= count && order != last) return order;
      last = order;
    }
    visit(c.element());
  }
  return 0;
}

}  // namespace mikura::engine::collections
