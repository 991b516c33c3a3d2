// SPDX-License-Identifier: Apache-2.0
#include "engine/store/large_slots.h"

#include <sys/mman.h>

#include "base/check.h"
#include "engine/store/slot_poison.h"

namespace mikura::engine::store {

SlabRef LargeSlots::Take(size_t bytes) {
  const uint32_t large_class = LargeClassOf(bytes);
  const size_t needed_bytes = RoundToPages(bytes);
  Free slot = TakeFree(large_class, false);
  if (slot.ref == 0) {
    slot.ref = spans_.ReserveLarge(LargeClassBytes(large_class)) / kRefUnitBytes;
  }
  // Only when the addresses are used up: the rest of the larger slot is lost.
  if (slot.ref == 0) slot = TakeFree(large_class, true);
  if (slot.ref == 0) return 0;
  char* const begin = At(slot.ref);
  UnpoisonSlot(begin, needed_bytes);
  // What the last value had beyond this one's pages would be counted by nobody.
  if (slot.resident_bytes > needed_bytes) {
    ReturnPages(begin + needed_bytes, begin + slot.resident_bytes);
  }
  used_bytes_.fetch_add(needed_bytes, std::memory_order_relaxed);
  return slot.ref;
}

void LargeSlots::Give(SlabRef ref, size_t bytes) {
  const size_t resident_bytes = RoundToPages(bytes);
  PoisonFreeSlot(At(ref), resident_bytes);
  used_bytes_.fetch_sub(resident_bytes, std::memory_order_relaxed);
  dirty_bytes_.fetch_add(resident_bytes, std::memory_order_relaxed);
  MutexLock lock(mutex_);
  free_[LargeClassOf(bytes)].dirty.push_back({ref, resident_bytes});
}

LargeSlots::Free LargeSlots::TakeFree(uint32_t large_class, bool or_larger) {
  MutexLock lock(mutex_);
  const uint32_t end = or_larger ? kLargeClasses : large_class + 1;
  for (; large_class < end; ++large_class) {
    FreeLists& lists = free_[large_class];
    for (std::vector<Free>* list : {&lists.dirty, &lists.clean}) {
      if (list->empty()) continue;
      const Free slot = list->back();
      list->pop_back();
      dirty_bytes_.fetch_sub(slot.resident_bytes, std::memory_order_relaxed);
      return slot;
    }
  }
  return {};
}

// While its pages are being given back a slot is on no list: nobody else can get it.
size_t LargeSlots::Purge(size_t bytes_max) {
  size_t purged = 0;
  for (uint32_t large_class = kLargeClasses; large_class-- > 0;) {
    while (purged < bytes_max) {
      Free slot;
      {
        MutexLock lock(mutex_);
        std::vector<Free>& dirty = free_[large_class].dirty;
        if (dirty.empty()) break;
        slot = dirty.back();
        dirty.pop_back();
        dirty_bytes_.fetch_sub(slot.resident_bytes, std::memory_order_relaxed);
      }
      ReturnPages(At(slot.ref), At(slot.ref) + slot.resident_bytes);
      purged += slot.resident_bytes;
      MutexLock lock(mutex_);
      free_[large_class].clean.push_back({slot.ref, 0});
    }
  }
  return purged;
}

void LargeSlots::ReturnPages(char* begin, char* end) {
  CHECK(madvise(begin, static_cast<size_t>(end - begin), MADV_DONTNEED) == 0);
}

}  // namespace mikura::engine::store
