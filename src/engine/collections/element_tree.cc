// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/element_tree.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"

namespace mikura::engine::collections {
namespace {

// Two neighbours are made one when together they fill no more than this.
constexpr size_t kMergeBytes = Leaf::kBytesMax / 2;
constexpr size_t kMergeChildren = Inner::kChildrenMax / 2;

constexpr size_t kLineBytes = 64;

// The position behind the last element, wherever that is.
constexpr uint64_t kAtEnd = UINT64_MAX;

// The child that holds position `index`, which becomes the position in it. `index` may be the end.
size_t ChildAt(const Inner* inner, uint64_t& index) {
  if (index == kAtEnd) return inner->count - 1u;
  size_t child = 0;
  while (child + 1 < inner->count && index >= inner->counts[child]) index -= inner->counts[child++];
  return child;
}

}  // namespace

ElementTree::ElementTree(const ElementTree& other)
    : memory_(other.memory_),
      order_of_(other.order_of_),
      root_(other.root_),
      size_(other.size_),
      bytes_(other.bytes_),
      recent_(other.recent_) {
  if (root_ != nullptr) Acquire(root_);
}

ElementTree& ElementTree::operator=(ElementTree other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(order_of_, other.order_of_);
  std::swap(root_, other.root_);
  std::swap(size_, other.size_);
  std::swap(bytes_, other.bytes_);
  std::swap(recent_, other.recent_);
  return *this;
}

void ElementTree::PrefetchRecent() const {
  const char* const root = reinterpret_cast<const char*>(root_);
  if (root == nullptr) return;
  __builtin_prefetch(root);
  if (recent_.leaf == nullptr) return;
  __builtin_prefetch(recent_.leaf);
  __builtin_prefetch(recent_.leaf + recent_.place);
  __builtin_prefetch(recent_.leaf + recent_.place + kLineBytes);
  __builtin_prefetch(recent_.leaf + recent_.offsets);
  __builtin_prefetch(recent_.leaf + recent_.offsets + kLineBytes);
  if (root == recent_.leaf) return;
  // Addresses only: when the root is a leaf after all, nothing is read that is not there.
  __builtin_prefetch(&AsInner(root_)->children[recent_.child]);
  __builtin_prefetch(&AsInner(root_)->counts[recent_.child]);
}

void ElementTree::PrefetchOrders() const {
  if (root_ == nullptr) return;
  __builtin_prefetch(root_);
  const size_t leaves = static_cast<size_t>(bytes_) / Leaf::kBytesMax;
  const size_t children = std::min(leaves, Inner::kChildrenMax);
  for (size_t i = 0; i < children; i += kLineBytes / sizeof(uint64_t)) {
    __builtin_prefetch(&AsInner(root_)->orders[i]);
  }
}

// place: where the next change at the same end reads or writes, behind the leaf's header.
void ElementTree::NoteRecent(const Leaf* leaf, size_t place) {
  recent_.leaf = reinterpret_cast<const char*>(leaf);
  recent_.place = static_cast<uint32_t>(sizeof(Leaf) + place);
  recent_.offsets =
      static_cast<uint32_t>(sizeof(Leaf) + leaf->capacity - leaf->count * sizeof(uint16_t));
}

void ElementTree::Clear() {
  if (root_ != nullptr) Release(*memory_, root_);
  root_ = nullptr;
  size_ = 0;
  bytes_ = 0;
}

std::string_view ElementTree::At(uint64_t index) const {
  DCHECK(index < size_);
  const Leaf* const leaf = LeafAt(index);
  return leaf->At(static_cast<size_t>(index));
}

const Leaf* ElementTree::LeafAt(uint64_t& index) const {
  const Node* node = root_;
  while (!node->is_leaf()) node = AsInner(node)->children[ChildAt(AsInner(node), index)];
  return AsLeaf(node);
}

// The node itself when nobody shares it, otherwise a copy in its stead. Takes over one ownership.
Node* ElementTree::Exclusive(Node* node) {
  if (node->is_exclusive()) return node;
  Node* const copy =
      node->is_leaf() ? static_cast<Node*>(MakeCopy(*AsLeaf(node), 0)) : MakeCopy(*AsInner(node));
  DropShell(node);
  return copy;
}

// ---- Nodes with their memory: bytes_ is the sum over the nodes that the root reaches.

Leaf* ElementTree::MakeLeaf(size_t bytes) {
  Leaf* const leaf = NewLeaf(*memory_, bytes);
  bytes_ += OwnBytes(leaf);
  return leaf;
}

Inner* ElementTree::MakeInner(uint8_t height) {
  bytes_ += static_cast<int64_t>(sizeof(Inner));
  return NewInner(*memory_, height);
}

Leaf* ElementTree::MakeCopy(const Leaf& leaf, size_t extra_bytes) {
  Leaf* const copy = CopyLeaf(*memory_, leaf, extra_bytes);
  bytes_ += OwnBytes(copy);
  return copy;
}

Inner* ElementTree::MakeCopy(const Inner& inner) {
  bytes_ += static_cast<int64_t>(sizeof(Inner));
  return CopyInner(*memory_, inner);
}

// Lets go of a node whose children, if any, stay in the tree.
void ElementTree::DropShell(Node* node) {
  bytes_ -= OwnBytes(node);
  Release(*memory_, node);
}

uint64_t ElementTree::FirstOrder(const Node* node) const {
  if (!node->is_leaf()) return AsInner(node)->orders[0];
  return order_of_(AsLeaf(node)->At(0));
}

// Makes `child` the one at `index`, with its count and order.
void ElementTree::PutChild(Inner* inner, size_t index, Node* child) {
  inner->children[index] = child;
  inner->counts[index] = CountOf(child);
  inner->orders[index] = FirstOrder(child);
}

// ---- Insertion

void ElementTree::Insert(uint64_t index, std::string_view element) {
  DCHECK(index <= size_);
  if (root_ == nullptr) return Start(element, 0);
  root_ = MakeRoot(InsertInto(root_, index == size_ ? kAtEnd : index, element));
  ++size_;
}

void ElementTree::Start(std::string_view element, size_t bytes) {
  DCHECK(root_ == nullptr);
  Leaf* const leaf =
      MakeLeaf(std::max(Leaf::Footprint(element.size()), std::min(bytes, Leaf::kBytesMax)));
  leaf->Insert(0, element);
  root_ = leaf;
  ++size_;
}

Node* ElementTree::MakeRoot(const Pieces& pieces) {
  if (pieces.count == 1) return pieces.nodes[0];
  Inner* const inner = MakeInner(static_cast<uint8_t>(pieces.nodes[0]->height + 1));
  inner->count = static_cast<uint16_t>(pieces.count);
  for (size_t i = 0; i < pieces.count; ++i) PutChild(inner, i, pieces.nodes[i]);
  return inner;
}

ElementTree::Pieces ElementTree::InsertInto(Node* node, uint64_t index, std::string_view element) {
  if (node->is_leaf()) {
    const size_t place = index == kAtEnd ? node->count : static_cast<size_t>(index);
    return InsertIntoLeaf(static_cast<Leaf*>(node), place, element);
  }
  auto* const inner = static_cast<Inner*>(Exclusive(node));
  const size_t child = ChildAt(inner, index);
  const bool is_first = index == 0;
  const Pieces pieces = InsertInto(inner->children[child], index, element);
  if (pieces.count > 1) return PutPieces(inner, child, pieces);
  inner->children[child] = pieces.nodes[0];
  ++inner->counts[child];
  recent_.child = static_cast<uint32_t>(child);
  // Otherwise the first element below is the one that it was: it need not be read, which mostly is
  // in no cache when a list changes at its end.
  if (is_first) inner->orders[child] = FirstOrder(pieces.nodes[0]);
  Pieces result;
  result.Add(inner);
  return result;
}

// Puts what the child at `index` became in its place; splits `inner` when that is too much.
ElementTree::Pieces ElementTree::PutPieces(Inner* inner, size_t index, const Pieces& pieces) {
  Pieces result;
  result.Add(inner);
  Inner* target = inner;
  if (inner->count + pieces.count - 1 > Inner::kChildrenMax) {
    // Growth at the end leaves nodes behind that are nearly full.
    const size_t kept = index + 1 == inner->count ? inner->count - 1u : inner->count / 2u;
    Inner* const second = MakeInner(inner->height);
    second->count = static_cast<uint16_t>(inner->count - kept);
    std::copy_n(inner->children + kept, second->count, second->children);
    std::copy_n(inner->counts + kept, second->count, second->counts);
    std::copy_n(inner->orders + kept, second->count, second->orders);
    inner->count = static_cast<uint16_t>(kept);
    result.Add(second);
    if (index >= kept) {
      target = second;
      index -= kept;
    }
  }
  PutChild(target, index, pieces.nodes[0]);
  for (size_t i = 1; i < pieces.count; ++i) {
    target->OpenGap(index + i);
    PutChild(target, index + i, pieces.nodes[i]);
  }
  return result;
}

ElementTree::Pieces ElementTree::InsertIntoLeaf(Leaf* leaf, size_t index,
                                                std::string_view element) {
  const size_t footprint = Leaf::Footprint(element.size());
  if (leaf->live_bytes() + footprint > Leaf::kBytesMax || leaf->count == Leaf::kElementsMax) {
    const bool stands_alone = index == 0 || index == leaf->count || footprint > Leaf::kBytesMax / 2;
    return stands_alone ? SplitAround(leaf, index, element) : SplitInHalf(leaf, index, element);
  }
  if (!leaf->is_exclusive() || leaf->free_bytes() < footprint) {
    Leaf* const roomier = MakeCopy(*leaf, footprint);
    DropShell(leaf);
    leaf = roomier;
  }
  leaf->Insert(index, element);
  NoteRecent(leaf, leaf->used);
  Pieces result;
  result.Add(leaf);
  return result;
}

Leaf* ElementTree::CopyRange(const Leaf* leaf, size_t begin, size_t end, size_t extra_bytes) {
  size_t bytes = extra_bytes;
  for (size_t i = begin; i < end; ++i) bytes += Leaf::Footprint(leaf->At(i).size());
  Leaf* const copy = MakeLeaf(bytes);
  for (size_t i = begin; i < end; ++i) copy->Insert(i - begin, leaf->At(i));
  return copy;
}

// The element gets a leaf of its own: it is large, or the sequence grows at an end, where full
// leaves are to stay behind.
ElementTree::Pieces ElementTree::SplitAround(Leaf* leaf, size_t index, std::string_view element) {
  Leaf* const own = MakeLeaf(Leaf::Footprint(element.size()));
  own->Insert(0, element);
  NoteRecent(own, own->used);
  Pieces result;
  if (index > 0) result.Add(index == leaf->count ? leaf : CopyRange(leaf, 0, index, 0));
  result.Add(own);
  if (index < leaf->count) {
    result.Add(index == 0 ? leaf : CopyRange(leaf, index, leaf->count, 0));
  }
  if (result.count == 3) DropShell(leaf);
  return result;
}

ElementTree::Pieces ElementTree::SplitInHalf(Leaf* leaf, size_t index, std::string_view element) {
  const size_t footprint = Leaf::Footprint(element.size());
  const size_t half = leaf->live_bytes() / 2;
  size_t middle = 0;
  for (size_t bytes = 0; middle + 1u < leaf->count && bytes < half; ++middle) {
    bytes += Leaf::Footprint(leaf->At(middle).size());
  }
  const bool to_first = index <= middle;
  Leaf* const first = CopyRange(leaf, 0, middle, to_first ? footprint : 0);
  Leaf* const second = CopyRange(leaf, middle, leaf->count, to_first ? 0 : footprint);
  DropShell(leaf);
  Pieces result;
  if (to_first) {
    result.Add(InsertIntoLeaf(first, index, element));
    result.Add(second);
  } else {
    result.Add(first);
    result.Add(InsertIntoLeaf(second, index - middle, element));
  }
  return result;
}

void ElementTree::Replace(uint64_t index, std::string_view element) {
  if (At(index).size() != element.size()) {
    Erase(index);
    Insert(index, element);
    return;
  }
  // In its place.
  std::vector<std::pair<Inner*, size_t>> path;
  Node** node = &root_;
  while (*node = Exclusive(*node), !(*node)->is_leaf()) {
    auto* const inner = static_cast<Inner*>(*node);
    const size_t child = ChildAt(inner, index);
    path.emplace_back(inner, child);
    node = &inner->children[child];
  }
  const std::string_view old = AsLeaf(*node)->At(static_cast<size_t>(index));
  std::copy(element.begin(), element.end(), const_cast<char*>(old.data()));
  for (auto step = path.rbegin(); step != path.rend(); ++step) {
    step->first->orders[step->second] = FirstOrder(step->first->children[step->second]);
  }
}

// ---- Removal

void ElementTree::Erase(uint64_t index, uint64_t count) {
  DCHECK(index + count <= size_);
  if (count == 0) return;
  root_ = EraseFrom(root_, index, count);
  size_ -= count;
  // A root with one child is one level too many.
  while (root_ != nullptr && !root_->is_leaf() && root_->count == 1) {
    Node* const child = AsInner(root_)->children[0];
    Acquire(child);
    DropShell(root_);
    root_ = child;
  }
}

// What is left of `node`; null when nothing is. Takes over one ownership.
Node* ElementTree::EraseFrom(Node* node, uint64_t index, uint64_t count) {
  // Each child has an element at least: mostly nothing is to be counted.
  if (count >= node->count && count == CountOf(node)) {
    bytes_ -= BytesBelow(node);
    Release(*memory_, node);
    return nullptr;
  }
  node = Exclusive(node);
  if (node->is_leaf()) {
    auto* const leaf = static_cast<Leaf*>(node);
    leaf->Erase(static_cast<size_t>(index), static_cast<size_t>(count));
    NoteRecent(leaf, leaf->offset(std::min<size_t>(static_cast<size_t>(index), leaf->count - 1u)));
    return leaf;
  }
  auto* const inner = static_cast<Inner*>(node);
  size_t child = ChildAt(inner, index);
  const size_t first = child;
  recent_.child = static_cast<uint32_t>(child);
  size_t gone_from = child;
  size_t gone = 0;
  for (; count > 0; ++child, index = 0) {
    const uint64_t here = std::min(count, inner->counts[child] - index);
    count -= here;
    Node* const left = EraseFrom(inner->children[child], index, here);
    if (left != nullptr && index > 0) {  // its first element is the same
      inner->children[child] = left;
      inner->counts[child] -= here;
    } else if (left != nullptr) {
      PutChild(inner, child, left);
    } else {
      if (gone == 0) gone_from = child;
      ++gone;
    }
  }
  inner->CloseGap(gone_from, gone);
  MergeAround(inner, std::min<size_t>(first, inner->count - 1u));
  return inner;
}

// Joins the child at `index` with its neighbours where they are small together.
void ElementTree::MergeAround(Inner* inner, size_t index) {
  // The neighbours are looked at only when it comes to them: they may be in no cache.
  const Node* const child = inner->children[index];
  const bool is_large =
      child->is_leaf() ? AsLeaf(child)->live_bytes() > kMergeBytes : child->count > kMergeChildren;
  if (is_large) return;
  if (index + 1 < inner->count && MergePair(inner, index)) return MergeAround(inner, index);
  if (index > 0) MergePair(inner, index - 1);
}

// Joins the children at `index` and behind it; false when they are too large for that.
bool ElementTree::MergePair(Inner* inner, size_t index) {
  Node* const left = inner->children[index];
  Node* const right = inner->children[index + 1];
  if (left->is_leaf()) {
    const Leaf* const from = AsLeaf(right);
    const size_t bytes = AsLeaf(left)->live_bytes() + from->live_bytes();
    if (bytes > kMergeBytes || left->count + right->count > int{Leaf::kElementsMax}) return false;
    Leaf* const joined = MakeCopy(*AsLeaf(left), from->live_bytes());
    for (size_t i = 0; i < from->count; ++i) joined->Insert(joined->count, from->At(i));
    DropShell(left);
    PutChild(inner, index, joined);
  } else {
    if (left->count + right->count > int{kMergeChildren}) return false;
    auto* const joined = static_cast<Inner*>(Exclusive(left));
    const Inner* const from = AsInner(right);
    for (size_t i = 0; i < from->count; ++i) {
      Acquire(from->children[i]);
      PutChild(joined, joined->count++, from->children[i]);
    }
    PutChild(inner, index, joined);
  }
  DropShell(right);
  inner->CloseGap(index + 1, 1);
  return true;
}

// ---- Iteration

void ElementTree::Cursor::Seek(uint64_t index) {
  leaf_ = nullptr;
  if (index >= tree_->size_) return;
  uint64_t left = index;
  leaf_ = tree_->LeafAt(left);
  place_ = static_cast<size_t>(left);
  first_ = index - left;
}

}  // namespace mikura::engine::collections
