// SPDX-License-Identifier: Apache-2.0
#include "engine/store/collection_memory.h"

#include "base/thread_index.h"

namespace mikura::engine::store {

void CollectionMemory::Add(int64_t bytes) { gauge_.Add(ThreadIndex(), bytes); }

void CollectionMemory::Release(collections::Collection* collection) {
  if (!collection->DropOwner()) return;
  if (collection->memory_bytes() <= kBytesDeletedAtOnce) {
    delete collection;
    return;
  }
  collections::Collection* head = queue_.load(std::memory_order_relaxed);
  do {
    collection->next_to_delete = head;
  } while (!queue_.compare_exchange_weak(head, collection, std::memory_order_release,
                                         std::memory_order_relaxed));
}

void CollectionMemory::DeleteQueued() {
  collections::Collection* head = queue_.exchange(nullptr, std::memory_order_acquire);
  while (head != nullptr) {
    collections::Collection* const next = head->next_to_delete;
    delete head;
    head = next;
  }
}

}  // namespace mikura::engine::store
