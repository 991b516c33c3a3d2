// SPDX-License-Identifier: Apache-2.0
// The memory of large collections: their nodes are counted in the gauge, and objects of many nodes
// are deleted by a thread that has time, since their last owner mostly holds a shard's lock.
#pragma once

#include <atomic>
#include <cstddef>

#include "engine/collections/collection.h"
#include "engine/collections/tree_node.h"
#include "engine/store/memory_gauge.h"

namespace mikura::engine::store {

// Thread-safe.
class CollectionMemory final : public collections::NodeMemory {
 public:
  explicit CollectionMemory(MemoryGauge& gauge) : gauge_(gauge) {}
  ~CollectionMemory() override { DeleteQueued(); }
  CollectionMemory(const CollectionMemory&) = delete;
  CollectionMemory& operator=(const CollectionMemory&) = delete;

  void Add(int64_t bytes) override;

  // Gives one ownership up. The last owner's object is deleted here when that takes some
  // microseconds at most, and queued otherwise.
  void Release(collections::Collection* collection);
  bool has_queued() const { return queue_.load(std::memory_order_relaxed) != nullptr; }
  // Deletes what was queued so far. No lock is held; for the thread that frees memory.
  void DeleteQueued();

 private:
  static constexpr size_t kBytesDeletedAtOnce = 64 << 10;

  MemoryGauge& gauge_;
  // Publishes objects that nobody else refers to from their last owners to whoever deletes them.
  std::atomic<collections::Collection*> queue_{nullptr};
};

}  // namespace mikura::engine::store
