// SPDX-License-Identifier: Apache-2.0
#include "engine/store/value_block.h"

#include <cstdlib>
#include <new>

#include "base/thread_index.h"

namespace mikura::engine::store {

ValueBlock* ValueBlock::Create(BlockMemory& memory, size_t size, size_t capacity) {
  void* bytes = std::malloc(sizeof(ValueBlock) + capacity);
  if (bytes == nullptr) return nullptr;
  auto* block = new (bytes) ValueBlock(memory, size, capacity);
  memory.gauge.Add(ThreadIndex(), static_cast<int64_t>(block->memory_bytes()));
  return block;
}

void ValueBlock::Destroy() {
  BlockMemory& memory = memory_;
  const size_t bytes = memory_bytes();
  memory.gauge.Add(ThreadIndex(), -static_cast<int64_t>(bytes));
  this->~ValueBlock();
  if (bytes < kDeferredBytesMin) {
    std::free(this);
  } else {
    memory.deferred.Add(this, bytes);
  }
}

}  // namespace mikura::engine::store
