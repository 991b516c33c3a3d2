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

#if defined(__SANITIZE_ADDRESS__)
#define MIKURA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MIKURA_ASAN 1
#endif
#endif
#ifdef MIKURA_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace mikura::engine::store {
namespace {

constexpr uint64_t kRegionBytesMin = uint64_t{16} << 20;
constexpr size_t kSpanBytes = 65536;

// A free slot: link to the next free slot (40 bits) and, in the first slot of a magazine in a pool,
// to the next magazine (40 bits), in 12 bytes.
struct FreeLinks {
  SlabRef next;
  SlabRef next_magazine;
};

FreeLinks ReadLinks(const char* slot) {
  uint64_t low;
  uint32_t high;
  std::memcpy(&low, slot, sizeof low);
  std::memcpy(&high, slot + sizeof low, sizeof high);
  return {low & kRefMask, (low >> 40) | (uint64_t{high} << 24)};
}

void WriteLinks(char* slot, FreeLinks links) {
  const uint64_t low = links.next | (links.next_magazine << 40);
  const auto high = static_cast<uint32_t>(links.next_magazine >> 24);
  std::memcpy(slot, &low, sizeof low);
  std::memcpy(slot + sizeof low, &high, sizeof high);
}

// Free slots are poisoned behind their links, so that the address sanitizer sees stale references.
void Poison([[maybe_unused]] char* slot, [[maybe_unused]] size_t bytes) {
#ifdef MIKURA_ASAN
  if (bytes > 16) ASAN_POISON_MEMORY_REGION(slot + 16, bytes - 16);
#endif
}

void Unpoison([[maybe_unused]] char* slot, [[maybe_unused]] size_t bytes) {
#ifdef MIKURA_ASAN
  ASAN_UNPOISON_MEMORY_REGION(slot, bytes);
#endif
}

size_t ClassBytes(uint32_t size_class) {
  return size_class == kSmallClasses ? kBucketBytes : SmallClassBytes(size_class);
}

// Slots that move between a thread and the pool at once: about 8 KiB, 2 to 32.
uint32_t MagazineSlots(size_t class_bytes) {
  return static_cast<uint32_t>(std::clamp<size_t>(8192 / class_bytes, 2, 32));
}

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
      bucket_next_(kPageBytes),  // offset 0 means "none" in references and links
      main_next_(bucket_part_bytes_) {}

SlabAllocator::~SlabAllocator() {
  for (auto& cache : caches_) delete cache.load(std::memory_order_relaxed);
  {
    MutexLock lock(span_mutex_);
    Unpoison(region_, bucket_next_);
    Unpoison(region_ + bucket_part_bytes_, main_next_ - bucket_part_bytes_);
  }
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
    ref = TakeLarge(bytes);
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
    GiveLarge(ref, bytes);
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
    bin.head = ReadLinks(At(ref)).next;
    --bin.count;
  } else {
    ref = bin.run;
    bin.run += bytes / kRefUnitBytes;
    --bin.run_left;
  }
  Unpoison(At(ref), bytes);
  return ref;
}

void SlabAllocator::Give(uint32_t size_class, uint32_t thread, SlabRef ref) {
  Bin& bin = CacheOf(thread).bins[size_class];
  const size_t bytes = ClassBytes(size_class);
  WriteLinks(At(ref), {bin.head, 0});
  Poison(At(ref), bytes);
  bin.head = ref;
  if (++bin.count < MagazineSlots(bytes)) return;
  if (bin.spare != 0) {
    Pool& pool = pools_[size_class];
    MutexLock lock(pool.mutex);
    WriteLinks(At(bin.spare), {ReadLinks(At(bin.spare)).next, pool.magazines});
    pool.magazines = bin.spare;
  }
  bin.spare = bin.head;
  bin.head = 0;
  bin.count = 0;
}

// Gives `bin` a magazine or a run; false when the region is full.
bool SlabAllocator::Refill(uint32_t size_class, Bin& bin) {
  const size_t bytes = ClassBytes(size_class);
  const uint32_t magazine_slots = MagazineSlots(bytes);
  if (bin.spare != 0) {
    bin.head = bin.spare;
    bin.count = magazine_slots;
    bin.spare = 0;
    return true;
  }
  Pool& pool = pools_[size_class];
  MutexLock lock(pool.mutex);
  if (pool.magazines != 0) {
    bin.head = pool.magazines;
    bin.count = magazine_slots;
    const FreeLinks links = ReadLinks(At(bin.head));
    pool.magazines = links.next_magazine;
    return true;
  }
  if (pool.span_end - pool.span_next < bytes && !CutSpan(size_class, pool)) return false;
  const uint64_t slots =
      std::min<uint64_t>(magazine_slots, (pool.span_end - pool.span_next) / bytes);
  bin.run = pool.span_next / kRefUnitBytes;
  bin.run_left = static_cast<uint32_t>(slots);
  pool.span_next += slots * bytes;
  return true;
}

bool SlabAllocator::CutSpan(uint32_t size_class, Pool& pool) {
  const size_t bytes = ClassBytes(size_class);
  const uint64_t span_bytes = bytes <= kPageBytes ? kSpanBytes : bytes * 16;
  if (size_class == kBucketClass) {
    MutexLock lock(span_mutex_);
    if (bucket_next_ + span_bytes > bucket_part_bytes_) return false;
    pool.span_next = bucket_next_;
    bucket_next_ += span_bytes;
  } else {
    const uint64_t start = ReserveSpan(span_bytes);
    if (start == 0) return false;
    pool.span_next = start;
  }
  pool.span_end = pool.span_next + span_bytes;
  span_bytes_.fetch_add(span_bytes, std::memory_order_relaxed);
  return true;
}

uint64_t SlabAllocator::ReserveSpan(uint64_t bytes) {
  MutexLock lock(span_mutex_);
  if (main_next_ + bytes > region_bytes_) return 0;
  const uint64_t start = main_next_;
  main_next_ += RoundToPages(bytes);
  return start;
}

SlabRef SlabAllocator::TakeLarge(size_t bytes) {
  const uint32_t large_class = LargeClassOf(bytes);
  {
    MutexLock lock(span_mutex_);
    std::vector<SlabRef>& free = large_free_[large_class];
    if (!free.empty()) {
      const SlabRef ref = free.back();
      free.pop_back();
      return ref;
    }
  }
  const uint64_t start = ReserveSpan(LargeClassBytes(large_class));
  if (start == 0) return 0;
  span_bytes_.fetch_add(RoundToPages(bytes), std::memory_order_relaxed);
  return start / kRefUnitBytes;
}

// The memory goes back to the machine at once; the addresses stay with their class.
void SlabAllocator::GiveLarge(SlabRef ref, size_t bytes) {
  const uint32_t large_class = LargeClassOf(bytes);
  CHECK(madvise(At(ref), LargeClassBytes(large_class), MADV_DONTNEED) == 0);
  MutexLock lock(span_mutex_);
  large_free_[large_class].push_back(ref);
}

}  // namespace mikura::engine::store
