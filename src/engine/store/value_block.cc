// SPDX-License-Identifier: Apache-2.0
#include "engine/store/value_block.h"

#include <cstdlib>
#include <new>

#include "base/thread_index.h"

namespace mikura::engine::store {

ValueBlock* ValueBlock::Create(MemoryGauge& gauge, size_t size, size_t capacity) {
  void* memory = std::malloc(sizeof(ValueBlock) + capacity);
  if (memory == nullptr) return nullptr;
  auto* block = new (memory) ValueBlock(gauge, size, capacity);
  gauge.Add(ThreadIndex(), static_cast<int64_t>(block->memory_bytes()));
  return block;
}

void ValueBlock::Destroy() {
  gauge_.Add(ThreadIndex(), -static_cast<int64_t>(memory_bytes()));
  this->~ValueBlock();
  std::free(this);
}

}  // namespace mikura::engine::store
