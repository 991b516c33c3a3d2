// SPDX-License-Identifier: Apache-2.0
// Nodes of an ElementTree: leaves hold elements, inner nodes hold children with their counts.
//
// Rules:
//   N1. A node with more than one owner is never changed; whoever wants to change it takes a copy.
//       An inner node owns each of its children once.
//   N2. A leaf holds at least one element, an inner node at least one child, except for the leaf of
//       an empty tree, which does not exist.
//   N3. Elements of a leaf lie in its bytes in any order; the offsets behind them are in order.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mikura::engine::collections {

// Told of every allocation and release of nodes; outlives them. Called under the lock of whoever
// changes the tree, and by the last owner of a shared node, on any thread.
class NodeMemory {
 public:
  virtual ~NodeMemory() = default;
  virtual void Add(int64_t bytes) = 0;
};

struct Node {
  // Release by an owner that read the node, acquire by the one who frees or changes it.
  std::atomic<uint32_t> owners{1};
  uint16_t count = 0;     // elements of a leaf, children of an inner node
  uint8_t height = 0;     // 0: a leaf
  uint32_t capacity = 0;  // of a leaf: bytes behind this header

  bool is_leaf() const { return height == 0; }
  bool is_exclusive() const { return owners.load(std::memory_order_acquire) == 1; }
};

struct Leaf : Node {
  static constexpr size_t kElementsMax = 512;
  static constexpr size_t kBytesMax = 4096 - 64;  // of a leaf with several elements
  static constexpr size_t kBytesMin = 256;

  uint32_t used = 0;  // bytes at the start that belong to elements, erased ones included
  uint32_t dead = 0;  // of those, bytes of erased elements

  // The element at `index` < count.
  std::string_view At(size_t index) const;
  // Bytes that hold an element of `size` bytes: its length, itself and its offset.
  static size_t Footprint(size_t size);
  // Bytes that the elements need without the dead ones.
  size_t live_bytes() const { return used - dead + count * sizeof(uint16_t); }
  size_t free_bytes() const { return capacity - used - count * sizeof(uint16_t); }

  // Room must be there: Footprint(element.size()) <= free_bytes().
  void Insert(size_t index, std::string_view element);
  void Erase(size_t index, size_t elements);

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  uint16_t offset(size_t index) const;
  void set_offset(size_t index, uint16_t offset);

 private:
  char* OffsetsEnd() { return bytes() + capacity; }
};

struct Inner : Node {
  static constexpr size_t kChildrenMax = 64;

  Node* children[kChildrenMax];
  uint64_t counts[kChildrenMax];  // elements below each child
  uint64_t orders[kChildrenMax];  // OrderOf() the first element below each child

  uint64_t total() const;
  // Makes room at `index` for one child more.
  void OpenGap(size_t index);
  void CloseGap(size_t index, size_t children);
};

// An empty leaf for `bytes` of elements and offsets, rounded up. Aborts without memory.
Leaf* NewLeaf(NodeMemory& memory, size_t bytes);
Inner* NewInner(NodeMemory& memory, uint8_t height);
// A copy with one owner; children get a further owner each. A leaf's dead bytes are left out, and
// room for `extra_bytes` is there.
Leaf* CopyLeaf(NodeMemory& memory, const Leaf& leaf, size_t extra_bytes);
Inner* CopyInner(NodeMemory& memory, const Inner& inner);

inline void Acquire(Node* node) { node->owners.fetch_add(1, std::memory_order_relaxed); }
// Gives one ownership up; frees what nobody owns any more. Cost: one step for each node freed.
void Release(NodeMemory& memory, Node* node);
// Memory of the node itself; of it and all nodes below it. The latter costs a step for each.
int64_t OwnBytes(const Node* node);
int64_t BytesBelow(const Node* node);
// Elements below `node`.
uint64_t CountOf(const Node* node);

}  // namespace mikura::engine::collections
