// SPDX-License-Identifier: Apache-2.0
#include "engine/store/deferred_frees.h"

#include <cstdlib>
#include <new>

namespace mikura::engine::store {

void DeferredFrees::Add(void* memory, size_t bytes) {
  auto* block = new (memory) Block{head_.load(std::memory_order_relaxed), bytes};
  waiting_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  while (!head_.compare_exchange_weak(block->next, block, std::memory_order_release,
                                      std::memory_order_relaxed)) {
  }
}

// The whole stack is taken at once, so a block cannot come back while its link is being read.
size_t DeferredFrees::FreeAll() {
  size_t freed = 0;
  for (Block* block = head_.exchange(nullptr, std::memory_order_acquire); block != nullptr;) {
    Block* next = block->next;
    freed += block->bytes;
    std::free(block);
    block = next;
  }
  waiting_bytes_.fetch_sub(freed, std::memory_order_relaxed);
  return freed;
}

}  // namespace mikura::engine::store
