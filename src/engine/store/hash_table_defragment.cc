// SPDX-License-Identifier: Apache-2.0
// Moving entries, their blocks, overflow buckets and pages out of sparse spans (defragmentation.h).
#include "base/check.h"
#include "engine/store/hash_table.h"

namespace mikura::engine::store {
namespace {

constexpr uint64_t kPositions = uint64_t{1} << 32;
constexpr uint32_t kPageBuckets = 64;
// Bytes of blocks that one step moves under the shard's lock: some tens of microseconds.
constexpr size_t kBlockBytesMax = 128 << 10;
static_assert(kBlockBytesMin <= kInlineValueMax, "no block is overlooked");

}  // namespace

bool HashTable::DefragmentStep(uint64_t& position, size_t chains) {
  if (!has_chains()) return true;
  if (position == 0) {
    MovePages(current_);
    MovePages(old_);
  }
  size_t block_bytes = 0;
  for (; position < kPositions && chains > 0 && block_bytes < kBlockBytesMax; --chains) {
    const ChainRange range = ChainAt(static_cast<uint32_t>(position));
    if (allocator_->evacuates_blocks()) block_bytes += MoveBlocks(range.head);
    MoveChainMemory(range.head);
    position = range.end;
  }
  return position >= kPositions;
}

// Only references change, in the same chain and order: what a walk will see is the same, so nothing
// has to be settled.
void HashTable::MoveChainMemory(Bucket* head) {
  for (Bucket* bucket = head; bucket != nullptr; bucket = NextOf(bucket)) {
    const uint32_t size = bucket->size();
    for (uint32_t i = 0; i < size; ++i) {
      const SlabRef ref = bucket->ref(i);
      if (!allocator_->IsEvacuating(ref)) continue;
      const size_t total = ParseEntry(allocator_->At(ref)).total();
      if (total > kSmallBytesMax) continue;
      const SlabRef moved = allocator_->Move(ref, total);
      if (moved != 0) bucket->Set(i, bucket->tags[i], moved);
    }
    const uint32_t next = bucket->next();
    if (next == 0 || !allocator_->IsEvacuating(allocator_->RefOf(allocator_->BucketAt(next)))) {
      continue;
    }
    const uint32_t moved = allocator_->MoveBucket(next);
    if (moved != 0) bucket->set_next(moved);
  }
}

// Looks at every entry of the chain. Returns how many bytes it moved.
size_t HashTable::MoveBlocks(Bucket* head) {
  PrefetchAll(head);
  size_t bytes = 0;
  ForEach(head, [&](Bucket*, uint32_t, Entry entry) { bytes += MoveBlock(entry); });
  return bytes;
}

// A block with other owners stays where they know it. Returns the bytes that were moved.
size_t HashTable::MoveBlock(Entry entry) {
  ValueBlock* block = entry.block();
  if (block == nullptr) return 0;
  const size_t bytes = block->memory_bytes();
  const SlabRef ref = allocator_->RefOf(reinterpret_cast<char*>(block));
  if (bytes > kSmallBytesMax || !allocator_->IsEvacuating(ref) || !block->is_exclusive()) return 0;
  const SlabRef moved = allocator_->Move(ref, bytes);
  if (moved == 0) return 0;
  entry.set_block(reinterpret_cast<ValueBlock*>(allocator_->At(moved)));
  return bytes;
}

// Hints may still read the old page: it stays readable, and they only choose what to prefetch.
void HashTable::MovePages(Array& array) {
  const uint32_t buckets = array.buckets.load(std::memory_order_relaxed);
  for (uint32_t first = 0; first < buckets; first += kPageBuckets) {
    uint64_t* entry = &Directory(array)[first / kPageBuckets];
    if (*entry == 0 || !allocator_->IsEvacuating(*entry / kRefUnitBytes)) continue;
    const uint32_t left = buckets - first;
    const size_t bytes = size_t{left < kPageBuckets ? left : kPageBuckets} * kBucketBytes;
    const SlabRef moved = allocator_->Move(*entry / kRefUnitBytes, bytes);
    if (moved != 0) __atomic_store_n(entry, moved * kRefUnitBytes, __ATOMIC_RELAXED);
  }
}

}  // namespace mikura::engine::store
