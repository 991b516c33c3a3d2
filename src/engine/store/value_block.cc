// SPDX-License-Identifier: Apache-2.0
#include "engine/store/value_block.h"

#include <new>

#include "engine/store/slab_allocator.h"

namespace mikura::engine::store {

ValueBlock* ValueBlock::Create(SlabAllocator& slabs, size_t size, size_t capacity) {
  if (capacity > kLargeBytesMax - sizeof(ValueBlock)) return nullptr;
  // The rest of the slot belongs to the block: what is counted is what is there.
  const size_t bytes = AllocatedBytes(sizeof(ValueBlock) + capacity);
  const SlabRef ref = slabs.Allocate(bytes);
  if (ref == 0) return nullptr;
  return new (slabs.At(ref)) ValueBlock(slabs, size, bytes - sizeof(ValueBlock));
}

void ValueBlock::Destroy() {
  SlabAllocator& slabs = slabs_;
  const size_t bytes = memory_bytes();
  this->~ValueBlock();
  slabs.Free(slabs.RefOf(reinterpret_cast<char*>(this)), bytes);
}

}  // namespace mikura::engine::store
