// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/tree_node.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.h"
#include "engine/collections/packed_elements.h"

namespace mikura::engine::collections {
namespace {

std::string_view ElementAt(const char* at) {
  size_t length = static_cast<uint8_t>(*at++);
  if (length >= 0x80) {
    length &= 0x7F;
    for (int shift = 7;; shift += 7) {
      const auto byte = static_cast<uint8_t>(*at++);
      length |= size_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) break;
    }
  }
  return {at, length};
}

// Sizes of leaves: powers of two and what lies half-way, above them what is asked for.
size_t RoundedLeafBytes(size_t bytes) {
  size_t size = Leaf::kBytesMin;
  while (size < bytes && size < Leaf::kBytesMax) size += size / 2;
  size = std::min(size, Leaf::kBytesMax);
  return std::max(size, (bytes + 1) & ~size_t{1});
}

void* Allocate(NodeMemory& memory, size_t bytes) {
  void* const at = std::malloc(bytes);
  CHECK(at != nullptr);
  memory.Add(static_cast<int64_t>(bytes));
  return at;
}

void Free(NodeMemory& memory, Node* node, size_t bytes) {
  memory.Add(-static_cast<int64_t>(bytes));
  std::free(node);
}

}  // namespace

size_t Leaf::Footprint(size_t size) { return VarintBytes(size) + size + sizeof(uint16_t); }

uint16_t Leaf::offset(size_t index) const {
  uint16_t offset;
  std::memcpy(&offset, bytes() + capacity - (index + 1) * sizeof offset, sizeof offset);
  return offset;
}

void Leaf::set_offset(size_t index, uint16_t offset) {
  std::memcpy(bytes() + capacity - (index + 1) * sizeof offset, &offset, sizeof offset);
}

std::string_view Leaf::At(size_t index) const {
  DCHECK(index < count);
  return ElementAt(bytes() + offset(index));
}

void Leaf::Insert(size_t index, std::string_view element) {
  DCHECK(index <= count && Footprint(element.size()) <= free_bytes());
  char* const begin = bytes() + used;
  char* const at = PutVarint(begin, element.size());
  if (!element.empty()) std::memcpy(at, element.data(), element.size());
  // Offsets grow downwards: those of the elements behind move down by one.
  char* const last = OffsetsEnd() - count * sizeof(uint16_t);
  std::memmove(last - sizeof(uint16_t), last, (count - index) * sizeof(uint16_t));
  set_offset(index, static_cast<uint16_t>(used));
  used += static_cast<uint32_t>(at - begin) + static_cast<uint32_t>(element.size());
  ++count;
}

void Leaf::Erase(size_t index, size_t elements) {
  DCHECK(index + elements <= count);
  for (size_t i = index; i < index + elements; ++i) {
    const std::string_view element = At(i);
    dead += static_cast<uint32_t>(VarintBytes(element.size()) + element.size());
  }
  char* const last = OffsetsEnd() - count * sizeof(uint16_t);
  std::memmove(last + elements * sizeof(uint16_t), last,
               (count - index - elements) * sizeof(uint16_t));
  count = static_cast<uint16_t>(count - elements);
}

uint64_t Inner::total() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += counts[i];
  return sum;
}

void Inner::OpenGap(size_t index) {
  DCHECK(count < kChildrenMax);
  const size_t behind = count - index;
  std::memmove(children + index + 1, children + index, behind * sizeof children[0]);
  std::memmove(counts + index + 1, counts + index, behind * sizeof counts[0]);
  std::memmove(orders + index + 1, orders + index, behind * sizeof orders[0]);
  ++count;
}

void Inner::CloseGap(size_t index, size_t gap) {
  const size_t behind = count - index - gap;
  std::memmove(children + index, children + index + gap, behind * sizeof children[0]);
  std::memmove(counts + index, counts + index + gap, behind * sizeof counts[0]);
  std::memmove(orders + index, orders + index + gap, behind * sizeof orders[0]);
  count = static_cast<uint16_t>(count - gap);
}

Leaf* NewLeaf(NodeMemory& memory, size_t bytes) {
  const size_t capacity = RoundedLeafBytes(bytes);
  Leaf* const leaf = new (Allocate(memory, sizeof(Leaf) + capacity)) Leaf;
  leaf->capacity = static_cast<uint32_t>(capacity);
  return leaf;
}

Inner* NewInner(NodeMemory& memory, uint8_t height) {
  Inner* const inner = new (Allocate(memory, sizeof(Inner))) Inner;
  inner->height = height;
  return inner;
}

Leaf* CopyLeaf(NodeMemory& memory, const Leaf& leaf, size_t extra_bytes) {
  Leaf* const copy = NewLeaf(memory, leaf.live_bytes() + extra_bytes);
  if (leaf.dead == 0) {
    const size_t offsets = leaf.count * sizeof(uint16_t);
    std::memcpy(copy->bytes(), leaf.bytes(), leaf.used);
    std::memcpy(copy->bytes() + copy->capacity - offsets, leaf.bytes() + leaf.capacity - offsets,
                offsets);
    copy->used = leaf.used;
    copy->count = leaf.count;
    return copy;
  }
  for (size_t i = 0; i < leaf.count; ++i) copy->Insert(i, leaf.At(i));
  return copy;
}

Inner* CopyInner(NodeMemory& memory, const Inner& inner) {
  Inner* const copy = NewInner(memory, inner.height);
  copy->count = inner.count;
  std::memcpy(copy->children, inner.children, inner.count * sizeof inner.children[0]);
  std::memcpy(copy->counts, inner.counts, inner.count * sizeof inner.counts[0]);
  std::memcpy(copy->orders, inner.orders, inner.count * sizeof inner.orders[0]);
  for (size_t i = 0; i < copy->count; ++i) Acquire(copy->children[i]);
  return copy;
}

void Release(NodeMemory& memory, Node* node) {
  if (node->owners.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (node->is_leaf()) {
    return Free(memory, node, sizeof(Leaf) + node->capacity);
  }
  const auto* inner = static_cast<Inner*>(node);
  for (size_t i = 0; i < inner->count; ++i) Release(memory, inner->children[i]);
  Free(memory, node, sizeof(Inner));
}

int64_t OwnBytes(const Node* node) {
  return static_cast<int64_t>(node->is_leaf() ? sizeof(Leaf) + node->capacity : sizeof(Inner));
}

int64_t BytesBelow(const Node* node) {
  int64_t bytes = OwnBytes(node);
  if (node->is_leaf()) return bytes;
  const auto* inner = static_cast<const Inner*>(node);
  for (size_t i = 0; i < inner->count; ++i) bytes += BytesBelow(inner->children[i]);
  return bytes;
}

uint64_t CountOf(const Node* node) {
  return node->is_leaf() ? node->count : static_cast<const Inner*>(node)->total();
}

}  // namespace mikura::engine::collections
