// SPDX-License-Identifier: Apache-2.0
// A sequence of byte strings: what a large list, set, hash or sorted set is made of.
//
// A B+ tree with counts: access, insertion and removal by position cost O(log n); and when the
// elements are kept in an order, the position of one is found in O(log n). A copy of the tree costs
// O(1) and shares all nodes; a change copies the shared nodes on its way (copy-on-write). So a
// snapshot, COPY, or a long reply holds a tree as it was while its shard goes on.
//
// One tree object is used by one thread at a time; copies may be on others.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "engine/collections/tree_node.h"

namespace mikura::engine::collections {

class ElementTree {
 public:
  // A number that never decreases along the sequence; elements with the same number are told apart
  // by the element itself. For sequences without order: always 0.
  using OrderOf = uint64_t (*)(std::string_view element);

  // `memory` outlives the tree and its copies.
  ElementTree(NodeMemory& memory, OrderOf order) : memory_(&memory), order_of_(order) {}
  ElementTree(const ElementTree& other);
  ElementTree(ElementTree&& other) noexcept
      : memory_(other.memory_),
        order_of_(other.order_of_),
        root_(std::exchange(other.root_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        bytes_(std::exchange(other.bytes_, 0)),
        recent_(other.recent_) {}
  ElementTree& operator=(ElementTree other) noexcept;
  ~ElementTree() {
    if (root_ != nullptr) Clear();
  }

  uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Memory of the nodes, shared ones included.
  size_t memory_bytes() const { return static_cast<size_t>(bytes_); }
  NodeMemory& memory() const { return *memory_; }
  OrderOf order_of() const { return order_of_; }
  // Cost: one step for each node that nobody shares.
  void Clear();
  // Loads ahead the root, and the leaf that was changed last: what the next change at the same end
  // reads. Follows no pointer.
  void PrefetchRecent() const;
  // The same of what a descent by order reads of the root.
  void PrefetchOrders() const;

  // ---- By position. Views are valid until the next change of this tree.
  std::string_view At(uint64_t index) const;
  // `element` must not lie in this tree. index <= size().
  void Insert(uint64_t index, std::string_view element);
  void Append(std::string_view element) { Insert(size_, element); }
  // The first element of an empty tree, in a leaf with room for `bytes` of elements if a leaf may
  // hold so many: for what is about to be appended.
  void Start(std::string_view element, size_t bytes);
  void Replace(uint64_t index, std::string_view element);
  // index + count <= size(). Cost: O(log n) and one step for each leaf that goes.
  void Erase(uint64_t index, uint64_t count = 1);

  // ---- In order. The position of the first element that is not before the wanted one.
  // `order`: its number; is_before(element): asked of elements with that number only.
  template <typename IsBefore>
  uint64_t LowerBound(uint64_t order, const IsBefore& is_before) const {
    return Seek(order, is_before).index;
  }
  // The same with the element there, found in one descent.
  struct Spot {
    uint64_t index = 0;
    std::string_view element;  // none at the end
    bool at_end = true;
  };
  template <typename IsBefore>
  Spot Seek(uint64_t order, const IsBefore& is_before) const;

  // Walks the elements from a position on. Valid until the next change of the tree.
  class Cursor {
   public:
    // At `index`, which may be size(): then it is at the end.
    Cursor(const ElementTree& tree, uint64_t index) : tree_(&tree) { Seek(index); }
    bool at_end() const { return leaf_ == nullptr; }
    std::string_view element() const { return leaf_->At(place_); }
    void Next() {
      if (++place_ == leaf_->count) Seek(first_ + place_);
    }
    // From the first element it goes to the end.
    void Previous() {
      if (place_-- == 0) Seek(first_ - 1);
    }

   private:
    // To `index`; outside of the tree is its end. Cost: O(log n), which a walk pays once a leaf.
    void Seek(uint64_t index);

    const ElementTree* tree_;
    const Leaf* leaf_ = nullptr;
    size_t place_ = 0;
    uint64_t first_ = 0;  // index of the leaf's first element
  };

  // Aborts when a rule of tree_node.h, a count or an order is wrong. O(n), for tests.
  void CheckInvariants() const;

 private:
  // What a node became by an insertion: one node, or several in order where one was too small.
  struct Pieces {
    static constexpr size_t kMax = 4;
    Node* nodes[kMax];
    size_t count = 0;

    void Add(Node* node) { nodes[count++] = node; }
    void Add(const Pieces& pieces) {
      for (size_t i = 0; i < pieces.count; ++i) Add(pieces.nodes[i]);
    }
  };

  Leaf* MakeLeaf(size_t bytes);
  Inner* MakeInner(uint8_t height);
  Leaf* MakeCopy(const Leaf& leaf, size_t extra_bytes);
  Inner* MakeCopy(const Inner& inner);
  void DropShell(Node* node);
  Node* Exclusive(Node* node);
  Leaf* CopyRange(const Leaf* leaf, size_t begin, size_t end, size_t extra_bytes);
  Pieces InsertInto(Node* node, uint64_t index, std::string_view element);
  Pieces InsertIntoLeaf(Leaf* leaf, size_t index, std::string_view element);
  Pieces SplitAround(Leaf* leaf, size_t index, std::string_view element);
  Pieces SplitInHalf(Leaf* leaf, size_t index, std::string_view element);
  Pieces PutPieces(Inner* inner, size_t index, const Pieces& pieces);
  Node* EraseFrom(Node* node, uint64_t index, uint64_t count);
  void PutChild(Inner* inner, size_t index, Node* child);
  Node* MakeRoot(const Pieces& pieces);
  void MergeAround(Inner* inner, size_t index);
  bool MergePair(Inner* inner, size_t index);
  uint64_t FirstOrder(const Node* node) const;
  void CheckNode(const Node* node, bool is_root) const;

  // The leaf that holds position `index`, which becomes the position in it. index < size().
  const Leaf* LeafAt(uint64_t& index) const;
  void NoteRecent(const Leaf* leaf, size_t place);

  static const Leaf* AsLeaf(const Node* node) { return static_cast<const Leaf*>(node); }
  static const Inner* AsInner(const Node* node) { return static_cast<const Inner*>(node); }

  NodeMemory* memory_;
  OrderOf order_of_;
  Node* root_ = nullptr;
  uint64_t size_ = 0;
  int64_t bytes_ = 0;

  // Where the last change was: addresses to load ahead, which are never followed, for the leaf may
  // be gone.
  struct Recent {
    const char* leaf = nullptr;
    uint32_t place = 0;    // of the element there, from the leaf on
    uint32_t offsets = 0;  // the same: where offsets begin
    uint32_t child = 0;    // of the root
  };
  Recent recent_;
};

template <typename IsBefore>
ElementTree::Spot ElementTree::Seek(uint64_t order, const IsBefore& is_before) const {
  const auto element_is_before = [&](std::string_view element) {
    const uint64_t number = order_of_(element);
    return number < order || (number == order && is_before(element));
  };
  // Whether everything below `node` up to its first element is before: the first element itself.
  const auto first_is_before = [&](const Inner* inner, size_t child) {
    if (inner->orders[child] != order) return inner->orders[child] < order;
    const Node* node = inner->children[child];
    while (!node->is_leaf()) node = AsInner(node)->children[0];
    return is_before(AsLeaf(node)->At(0));
  };
  const auto partition = [](size_t low, size_t high, const auto& before) {
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      if (before(middle)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  };
  uint64_t position = 0;
  const Node* node = root_;
  if (node == nullptr) return {};
  while (!node->is_leaf()) {
    const Inner* inner = AsInner(node);
    // The last child whose first element is before the wanted one; or the first child.
    const size_t after =
        partition(1, inner->count, [&](size_t child) { return first_is_before(inner, child); });
    for (size_t i = 0; i + 1 < after; ++i) position += inner->counts[i];
    node = inner->children[after - 1];
  }
  const Leaf* leaf = AsLeaf(node);
  const size_t place =
      partition(0, leaf->count, [&](size_t i) { return element_is_before(leaf->At(i)); });
  position += place;
  if (place < leaf->count) return {position, leaf->At(place), false};
  if (position == size_) return {position, {}, true};
  return {position, At(position), false};  // the first of the next leaf
}

}  // namespace mikura::engine::collections
