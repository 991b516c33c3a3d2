// SPDX-License-Identifier: Apache-2.0
#include "engine/store/slab_allocator.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "engine/store/slot_poison.h"

namespace mikura::engine::store {
namespace {

constexpr uint64_t kRegionBytesMin = uint64_t{16} << 20;

}  // namespace

Result<std::unique_ptr<SlabAllocator>> SlabAllocator::Create(uint64_t bytes_max) {
  CHECK(std::has_single_bit(bytes_max) && bytes_max >= kRegionBytesMin &&
        bytes_max <= kRegionBytesMax);
  for (uint64_t bytes = bytes_max; bytes >= kRegionBytesMin; bytes /= 2) {
    void* region = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED) continue;
    // Huge pages round every touched corner up to 2 MiB and brought no speed (facts of the
    // prototype). A kernel without them refuses the advice, which is as good.
    (void)madvise(region, bytes, MADV_NOHUGEPAGE);
    return std::unique_ptr<SlabAllocator>(new SlabAllocator(static_cast<char*>(region), bytes));
  }
  return Error{fmt::format("cannot reserve {} bytes of addresses: {}", kRegionBytesMin,
                           std::strerror(errno))};
}

SlabAllocator::SlabAllocator(char* region, uint64_t region_bytes)
    : region_(region),
      region_bytes_(region_bytes),
      bucket_part_bytes_(
          std::min(region_bytes / 16, (uint64_t{kBucketNumberMask} + 1) * kBucketBytes)),
      spans_(region, region_bytes, bucket_part_bytes_),
      large_(spans_, region) {
  for (uint32_t size_class = 0; size_class < kClassCount; ++size_class) {
    const size_t bytes = ClassBytes(size_class);
    if (bytes < kSlotBytesMin) continue;  // SmallClassOf never says these
    const bool is_buckets = size_class == kBucketClass;
    pools_[size_class].Init(spans_, is_buckets ? RegionPart::kBuckets : RegionPart::kMain, bytes);
  }
}

SlabAllocator::~SlabAllocator() {
  for (auto& cache : caches_) delete cache.load(std::memory_order_relaxed);
  UnpoisonSlot(region_, spans_.EndOf(RegionPart::kBuckets));
  UnpoisonSlot(region_ + bucket_part_bytes_, spans_.EndOf(RegionPart::kMain) - bucket_part_bytes_);
  // The system call itself: the address sanitizer's munmap would write the shadow of the whole
  // reservation, gigabytes of it.
  syscall(SYS_munmap, region_, region_bytes_);
}

SlabRef SlabAllocator::Allocate(size_t bytes) {
  const uint32_t thread = ThreadIndex();
  SlabRef ref;
  if (bytes <= kSmallBytesMax) {
    ref = Take(SmallClassOf(bytes), thread);
  } else {
    CHECK(bytes <= kLargeBytesMax);
    ref = large_.Take(bytes);
  }
  if (ref != 0) gauge().Add(thread, static_cast<int64_t>(AllocatedBytes(bytes)));
  return ref;
}

void SlabAllocator::Free(SlabRef ref, size_t bytes) {
  const uint32_t thread = ThreadIndex();
  gauge().Add(thread, -static_cast<int64_t>(AllocatedBytes(bytes)));
  if (bytes <= kSmallBytesMax) {
    Give(SmallClassOf(bytes), thread, ref);
  } else {
    large_.Give(ref, bytes);
  }
}

uint32_t SlabAllocator::AllocateBucket() {
  const uint32_t thread = ThreadIndex();
  const SlabRef ref = Take(kBucketClass, thread);
  if (ref == 0) return 0;
  gauge().Add(thread, kBucketBytes);
  return static_cast<uint32_t>(ref / (kBucketBytes / kRefUnitBytes));
}

void SlabAllocator::FreeBucket(uint32_t number) {
  const uint32_t thread = ThreadIndex();
  gauge().Add(thread, -static_cast<int64_t>(kBucketBytes));
  Give(kBucketClass, thread, SlabRef{number} * (kBucketBytes / kRefUnitBytes));
}

SlabAllocator::ThreadCache& SlabAllocator::CacheOf(uint32_t thread) {
  ThreadCache* cache = caches_[thread].load(std::memory_order_relaxed);
  if (cache == nullptr) {
    cache = new ThreadCache;
    caches_[thread].store(cache, std::memory_order_relaxed);
  }
  return *cache;
}

SlabRef SlabAllocator::Take(uint32_t size_class, uint32_t thread) {
  Bin& bin = CacheOf(thread).bins[size_class];
  const size_t bytes = ClassBytes(size_class);
  if (bin.head == 0 && bin.run_left == 0 && !Refill(size_class, bin)) return 0;
  SlabRef ref;
  if (bin.head != 0) {
    ref = bin.head;
    bin.head = ReadSlotLink(At(ref));
    --bin.count;
  } else {
    ref = bin.run;
    bin.run += bytes / kRefUnitBytes;
    --bin.run_left;
  }
  UnpoisonSlot(At(ref), bytes);
  return ref;
}

void SlabAllocator::Give(uint32_t size_class, uint32_t thread, SlabRef ref) {
  Bin& bin = CacheOf(thread).bins[size_class];
  const size_t bytes = ClassBytes(size_class);
  WriteSlotLink(At(ref), bin.head);
  PoisonFreeSlot(At(ref), bytes);
  bin.head = ref;
  if (++bin.count < MagazineSlots(bytes)) return;
  if (bin.spare != 0) {
    pools_[size_class].Give({.list = bin.spare, .list_count = bin.count});
  }
  bin.spare = bin.head;
  bin.head = 0;
  bin.count = 0;
}

// Gives `bin` slots; false when the region is full.
bool SlabAllocator::Refill(uint32_t size_class, Bin& bin) {
  const uint32_t magazine_slots = MagazineSlots(ClassBytes(size_class));
  if (bin.spare != 0) {
    bin.head = bin.spare;
    bin.count = magazine_slots;
    bin.spare = 0;
    return true;
  }
  const SlotGroup group = pools_[size_class].Take(magazine_slots);
  bin.head = group.list;
  bin.count = group.list_count;
  bin.run = group.run;
  bin.run_left = group.run_count;
  return group.list_count + group.run_count != 0;
}

}  // namespace mikura::engine::store
