// SPDX-License-Identifier: Apache-2.0
// A list, set, sorted set, hash or stream that is too large to lie in its key's entry: an object of
// its own, counted by reference.
//
// C1. An object with more than one owner is never changed: whoever wants to change it takes a
//     Copy(), which is O(1), since the nodes are shared (element_tree.h). New owners arise under
//     the lock of the key's shard or from an existing owner.
// C2. The other form, packed bytes inside the entry, is read and written by the same classes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"

namespace mikura::engine::collections {

enum class CollectionType : uint8_t { kList, kSet, kSortedSet, kHash, kStream };

class Collection {
 public:
  virtual ~Collection() = default;

  virtual CollectionType type() const = 0;
  // A further object with the same content and one owner. O(1).
  virtual Collection* Copy() const = 0;
  // Memory that it owns, nodes shared with copies included; a number that is kept, not counted.
  virtual size_t memory_bytes() const = 0;
  // The earliest moment at which an element goes by itself (fields of hashes); INT64_MAX: none
  // does.
  virtual UnixMillis next_deadline() const { return INT64_MAX; }

  // Loads ahead what the next requests probably read: the root of a tree, and where it was changed
  // last. Cost: some prefetches; nothing is waited for.
  virtual void Prefetch() const {}

  bool is_exclusive() const { return owners_.load(std::memory_order_acquire) == 1; }
  void Acquire() { owners_.fetch_add(1, std::memory_order_relaxed); }
  // True when the caller was the last owner, who then deletes it.
  bool DropOwner() { return owners_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

  // For whoever queues it for deletion.
  Collection* next_to_delete = nullptr;

 protected:
  Collection() = default;
  Collection(const Collection&) {}  // a copy has an owner of its own
  Collection(Collection&&) noexcept {}
  Collection& operator=(const Collection&) = delete;

 private:
  // Release by an owner that read it, acquire by the one who changes or deletes it.
  std::atomic<uint32_t> owners_{1};
};

// One ownership of a collection that may have further owners.
struct DropOwner {
  void operator()(Collection* collection) const {
    if (collection->DropOwner()) delete collection;
  }
};
using CollectionPtr = std::unique_ptr<Collection, DropOwner>;

}  // namespace mikura::engine::collections
