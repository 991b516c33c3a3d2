// SPDX-License-Identifier: Apache-2.0
// The spans of one size class: gives free slots out in groups and takes them back one list at a
// time, so that a thread's cache comes here once in a magazine's worth.
//
// Rules:
//   Q1. A span with free slots is on the list of its fullness, or on the evacuation list. A full
//   span
//       is on no list.
//   Q2. Slots are given out of the fullest span that has some, so nearly empty spans drain.
//   Q3. A span none of whose slots is given out goes back to the span store at once.
//   Q4. No slot of a span that is being evacuated is given out.
//
// Thread-safe: one mutex, a leaf but for the span store's; a few dozen instructions for each slot.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/mutex.h"
#include "engine/store/span_store.h"

namespace mikura::engine::store {

// Place in the region in units of 4 bytes, below 2^40. 0 is no place.
using SlabRef = uint64_t;

inline constexpr size_t kRefUnitBytes = 4;
inline constexpr uint64_t kRefMask = (uint64_t{1} << 40) - 1;

// Free slots are linked through their first 8 bytes.
inline SlabRef ReadSlotLink(const char* slot) {
  uint64_t next;
  __builtin_memcpy(&next, slot, sizeof next);
  return next;
}
inline void WriteSlotLink(char* slot, SlabRef next) { __builtin_memcpy(slot, &next, sizeof next); }

// Slots on their way between a pool and a thread: a list of free ones, or a run of slots side by
// side that were never used.
struct SlotGroup {
  SlabRef list = 0;
  uint32_t list_count = 0;
  SlabRef run = 0;
  uint32_t run_count = 0;
};

enum class Evacuate : uint8_t {
  kSparseSpans,  // as long as the others have room for what is in them
  kAnySpan,      // for tests: moves that save nothing
};

class SlotPool {
 public:
  struct Counts {
    uint64_t spans = 0;
    uint64_t given_out_bytes = 0;
    // Free slots that have been used before: memory that is resident and holds nothing.
    uint64_t waste_bytes = 0;
  };

  // Before any other call, once.
  void Init(SpanStore& store, RegionPart part, size_t slot_bytes);

  // 1 to `count` slots; an empty group when the region is full.
  SlotGroup Take(uint32_t count);
  // Takes back a list of slots, and a run as Take gave it or what is left of its end.
  void Give(const SlotGroup& group);

  Counts counts() const;

  // Marks up to `spans_max` of the emptiest spans for evacuation, as long as the others have room
  // for what is in them; returns how many.
  size_t BeginEvacuation(size_t spans_max, Evacuate which);
  // What still is in marked spans stays there. Returns how many spans were left.
  size_t EndEvacuation();

 private:
  // Fullness in eighths: list 0 has the fullest spans. The last list is the evacuation list.
  static constexpr uint8_t kFullnessLists = 8;
  static constexpr uint8_t kEvacuationList = kFullnessLists;
  static constexpr uint8_t kNoList = kFullnessLists + 1;

  char* At(SlabRef ref) const { return region_ + ref * kRefUnitBytes; }
  uint8_t ListFor(const Span& span) const;
  void Link(SpanNumber number, uint8_t list) REQUIRES(mutex_);
  void Unlink(SpanNumber number) REQUIRES(mutex_);
  // Puts the span on the list that it belongs to now, or gives it back.
  void Settle(SpanNumber number) REQUIRES(mutex_);
  SpanNumber SpanWithRoom() REQUIRES(mutex_);
  void GiveSlot(SlabRef ref) REQUIRES(mutex_);
  void GiveRun(SlabRef run, uint32_t count) REQUIRES(mutex_);

  SpanStore* store_ = nullptr;
  char* region_ = nullptr;
  size_t slot_bytes_ = 0;
  RegionPart part_ = RegionPart::kMain;
  uint16_t capacity_ = 0;

  mutable Mutex mutex_;
  std::array<SpanNumber, kFullnessLists + 1> lists_ GUARDED_BY(mutex_){};
  uint64_t spans_ GUARDED_BY(mutex_) = 0;
  uint64_t given_out_ GUARDED_BY(mutex_) = 0;  // slots
  uint64_t ever_used_ GUARDED_BY(mutex_) = 0;  // slots of the present spans
};

}  // namespace mikura::engine::store
