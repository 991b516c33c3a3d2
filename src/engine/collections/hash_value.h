// SPDX-License-Identifier: Apache-2.0
// A hash: fields with values, some of them with a moment at which they go.
//
// Rules, checked by CheckInvariants():
//   H1. Packed: fields lie in the order in which they came. Tree: by ElementHash() of the field,
//       then by the field.
//   H2. An element: [mark 2 | deadline 8] | varint length of the field | field | value. The mark is
//       two bytes with which no length begins; a field without deadline pays nothing.
//   H3. first_deadline() is the earliest of all deadlines. A tree knows it by deadlines_, which
//       holds one element for each field with a deadline: the deadline, then the field.
//
// Packed form in an entry: varint (fields * 4 + flags) | [first deadline 8] | elements.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "engine/collections/collection.h"
#include "engine/collections/sequence.h"

namespace mikura::engine::collections {

inline constexpr UnixMillis kNoFieldDeadline = INT64_MAX;

class HashValue final : public Collection {
 public:
  static constexpr CollectionType kType = CollectionType::kHash;

  // Valid until the next change of the hash.
  struct Field {
    std::string_view name;
    std::string_view value;
    UnixMillis deadline = kNoFieldDeadline;

    bool IsDue(UnixMillis now) const { return deadline <= now; }
  };

  // What an element (H2) says.
  static Field FieldOf(std::string_view element);

  explicit HashValue(NodeMemory& memory);
  // A view on what AppendPacked() wrote, which outlives it or its first change.
  HashValue(NodeMemory& memory, std::string_view packed);
  HashValue(const HashValue&) = default;
  HashValue(HashValue&&) noexcept = default;

  bool is_packed() const { return fields_.is_packed(); }
  void AppendPacked(std::string& out) const;
  // The one change since it was made of packed bytes, when that is all that AppendPacked() would
  // differ by, but for what stands in front of the elements: that is appended to `header`.
  std::optional<PackedSplice> Splice(std::string& header) const;
  // first_deadline() of what AppendPacked() wrote.
  static UnixMillis FirstDeadlineOf(std::string_view packed);

  CollectionType type() const override { return kType; }
  Collection* Copy() const override { return new HashValue(*this); }
  void Prefetch() const override { fields_.PrefetchOrders(); }
  size_t memory_bytes() const override {
    return sizeof(HashValue) + fields_.memory_bytes() + deadlines_.memory_bytes();
  }
  UnixMillis next_deadline() const override { return first_deadline(); }

  // Bytes of what it holds, about.
  size_t content_bytes() const {
    return is_packed() ? fields_.packed().size() : fields_.memory_bytes();
  }

  // Whether it once outgrew what OBJECT ENCODING calls a listpack.
  bool is_hashtable() const { return is_hashtable_; }
  void set_is_hashtable() { is_hashtable_ = true; }

  // ---- Fields, due ones included: whoever asks for a client looks at IsDue(). Cost O(log n).
  uint64_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  std::optional<Field> Find(std::string_view name) const;
  Field At(uint64_t index) const { return FieldOf(fields_.At(index)); }
  // True when the field is new. Neither name nor value may lie in this hash.
  bool Set(std::string_view name, std::string_view value, UnixMillis deadline = kNoFieldDeadline);
  // False when the field is absent. The name may lie in this hash.
  bool Erase(std::string_view name);
  // False when the field is absent. The name may not lie in this hash.
  bool SetDeadline(std::string_view name, UnixMillis deadline);

  // ---- Deadlines
  UnixMillis first_deadline() const;
  // Fields with a deadline at or before `now`.
  uint64_t CountDue(UnixMillis now) const;
  // The field that first_deadline() is of; there must be one.
  std::string_view FirstToGo() const;

  // In order (H1), from a position on. Valid until the next change.
  class Cursor {
   public:
    explicit Cursor(const HashValue& hash, uint64_t index = 0) : elements_(hash.fields_, index) {}
    bool at_end() const { return elements_.at_end(); }
    Field field() const { return FieldOf(elements_.element()); }
    void Next() { elements_.Next(); }

   private:
    Sequence::Cursor elements_;
  };

  // Calls visit(field) for fields from `cursor` on, `count` of them or a few more, and returns the
  // cursor to go on with; 0 begins, and is the end. A field that is there from begin to end is
  // visited, whatever else changes meanwhile. Packed: all at once.
  template <typename Visit>
  uint64_t Scan(uint64_t cursor, uint64_t count, const Visit& visit) const;

  // Aborts when a rule is broken. O(n), for tests.
  void CheckInvariants() const;

 private:
  struct Packed;
  HashValue(NodeMemory& memory, const Packed& packed);

  struct Place {
    PackedSpot spot;  // where the field is, or belongs; of a tree its index alone
    bool exists = false;
  };

  static uint64_t OrderOf(std::string_view element);
  ElementTree::Spot Seek(std::string_view name) const;
  Place PlaceOf(std::string_view name) const;
  UnixMillis DeadlineAt(const Place& place) const;
  void PutAt(const Place& place, std::string_view name, std::string_view value,
             UnixMillis deadline);
  void NoteDeadline(std::string_view name, UnixMillis before, UnixMillis after);
  UnixMillis EarliestDeadline() const;
  void AddToDeadlines(std::string_view name, UnixMillis deadline);
  void RemoveFromDeadlines(std::string_view name, UnixMillis deadline);
  void BecomeTree();

  Sequence fields_;
  ElementTree deadlines_;  // empty while packed
  UnixMillis packed_first_deadline_ = kNoFieldDeadline;
  bool is_hashtable_ = false;
};

template <typename Visit>
uint64_t HashValue::Scan(uint64_t cursor, uint64_t count, const Visit& visit) const {
  uint64_t from = 0;
  if (!is_packed()) {
    from = fields_.tree().LowerBound(cursor, [](std::string_view) { return false; });
  }
  uint64_t seen = 0;
  uint64_t last = 0;
  for (Sequence::Cursor c(fields_, from); !c.at_end(); c.Next(), ++seen) {
    if (!is_packed()) {
      // Fields with the same hash go together: a cursor cannot stand between them.
      const uint64_t order = OrderOf(c.element());
      if (seen >= count && order != last) return order;
      last = order;
    }
    visit(FieldOf(c.element()));
  }
  return 0;
}

}  // namespace mikura::engine::collections
