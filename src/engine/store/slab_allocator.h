// SPDX-License-Identifier: Apache-2.0
// Memory of entries, values, buckets and expiry wheels: slots of size classes in one reserved
// region, so that a reference needs 5 bytes.
//
// Rules:
//   S1. The region is never unmapped: any offset below its size can be read at any time.
//   S2. What one thread frees another can get: a thread keeps at most two magazines of free slots
//       per class and gives further ones to the shared pool of the class.
//   S3. The gauge counts exactly AllocatedBytes() of what is allocated.
//   S4. Free memory goes back to the machine: from a thread's cache to the pool of its class
//       (TendThreadCache), from there in whole spans to all classes, then to the machine (Purge).
//       Spans that are never quite free are emptied by moving what is in them (defragmentation.h).
//
// Thread-safe. An uncontended call is a few nanoseconds; one in a magazine's worth takes the
// class's mutex for a few dozen instructions each slot (a leaf lock: nothing is taken inside but
// the span store's).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "base/mutex.h"
#include "base/result.h"
#include "base/thread_index.h"
#include "engine/store/collection_memory.h"
#include "engine/store/large_slots.h"
#include "engine/store/memory_gauge.h"
#include "engine/store/size_classes.h"
#include "engine/store/slot_pool.h"
#include "engine/store/span_store.h"

namespace mikura::engine::store {

inline constexpr uint64_t kRegionBytesMax = uint64_t{1} << 42;
// No value shorter than this has a block of its own (entry.h says from where on).
inline constexpr size_t kBlockBytesMin = 4096;
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
  // An upper limit of what the region has resident.
  uint64_t span_bytes() const { return spans_.used_bytes() + large_.used_bytes() + dirty_bytes(); }

  // ---- Giving memory back. All but the first two may be called by any thread.
  // Gives the calling thread's free slots that it has not touched since the last call back to the
  // pools; all of them when FlushThreadCaches() was called meanwhile. For every thread that
  // allocates, now and then. A few hundred loads when there is nothing to do.
  void TendThreadCache();
  void FlushThreadCache();
  // Makes every thread flush when it next tends its cache, and flushes those of ended threads.
  void FlushThreadCaches();
  // Returns about `bytes_max` of free memory to the machine; how much it was. About 0.1 ms for each
  // megabyte: never under a shard's lock.
  size_t Purge(size_t bytes_max);
  // Free memory that the machine does not have back yet.
  uint64_t dirty_bytes() const { return spans_.dirty_bytes() + large_.dirty_bytes(); }
  // Sums over all classes of slots. Takes each class's mutex once.
  SlotPool::Counts counts() const;
  // Memory of large slots in use; of chain buckets behind the first of a chain.
  uint64_t large_bytes() const { return large_.used_bytes(); }
  uint64_t overflow_bucket_bytes() const { return pools_[kBucketClass].counts().given_out_bytes; }

  // ---- Defragmentation: see defragmentation.h. Marks sparse spans, at most `spans_max` of each
  // class that wastes more than `waste_percent` of what it has; returns their number.
  size_t BeginEvacuation(size_t spans_max, uint32_t waste_percent,
                         Evacuate which = Evacuate::kSparseSpans);
  // Returns how many marked spans could not be emptied.
  size_t EndEvacuation();
  // Whether what lies there ought to move. One load, of a line shared by a few neighbour spans.
  bool IsEvacuating(SlabRef ref) const {
    return spans_[static_cast<SpanNumber>(ref / (kSpanBytes / kRefUnitBytes))].evacuating.load(
               std::memory_order_relaxed) != 0;
  }
  // False when no block of a value lies in a marked span, so that nobody has to look at entries.
  bool evacuates_blocks() const { return evacuates_blocks_.load(std::memory_order_relaxed); }
  // Copies what lies at `ref`, allocated with `bytes` (at most kSmallBytesMax), to a fuller span,
  // frees the old place and returns the new one; 0 when there is none: then nothing has changed.
  // The caller is the only one who refers to it.
  SlabRef Move(SlabRef ref, size_t bytes);
  uint32_t MoveBucket(uint32_t number);

  // This region's slots in use, and what else is counted into the memory limit.
  MemoryGauge& gauge() { return gauge_; }
  const MemoryGauge& gauge() const { return gauge_; }
  // Memory of large collections, which is malloc's.
  CollectionMemory& collections() { return collections_; }

 private:
  // Free slots of one class that belong to one thread.
  struct Bin {
    SlabRef head = 0;   // list of `count` free slots
    SlabRef spare = 0;  // a full magazine, or none
    SlabRef run = 0;    // first of `run_left` slots never used so far
    uint32_t run_left = 0;
    uint32_t count = 0;

    bool operator==(const Bin&) const = default;
  };
  struct ThreadCache {
    std::array<Bin, kClassCount> bins;
    // How the bins were when they were last tended: a bin that is still so was idle since.
    std::array<Bin, kClassCount> seen;
    uint64_t flushes = 0;  // value of flushes_asked_ that was obeyed
  };

  SlabAllocator(char* region, uint64_t region_bytes);

  ThreadCache& CacheOf(uint32_t thread);
  SlabRef Take(uint32_t size_class, uint32_t thread);
  void Give(uint32_t size_class, uint32_t thread, SlabRef ref);
  bool Refill(uint32_t size_class, Bin& bin);
  void Empty(uint32_t size_class, Bin& bin);
  void FlushCache(ThreadCache& cache);
  SlabRef MoveSlot(SlabRef ref, uint32_t size_class);

  char* const region_;
  const uint64_t region_bytes_;
  const uint64_t bucket_part_bytes_;  // the region's first part holds chain buckets

  SpanStore spans_;
  std::array<SlotPool, kClassCount> pools_;
  LargeSlots large_;
  // Publishes nothing: see Span::evacuating.
  std::atomic<bool> evacuates_blocks_{false};
  std::atomic<uint64_t> flushes_asked_{0};  // publishes nothing but itself, to TendThreadCache

  // caches_[i] belongs to the thread with index i; set once, by that thread.
  std::array<std::atomic<ThreadCache*>, kThreadsMax> caches_{};
  MemoryGauge gauge_;
  CollectionMemory collections_{gauge_};
};

}  // namespace mikura::engine::store
