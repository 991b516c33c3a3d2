// SPDX-License-Identifier: Apache-2.0
// What is done between requests: tables grow and shrink, entries move together, memory goes back.
#include <malloc.h>

#include <algorithm>

#include "base/mutex.h"
#include "engine/keyspace/evictor.h"
#include "engine/keyspace/keyspace.h"
#include "engine/store/slab_allocator.h"

namespace mikura::engine {
namespace {

constexpr size_t kResizeBudget = 8;  // chains per shard and turn: some microseconds
constexpr size_t kMoveBudget = 8;    // the same
constexpr UnixMillis kMallocLookPeriod = 1000;
constexpr size_t kMallocFreeMax = 2 << 20;  // more that malloc holds and nobody uses goes back
constexpr size_t kPurgeBytesMin = 64 << 10;
constexpr size_t kPurgeBytesMax = 16 << 20;  // per turn: some milliseconds

// One at a time: where a sanitizer's allocator serves the process, the first call is what sets up
// the C library's heap, and that does not survive a second thread.
void TrimLibraryHeap(size_t kept) {
  static Mutex mutex;
  const MutexLock lock(mutex);
  malloc_trim(kept);
}

}  // namespace

bool Keyspace::MaintainShards(uint32_t first, uint32_t count) {
  bool more = false;
  for (uint32_t n = 0; n < count; ++n) {
    const uint32_t index = (first + n) % kShardCount;
    // A shard in use is left to its next turn: this is background work.
    if (!lock(index).TryLock()) continue;
    if (!is_held_up()) more |= !cells_[index].shard->ResizeStep(kResizeBudget);
    more |= !DefragmentStep(cells_[index]);
    lock(index).Unlock();
  }
  return more;
}

void Keyspace::Maintain(bool tends_memory, UnixMillis now) {
  evictor_->Maintain(now);
  if (tends_memory) TendMemory(now);
  allocator_->TendThreadCache();
}

// By one thread.
void Keyspace::TendMemory(UnixMillis now) {
  defragmentation_.Tend(now);
  const int64_t used = gauge_.used_bytes();
  if (used > peak_bytes_.load(std::memory_order_relaxed)) {
    peak_bytes_.store(used, std::memory_order_relaxed);
  }
  const bool looks = now >= next_malloc_look_;
  if (looks) {
    next_malloc_look_ = now + kMallocLookPeriod;
    wants_malloc_look_.store(true, std::memory_order_relaxed);
  }
  if (looks || allocator_->dirty_bytes() != 0 || allocator_->collections().has_queued()) {
    reclaimer_.Request();
  }
}

// By the reclaimer's thread. A fraction of what is free, so that memory which is about to be used
// again stays. What sessions and replies took of malloc stays in its lists: nobody else needs it.
void Keyspace::ReturnSomeMemory() {
  allocator_->collections().DeleteQueued();
  const size_t free_bytes = allocator_->dirty_bytes();
  if (free_bytes != 0) {
    allocator_->Purge(std::clamp(free_bytes / 8, kPurgeBytesMin, kPurgeBytesMax));
  }
  if (wants_malloc_look_.exchange(false, std::memory_order_relaxed) &&
      mallinfo2().fordblks > kMallocFreeMax) {
    TrimLibraryHeap(kMallocFreeMax / 2);
  }
}

// The cell's shard is locked. True when it is done with the pass that runs, if any.
bool Keyspace::DefragmentStep(Cell& cell) {
  const uint64_t pass = defragmentation_.pass();
  if (pass == 0) return true;
  store::DefragmentationProgress& progress = cell.defragmentation;
  if (progress.pass != pass) progress = {.pass = pass, .done = false};
  if (progress.done) return true;
  if (!cell.shard->DefragmentStep(progress, kMoveBudget)) return false;
  progress.done = true;
  defragmentation_.OnShardDone();
  return true;
}

size_t Keyspace::ReturnFreeMemory() {
  const uint64_t before = allocator_->span_bytes();
  allocator_->FlushThreadCaches();
  allocator_->Purge(SIZE_MAX);
  TrimLibraryHeap(0);
  const uint64_t after = allocator_->span_bytes();
  return before > after ? before - after : 0;
}

}  // namespace mikura::engine
