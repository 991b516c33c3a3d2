// SPDX-License-Identifier: Apache-2.0
// The region in spans of 64 KiB: which are free, and giving free ones back to the machine.
//
// A span is used by one size class at a time (slot_pool.h). When its last slot is free it comes
// back here and any class may have it next. Free spans are "dirty" while their memory is resident,
// so that the next user finds it warm, and "clean" after Purge().
//
// The region's first part holds chain buckets alone: their numbers have 28 bits.
//
// Rules:
//   P1. A span's record is guarded by the pool that uses it, or, while it is free, by this class.
//   P2. Giving back leaves the addresses readable, as zeros: hints may read them at any time.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/mutex.h"
#include "engine/store/size_classes.h"

namespace mikura::engine::store {

inline constexpr size_t kSpanBytes = 65536;

// Number of a span in the region; 0 is none: the first 64 KiB are never used.
using SpanNumber = uint32_t;

struct Span {
  uint64_t free_head;   // list of free slots, as references; 0: none
  SpanNumber next;      // neighbours in a list of the pool or of the store
  SpanNumber previous;  // in a list of the pool
  uint16_t never_used;  // slots from this one on have never been given out
  uint16_t given_out;   // slots that are in use or with a thread
  uint8_t list;         // list of the pool that holds the span
  // 1 while the span's entries are to move away. Publishes nothing: a reader that sees it late
  // moves an entry in vain or leaves it where it is.
  std::atomic<uint8_t> evacuating;
};
static_assert(sizeof(Span) == 24);

enum class RegionPart : uint8_t { kBuckets = 0, kMain = 1 };

class SpanStore {
 public:
  // `region`: zeroed address space of `region_bytes` whose first `bucket_part_bytes` are for
  // buckets; both multiples of kSpanBytes. Ends the process when the records find no address space.
  SpanStore(char* region, uint64_t region_bytes, uint64_t bucket_part_bytes);
  ~SpanStore();
  SpanStore(const SpanStore&) = delete;
  SpanStore& operator=(const SpanStore&) = delete;

  Span& operator[](SpanNumber number) const { return spans_[number]; }
  char* BytesOf(SpanNumber number) const { return region_ + size_t{number} * kSpanBytes; }
  SpanNumber NumberOf(const char* address) const {
    return static_cast<SpanNumber>(static_cast<uint64_t>(address - region_) / kSpanBytes);
  }

  // A span that nobody uses, or 0 when the part is full. Its user needs the first `needed_bytes`:
  // whole pages behind them are not resident.
  SpanNumber Take(RegionPart part, size_t needed_bytes);
  void Give(RegionPart part, SpanNumber number);
  // Offset of `bytes` of address space that never become spans; 0 when the region is full.
  uint64_t ReserveLarge(uint64_t bytes);

  // Gives the memory of up to `spans_max` dirty spans back to the machine; returns their number.
  // Some microseconds for each: never under a shard's lock.
  size_t Purge(size_t spans_max);

  // Readable at any time, without a lock.
  uint64_t used_bytes() const { return used_spans_.load(std::memory_order_relaxed) * kSpanBytes; }
  uint64_t dirty_bytes() const { return dirty_spans_.load(std::memory_order_relaxed) * kSpanBytes; }
  // End of the addresses of `part` that were ever in use.
  uint64_t EndOf(RegionPart part);

 private:
  static constexpr size_t kParts = 2;
  struct Part {
    uint64_t next = 0;  // addresses from here to `end` have never been used
    uint64_t end = 0;
    SpanNumber dirty = 0;  // stacks of free spans
    SpanNumber clean = 0;
  };

  SpanNumber TakeAny(RegionPart part, bool& is_dirty);

  char* const region_;
  const uint64_t region_bytes_;
  Span* spans_;
  size_t records_bytes_;

  Mutex mutex_;  // a leaf: a few dozen instructions
  std::array<Part, kParts> parts_ GUARDED_BY(mutex_);
  std::atomic<uint64_t> used_spans_{0};  // publish nothing but themselves, to statistics
  std::atomic<uint64_t> dirty_spans_{0};
};

}  // namespace mikura::engine::store
