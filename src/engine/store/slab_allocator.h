// SPDX-License-Identifier: Apache-2.0
// Memory of entries, buckets and expiry wheels: slots of size classes in one reserved region, so
// that a reference needs 5 bytes.
//
// Rules:
//   S1. The region is never unmapped: any offset below its size can be read at any time.
//   S2. What one thread frees another can get: a thread keeps at most two magazines of free slots
//       per class and gives further ones to the shared pool of the class.
//   S3. The gauge counts exactly AllocatedBytes() of what is allocated.
//
// Thread-safe. An uncontended call is a few nanoseconds; one in a magazine's worth takes the
// class's mutex for a few dozen instructions (a leaf lock: nothing is taken inside but the span
// mutex).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/thread_index.h"
#include "engine/store/memory_gauge.h"
#include "engine/store/size_classes.h"
#include "engine/store/value_block.h"

namespace mikura::engine::store {

// Place in the region in units of 4 bytes, below 2^40. 0 is no place.
using SlabRef = uint64_t;

inline constexpr size_t kRefUnitBytes = 4;
inline constexpr uint64_t kRefMask = (uint64_t{1} << 40) - 1;
inline constexpr uint64_t kRegionBytesMax = uint64_t{1} << 42;
inline constexpr size_t kBucketBytes = 64;
inline constexpr uint32_t kBucketNumberMask = (uint32_t{1} << 28) - 1;

class SlabAllocator {
 public:
  // Reserves addresses, not memory: `bytes_max` or, when the machine refuses, the largest smaller
  // power of two. bytes_max: a power of two, 16 MiB to kRegionBytesMax.
  // Errors: not even 16 MiB could be reserved.
  static Result<std::unique_ptr<SlabAllocator>> Create(uint64_t bytes_max = kRegionBytesMax);
  ~SlabAllocator();
  SlabAllocator(const SlabAllocator&) = delete;
  SlabAllocator& operator=(const SlabAllocator&) = delete;

  // Returns 0 when the region is full. bytes: at most kLargeBytesMax.
  SlabRef Allocate(size_t bytes);
  // bytes: as in Allocate, or any other request of the same class.
  void Free(SlabRef ref, size_t bytes);

  // Chain buckets: 64 bytes, in a part of the region that 28 bits can number. 0 when it is full.
  uint32_t AllocateBucket();
  void FreeBucket(uint32_t number);

  char* At(SlabRef ref) const { return region_ + ref * kRefUnitBytes; }
  SlabRef RefOf(const char* address) const {
    return static_cast<SlabRef>(address - region_) / kRefUnitBytes;
  }
  char* BucketAt(uint32_t number) const { return region_ + size_t{number} * kBucketBytes; }

  char* region() const { return region_; }
  // region_bytes - 1: any offset masked with it can be read (S1).
  uint64_t region_mask() const { return region_bytes_ - 1; }
  // Bytes given to spans so far: an upper limit of what the region has resident.
  uint64_t span_bytes() const { return span_bytes_.load(std::memory_order_relaxed); }

  // Memory of all data: this region's slots and the external values.
  MemoryGauge& gauge() { return block_memory_.gauge; }
  const MemoryGauge& gauge() const { return block_memory_.gauge; }
  // For external values. Someone has to call block_memory().deferred.FreeAll() now and then.
  BlockMemory& block_memory() { return block_memory_; }

 private:
  // Free slots of one class that belong to one thread.
  struct Bin {
    SlabRef head = 0;   // list of `count` free slots
    SlabRef spare = 0;  // a full magazine, or none
    SlabRef run = 0;    // first of `run_left` slots never used so far
    uint32_t run_left = 0;
    uint32_t count = 0;
  };
  static constexpr uint32_t kBucketClass = kSmallClasses;
  static constexpr uint32_t kClassCount = kSmallClasses + 1;
  struct ThreadCache {
    std::array<Bin, kClassCount> bins;
  };
  // What all threads share of one class.
  struct Pool {
    Mutex mutex;
    SlabRef magazines GUARDED_BY(mutex) = 0;   // list of full magazines
    uint64_t span_next GUARDED_BY(mutex) = 0;  // offsets of the span being cut
    uint64_t span_end GUARDED_BY(mutex) = 0;
  };

  SlabAllocator(char* region, uint64_t region_bytes);

  ThreadCache& CacheOf(uint32_t thread);
  SlabRef Take(uint32_t size_class, uint32_t thread);
  void Give(uint32_t size_class, uint32_t thread, SlabRef ref);
  bool Refill(uint32_t size_class, Bin& bin);
  bool CutSpan(uint32_t size_class, Pool& pool) REQUIRES(pool.mutex);
  // Next `bytes` of the region's main part, aligned to pages; 0 when it is full.
  uint64_t ReserveSpan(uint64_t bytes);
  SlabRef TakeLarge(size_t bytes);
  void GiveLarge(SlabRef ref, size_t bytes);

  char* const region_;
  const uint64_t region_bytes_;
  const uint64_t bucket_part_bytes_;  // the region's first part holds chain buckets

  Mutex span_mutex_;
  uint64_t bucket_next_ GUARDED_BY(span_mutex_);
  uint64_t main_next_ GUARDED_BY(span_mutex_);
  std::array<std::vector<SlabRef>, kLargeClasses> large_free_ GUARDED_BY(span_mutex_);
  std::atomic<uint64_t> span_bytes_{0};  // publishes nothing but itself, to statistics

  // caches_[i] belongs to the thread with index i; set once, by that thread.
  std::array<std::atomic<ThreadCache*>, kThreadsMax> caches_{};
  std::array<Pool, kClassCount> pools_;
  BlockMemory block_memory_;
};

}  // namespace mikura::engine::store
