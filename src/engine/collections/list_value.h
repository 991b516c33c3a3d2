// SPDX-License-Identifier: Apache-2.0
// A list: byte strings in the order in which clients put them.
//
// Packed form in an entry: varint (elements) | elements, as Sequence packs them. Becomes a tree
// when it outgrows that form, and stays one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/collections/collection.h"
#include "engine/collections/sequence.h"

namespace mikura::engine::collections {

class ListValue final : public Collection {
 public:
  static constexpr CollectionType kType = CollectionType::kList;

  explicit ListValue(NodeMemory& memory);
  // A view on what AppendPacked() wrote, which outlives it or its first change.
  ListValue(NodeMemory& memory, std::string_view packed);
  ListValue(const ListValue&) = default;
  ListValue(ListValue&&) noexcept = default;

  bool is_packed() const { return elements_.is_packed(); }
  void AppendPacked(std::string& out) const;
  // The one change since it was made of packed bytes, when that is all that AppendPacked() would
  // differ by, but for what stands in front of the elements: that is appended to `header`.
  std::optional<PackedSplice> Splice(std::string& header) const;

  CollectionType type() const override { return kType; }
  Collection* Copy() const override { return new ListValue(*this); }
  void Prefetch() const override { elements_.PrefetchRecent(); }
  size_t memory_bytes() const override { return sizeof(ListValue) + elements_.memory_bytes(); }

  uint64_t size() const { return elements_.size(); }
  bool empty() const { return elements_.empty(); }

  // ---- By position, 0 at the head. Cost O(log n). Views are valid until the next change. An
  // element given in must not lie in this list.
  std::string_view At(uint64_t index) const { return elements_.At(index); }
  void PushFront(std::string_view element) { Insert(0, element); }
  void PushBack(std::string_view element) { Insert(size(), element); }
  // In front of the element at `index`, which may be size().
  void Insert(uint64_t index, std::string_view element);
  void Replace(uint64_t index, std::string_view element);
  // index + count <= size(). One more step for each leaf of the tree that goes.
  void Erase(uint64_t index, uint64_t count = 1) { elements_.Erase(index, count); }

  // Walks from a position on, which may be size(). Valid until the next change.
  class Cursor {
   public:
    explicit Cursor(const ListValue& list, uint64_t index = 0) : cursor_(list.elements_, index) {}
    bool at_end() const { return cursor_.at_end(); }
    std::string_view element() const { return cursor_.element(); }
    void Next() { cursor_.Next(); }
    void Previous() { cursor_.Previous(); }  // of a large list: O(n) when packed

   private:
    Sequence::Cursor cursor_;
  };

  // Calls visit(element) from the element at `index` on, up to the head, while it returns true.
  template <typename Visit>
  void VisitBackwards(uint64_t index, const Visit& visit) const;

 private:
  Sequence elements_;
};

template <typename Visit>
void ListValue::VisitBackwards(uint64_t index, const Visit& visit) const {
  if (index >= size()) return;
  if (is_packed()) {  // which knows one way only
    std::vector<std::string_view> elements;
    elements.reserve(static_cast<size_t>(index) + 1);
    for (Cursor c(*this); elements.size() <= index; c.Next()) elements.push_back(c.element());
    for (auto element = elements.rbegin(); element != elements.rend(); ++element) {
      if (!visit(*element)) return;
    }
    return;
  }
  for (Sequence::Cursor c(elements_, index); !c.at_end(); c.Previous()) {
    if (!visit(c.element())) return;
  }
}

}  // namespace mikura::engine::collections
