// SPDX-License-Identifier: Apache-2.0
// A sorted set: members with scores, in order of the score, then of the member's bytes.
//
// Rules, checked by CheckInvariants():
//   Z1. by_score_ holds every member once, as the score (8 bytes of a double) and the member, in
//       ascending order. -0.0 and 0.0 are one place in that order, and each keeps its sign. No
//       score is NaN.
//   Z2. Once by_score_ is a tree, by_member_ holds the same elements in order of ElementHash() of
//       the member, then of the member; while it is packed, by_member_ is empty.
//
// Packed form in an entry: varint (members * 2 + 1 when is_skiplist()) | elements by score.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/collections/collection.h"
#include "engine/collections/element_hash.h"
#include "engine/collections/sequence.h"

namespace mikura::engine::collections {

class SortedSetValue final : public Collection {
 public:
  static constexpr CollectionType kType = CollectionType::kSortedSet;

  // Valid until the next change of the set.
  struct Element {
    std::string_view member;
    double score = 0;
  };
  enum class Change : uint8_t { kNone, kAdded, kUpdated };

  explicit SortedSetValue(NodeMemory& memory);
  // A view on what AppendPacked() wrote, which outlives it or its first change.
  SortedSetValue(NodeMemory& memory, std::string_view packed);
  // Of elements in ascending order, each member once. Cost: O(n log n), less than setting each.
  SortedSetValue(NodeMemory& memory, std::span<const Element> ordered);
  SortedSetValue(const SortedSetValue&) = default;
  SortedSetValue(SortedSetValue&&) noexcept = default;

  bool is_packed() const { return by_score_.is_packed(); }
  void AppendPacked(std::string& out) const;
  // The one change since it was made of packed bytes, when that is all that AppendPacked() would
  // differ by, but for what stands in front of the elements: that is appended to `header`.
  std::optional<PackedSplice> Splice(std::string& header) const;

  CollectionType type() const override { return kType; }
  Collection* Copy() const override { return new SortedSetValue(*this); }
  void Prefetch() const override {
    by_score_.PrefetchOrders();
    by_member_.PrefetchOrders();
  }
  size_t memory_bytes() const override {
    return sizeof(SortedSetValue) + by_score_.memory_bytes() + by_member_.memory_bytes();
  }

  // Bytes of what it holds, about.
  size_t content_bytes() const {
    return is_packed() ? by_score_.packed().size() : by_score_.memory_bytes();
  }

  // Whether it once outgrew what OBJECT ENCODING calls a listpack.
  bool is_skiplist() const { return is_skiplist_; }
  void set_is_skiplist() { is_skiplist_ = true; }

  uint64_t size() const { return by_score_.size(); }
  bool empty() const { return by_score_.empty(); }

  // ---- By member. Cost O(log n).
  std::optional<double> ScoreOf(std::string_view member) const;
  // Members before it.
  std::optional<uint64_t> RankOf(std::string_view member) const;
  // `score` is no NaN, and `member` lies outside this set. A score that equals the old one changes
  // nothing, not even the sign of a zero.
  Change Set(std::string_view member, double score);
  // False when it is absent. It may lie in this set.
  bool Erase(std::string_view member);

  // ---- By rank: 0 is the lowest. Cost O(log n), and one step for each that is erased.
  Element At(uint64_t rank) const { return ElementOf(by_score_.At(rank)); }
  void EraseAt(uint64_t rank, uint64_t count = 1);
  // Members with a score below `score`, or at it too.
  uint64_t CountBelow(double score, bool or_equal) const;
  // For sets whose scores are all equal: members before `member`, or up to it. When they are not:
  // packed, those in front of the first that is not before it; as a tree, some number.
  uint64_t CountBefore(std::string_view member, bool or_equal) const;

  // In order, from a rank on. Valid until the next change.
  class Cursor {
   public:
    explicit Cursor(const SortedSetValue& set, uint64_t rank = 0) : cursor_(set.by_score_, rank) {}
    bool at_end() const { return cursor_.at_end(); }
    Element element() const { return ElementOf(cursor_.element()); }
    void Next() { cursor_.Next(); }
    void Previous() { cursor_.Previous(); }  // of a large set: O(n) when packed

   private:
    Sequence::Cursor cursor_;
  };

  // Calls visit(element) for `count` members from `rank` on, upwards or downwards, while it returns
  // true. The range must be there.
  template <typename Visit>
  void VisitRange(uint64_t rank, uint64_t count, bool downwards, const Visit& visit) const;

  // Calls visit(element) for members from `cursor` on, `count` of them or a few more, and returns
  // the cursor to go on with; 0 begins, and is the end. A member that is there from begin to end
  // is visited, whatever else changes meanwhile. Packed, or no skiplist: all at once, in order.
  template <typename Visit>
  uint64_t Scan(uint64_t cursor, uint64_t count, const Visit& visit) const;

  // Aborts when a rule is broken. O(n), for tests.
  void CheckInvariants() const;

 private:
  struct Place {
    uint64_t index = 0;
    bool exists = false;
    double score = 0;  // when it exists
  };

  static constexpr size_t kScoreBytes = sizeof(double);
  static Element ElementOf(std::string_view bytes);
  static std::string BytesOf(std::string_view member, double score);
  static uint64_t ScoreOrder(std::string_view bytes);
  static uint64_t MemberOrder(std::string_view bytes);

  // Where the element is or belongs; in by_member_, which is in use; and in by_score_.
  Place PlaceByMember(std::string_view member) const;
  uint64_t PlaceByScore(std::string_view member, double score) const;
  Change SetPacked(std::string_view member, double score);
  std::optional<uint64_t> PackedRankOf(std::string_view member) const;
  void BecomeTree();
  void FillByMember();
  void EraseFromByMember(uint64_t rank, uint64_t count);

  Sequence by_score_;
  ElementTree by_member_;
  bool is_skiplist_ = false;
};

template <typename Visit>
void SortedSetValue::VisitRange(uint64_t rank, uint64_t count, bool downwards,
                                const Visit& visit) const {
  if (count == 0) return;
  if (!downwards) {
    for (Cursor c(*this, rank); count > 0; --count, c.Next()) {
      if (!visit(c.element())) return;
    }
  } else if (is_packed()) {  // which knows one way only
    std::vector<Element> elements;
    elements.reserve(static_cast<size_t>(count));
    const uint64_t first = rank + 1 - count;
    for (Cursor c(*this, first); elements.size() < count; c.Next()) elements.push_back(c.element());
    for (size_t i = elements.size(); i > 0; --i) {
      if (!visit(elements[i - 1])) return;
    }
  } else {
    for (Sequence::Cursor c(by_score_, rank); count > 0; --count, c.Previous()) {
      if (!visit(ElementOf(c.element()))) return;
    }
  }
}

template <typename Visit>
uint64_t SortedSetValue::Scan(uint64_t cursor, uint64_t count, const Visit& visit) const {
  if (is_packed() || !is_skiplist_) {
    for (Cursor c(*this); !c.at_end(); c.Next()) visit(c.element());
    return 0;
  }
  const uint64_t from = by_member_.LowerBound(cursor, [](std::string_view) { return false; });
  uint64_t seen = 0;
  uint64_t last = 0;
  for (ElementTree::Cursor c(by_member_, from); !c.at_end(); c.Next(), ++seen) {
    // Members with the same hash go together: a cursor cannot stand between them.
    const uint64_t order = MemberOrder(c.element());
    if (seen >= count && order != last) return order;
    last = order;
    visit(ElementOf(c.element()));
  }
  return 0;
}

}  // namespace mikura::engine::collections
