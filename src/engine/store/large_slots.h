// SPDX-License-Identifier: Apache-2.0
// Slots above kSmallBytesMax: address space by classes, memory by whole pages, so that a value
// takes its own length rounded up to 4 KiB and leaves no holes that others would have to fill.
//
// A free slot is "dirty" while its pages are resident, so that the next value of the class finds
// them warm, and "clean" after Purge(). Addresses stay with their class.
//
// Thread-safe. One mutex, a leaf but for the span store's, held for a few dozen instructions; no
// system call happens inside.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/mutex.h"
#include "engine/store/size_classes.h"
#include "engine/store/slot_pool.h"
#include "engine/store/span_store.h"

namespace mikura::engine::store {

class LargeSlots {
 public:
  LargeSlots(SpanStore& spans, char* region) : spans_(spans), region_(region) {}

  // A slot for `bytes`, above kSmallBytesMax and at most kLargeBytesMax; 0 when the region is full.
  SlabRef Take(size_t bytes);
  // bytes: as in Take, or any other number with the same AllocatedBytes(). Gives nothing back to
  // the machine: it may be called under a shard's lock.
  void Give(SlabRef ref, size_t bytes);

  // Gives about `bytes_max` of dirty memory back to the machine, the largest slots first; returns
  // the bytes. About 0.1 ms for each megabyte: never under a shard's lock.
  size_t Purge(size_t bytes_max);

  // Readable at any time, without a lock.
  uint64_t used_bytes() const { return used_bytes_.load(std::memory_order_relaxed); }
  uint64_t dirty_bytes() const { return dirty_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Free {
    SlabRef ref = 0;
    size_t resident_bytes = 0;  // of its start; 0: clean
  };
  struct FreeLists {
    std::vector<Free> dirty;
    std::vector<Free> clean;
  };

  char* At(SlabRef ref) const { return region_ + ref * kRefUnitBytes; }
  // A free slot of this class or, when `or_larger`, of a larger one.
  Free TakeFree(uint32_t large_class, bool or_larger);
  static void ReturnPages(char* begin, char* end);

  SpanStore& spans_;
  char* const region_;
  Mutex mutex_;
  std::array<FreeLists, kLargeClasses> free_ GUARDED_BY(mutex_);
  std::atomic<uint64_t> used_bytes_{0};  // publish nothing but themselves, to statistics
  std::atomic<uint64_t> dirty_bytes_{0};
};

}  // namespace mikura::engine::store
