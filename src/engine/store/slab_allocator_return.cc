// SPDX-License-Identifier: Apache-2.0
// The part of SlabAllocator that gives memory back: thread caches, counts, moving.
#include <cstring>
#include <utility>

#include "base/check.h"
#include "engine/store/slab_allocator.h"
#include "engine/store/slot_poison.h"

namespace mikura::engine::store {
namespace {

constexpr uint32_t kFirstClass = kSlotBytesMin / 4;  // smaller ones are never used

}  // namespace

void SlabAllocator::TendThreadCache() {
  const uint64_t asked = flushes_asked_.load(std::memory_order_relaxed);
  ThreadCache& cache = CacheOf(ThreadIndex());
  if (cache.flushes != asked) {
    cache.flushes = asked;
    FlushCache(cache);
    return;
  }
  for (uint32_t size_class = kFirstClass; size_class < kClassCount; ++size_class) {
    Bin& bin = cache.bins[size_class];
    if (bin == cache.seen[size_class]) Empty(size_class, bin);
    cache.seen[size_class] = bin;
  }
}

void SlabAllocator::FlushThreadCache() { FlushCache(CacheOf(ThreadIndex())); }

void SlabAllocator::FlushCache(ThreadCache& cache) {
  for (uint32_t size_class = kFirstClass; size_class < kClassCount; ++size_class) {
    Empty(size_class, cache.bins[size_class]);
    cache.seen[size_class] = {};
  }
}

void SlabAllocator::FlushThreadCaches() {
  flushes_asked_.fetch_add(1, std::memory_order_relaxed);
  TendThreadCache();
  for (uint32_t i = 0; i < kThreadsMax; ++i) {
    if (caches_[i].load(std::memory_order_relaxed) == nullptr || !ClaimThreadIndex(i)) continue;
    FlushCache(*caches_[i].load(std::memory_order_relaxed));
    ReleaseThreadIndex(i);
  }
}

void SlabAllocator::Empty(uint32_t size_class, Bin& bin) {
  if (bin == Bin{}) return;
  const Bin taken = std::exchange(bin, {});
  SlotPool& pool = pools_[size_class];
  pool.Give({taken.head, taken.count, taken.run, taken.run_left});
  if (taken.spare != 0) {
    pool.Give({.list = taken.spare, .list_count = MagazineSlots(ClassBytes(size_class))});
  }
}

size_t SlabAllocator::Purge(size_t bytes_max) {
  const size_t spans_max = bytes_max / kSpanBytes + (bytes_max % kSpanBytes != 0);
  size_t purged = spans_.Purge(spans_max) * kSpanBytes;
  if (purged < bytes_max) purged += large_.Purge(bytes_max - purged);
  return purged;
}

SlotPool::Counts SlabAllocator::counts() const {
  SlotPool::Counts sum;
  for (uint32_t size_class = kFirstClass; size_class < kClassCount; ++size_class) {
    const SlotPool::Counts counts = pools_[size_class].counts();
    sum.spans += counts.spans;
    sum.given_out_bytes += counts.given_out_bytes;
    sum.waste_bytes += counts.waste_bytes;
  }
  return sum;
}

size_t SlabAllocator::BeginEvacuation(size_t spans_max, uint32_t waste_percent, Evacuate which) {
  size_t marked = 0;
  bool evacuates_blocks = false;
  for (uint32_t size_class = kFirstClass; size_class < kClassCount; ++size_class) {
    const SlotPool::Counts counts = pools_[size_class].counts();
    const bool wastes = counts.waste_bytes * 100 > counts.given_out_bytes * waste_percent;
    if (!wastes && which == Evacuate::kSparseSpans) continue;
    const size_t spans = pools_[size_class].BeginEvacuation(spans_max, which);
    marked += spans;
    evacuates_blocks |= spans != 0 && ClassBytes(size_class) >= kBlockBytesMin;
  }
  evacuates_blocks_.store(evacuates_blocks, std::memory_order_relaxed);
  return marked;
}

size_t SlabAllocator::EndEvacuation() {
  size_t left = 0;
  for (uint32_t size_class = kFirstClass; size_class < kClassCount; ++size_class) {
    left += pools_[size_class].EndEvacuation();
  }
  return left;
}

SlabRef SlabAllocator::Move(SlabRef ref, size_t bytes) {
  DCHECK(bytes <= kSmallBytesMax);
  return MoveSlot(ref, SmallClassOf(bytes));
}

uint32_t SlabAllocator::MoveBucket(uint32_t number) {
  constexpr size_t kBucketUnits = kBucketBytes / kRefUnitBytes;
  return static_cast<uint32_t>(MoveSlot(number * kBucketUnits, kBucketClass) / kBucketUnits);
}

// Past the thread's cache: what lies there may be in a sparse span itself.
SlabRef SlabAllocator::MoveSlot(SlabRef ref, uint32_t size_class) {
  SlotPool& pool = pools_[size_class];
  const size_t bytes = ClassBytes(size_class);
  const SlotGroup group = pool.Take(1);
  const SlabRef target = group.list_count != 0 ? group.list : group.run;
  if (target == 0) return 0;
  UnpoisonSlot(At(target), bytes);
  std::memcpy(At(target), At(ref), bytes);
  WriteSlotLink(At(ref), 0);
  PoisonFreeSlot(At(ref), bytes);
  pool.Give({.list = ref, .list_count = 1});
  return target;
}

}  // namespace mikura::engine::store
