// SPDX-License-Identifier: Apache-2.0
// A sequence of byte strings in one of two forms: packed, one run of bytes that is small enough to
// lie in an entry; or a tree (element_tree.h). What each type is written on, once for both forms.
//
// Packed: as packed_elements.h has it. Access by position is O(n) there, with n at most
// kPackedElementsMax. The first change of a view is noted only (splice()), so that whoever owns the
// bytes can make it there; it is made on a copy when anything else is asked of the elements.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/collections/element_tree.h"
#include "engine/collections/packed_elements.h"

namespace mikura::engine::collections {

// What a packed sequence may hold; beyond it, its owner turns it into a tree.
inline constexpr size_t kPackedBytesMax = 2048;
inline constexpr size_t kPackedElementsMax = 512;

class Sequence {
 public:
  // Empty and packed. order_of: of the tree that it may become (ElementTree::OrderOf).
  Sequence(NodeMemory& memory, ElementTree::OrderOf order_of)
      : tree_(memory, order_of), is_packed_(true) {}
  // Packed elements of whole length: a view on them, which must outlive it; `count` is their
  // number.
  Sequence(NodeMemory& memory, ElementTree::OrderOf order_of, std::string_view packed,
           uint64_t count)
      : tree_(memory, order_of), is_packed_(true), view_(packed), count_(count) {}

  Sequence(const Sequence&) = default;
  Sequence(Sequence&&) noexcept = default;
  Sequence& operator=(Sequence&&) noexcept = default;

  bool is_packed() const { return is_packed_; }
  // Only of a packed one.
  std::string_view packed() const {
    if (has_splice_) const_cast<Sequence*>(this)->MakeSplice(0);
    return is_owned_ ? std::string_view(own_) : view_;
  }
  size_t packed_bytes() const {
    return has_splice_ ? splice()->size() : is_owned_ ? own_.size() : view_.size();
  }
  // The one change of a view, while nothing has asked for what it makes of the elements. Valid
  // until the next call.
  std::optional<PackedSplice> splice() const {
    if (!has_splice_) return std::nullopt;
    return PackedSplice{view_, splice_offset_, splice_removed_, own_};
  }
  // Only of a tree.
  const ElementTree& tree() const { return tree_; }
  ElementTree& tree() { return tree_; }
  // True when it is packed and has outgrown that form.
  bool is_overfull() const {
    return is_packed_ && (packed_bytes() > kPackedBytesMax || count_ > kPackedElementsMax);
  }
  // Becomes a tree with the same elements in the same order; for sequences kept in another order
  // see BecomeTree().
  void Unpack();
  // Becomes the tree that was built from its elements.
  void BecomeTree(ElementTree tree);

  uint64_t size() const { return is_packed_ ? count_ : tree_.size(); }
  bool empty() const { return size() == 0; }
  NodeMemory& memory() const { return tree_.memory(); }
  // As ElementTree; nothing of a packed one.
  void PrefetchRecent() const {
    if (!is_packed_) tree_.PrefetchRecent();
  }
  void PrefetchOrders() const {
    if (!is_packed_) tree_.PrefetchOrders();
  }
  // Memory beside the object itself.
  size_t memory_bytes() const { return is_packed_ ? own_.capacity() : tree_.memory_bytes(); }

  // ---- By position, as ElementTree. Views are valid until the next change. An element given in
  // must not lie in this sequence.
  std::string_view At(uint64_t index) const;
  void Insert(uint64_t index, std::string_view element);
  void Append(std::string_view element) { Insert(size(), element); }
  void Replace(uint64_t index, std::string_view element);
  void Erase(uint64_t index, uint64_t count = 1);
  void Clear();

  // ---- Only of a packed one: where a walk over packed() has come by. There is one at a replaced
  // or erased spot; packed().size() is the offset behind the last.
  void InsertAt(const PackedSpot& spot, std::string_view element);
  void ReplaceAt(const PackedSpot& spot, std::string_view element);
  void EraseAt(const PackedSpot& spot);
  // Takes the element at `from` away and puts another in front of what is at `to`, which may be
  // the end; both as they are before.
  void MoveAt(const PackedSpot& from, const PackedSpot& to, std::string_view element);

  class Cursor {
   public:
    Cursor(const Sequence& sequence, uint64_t index);
    bool at_end() const { return tree_ ? tree_->at_end() : at_end_; }
    std::string_view element() const { return tree_ ? tree_->element() : element_; }
    void Next() {
      if (tree_) return tree_->Next();
      ++index_;
      if (rest_.empty()) {
        at_end_ = true;
      } else {
        element_ = TakeElement(rest_);
      }
    }
    // From the first element it goes to the end. Packed: O(n).
    void Previous();

   private:
    void Load();

    const Sequence* sequence_;
    std::optional<ElementTree::Cursor> tree_;
    uint64_t index_ = 0;        // packed: of the element
    std::string_view rest_;     // packed: what follows the element
    std::string_view element_;  // packed
    bool at_end_ = false;
  };

 private:
  // Its own bytes, with room for so many more.
  std::string& Own(size_t more);
  // Whether the next change is to be noted only.
  bool is_unchanged_view() const { return !is_owned_ && !has_splice_ && !view_.empty(); }
  void NoteSplice(size_t offset, size_t removed);
  // The element in place of `removed` bytes at `offset`.
  void PutAt(size_t offset, size_t removed, std::string_view element);
  void EraseBytes(size_t offset, size_t bytes);
  void MakeSplice(size_t more);
  size_t OffsetOf(uint64_t index) const;

  ElementTree tree_;
  bool is_packed_;
  bool is_owned_ = false;    // the packed bytes are in own_, otherwise in view_
  bool has_splice_ = false;  // own_ is what the splice of view_ adds
  std::string_view view_;
  std::string own_;
  size_t splice_offset_ = 0;
  size_t splice_removed_ = 0;
  uint64_t count_ = 0;  // packed
};

}  // namespace mikura::engine::collections
