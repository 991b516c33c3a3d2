// SPDX-License-Identifier: Apache-2.0
#include "engine/store/span_store.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"

namespace mikura::engine::store {
namespace {

// Free spans that one turn of the mutex takes for giving back.
constexpr size_t kPurgeGroup = 16;

}  // namespace

SpanStore::SpanStore(char* region, uint64_t region_bytes, uint64_t bucket_part_bytes)
    : region_(region),
      region_bytes_(region_bytes),
      records_bytes_(region_bytes / kSpanBytes * sizeof(Span)) {
  void* records = mmap(nullptr, records_bytes_, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(records != MAP_FAILED);
  spans_ = static_cast<Span*>(records);  // zero bytes are a valid record
  MutexLock lock(mutex_);
  parts_[0] = {kSpanBytes, bucket_part_bytes, 0, 0};
  parts_[1] = {bucket_part_bytes, region_bytes_, 0, 0};
}

// The system call itself, as for the region: see ~SlabAllocator.
SpanStore::~SpanStore() { syscall(SYS_munmap, spans_, records_bytes_); }

SpanNumber SpanStore::Take(RegionPart part, size_t needed_bytes) {
  bool is_dirty = false;
  const SpanNumber number = TakeAny(part, is_dirty);
  const size_t needed_pages_bytes = RoundToPages(needed_bytes);
  if (is_dirty && needed_pages_bytes < kSpanBytes) {
    CHECK(madvise(BytesOf(number) + needed_pages_bytes, kSpanBytes - needed_pages_bytes,
                  MADV_DONTNEED) == 0);
  }
  return number;
}

SpanNumber SpanStore::TakeAny(RegionPart part, bool& is_dirty) {
  MutexLock lock(mutex_);
  Part& from = parts_[static_cast<size_t>(part)];
  SpanNumber number = 0;
  if (from.dirty != 0) {
    number = from.dirty;
    is_dirty = true;
    from.dirty = spans_[number].next;
    dirty_spans_.fetch_sub(1, std::memory_order_relaxed);
  } else if (from.clean != 0) {
    number = from.clean;
    from.clean = spans_[number].next;
  } else if (from.next + kSpanBytes <= from.end) {
    number = static_cast<SpanNumber>(from.next / kSpanBytes);
    from.next += kSpanBytes;
  } else {
    return 0;
  }
  used_spans_.fetch_add(1, std::memory_order_relaxed);
  return number;
}

void SpanStore::Give(RegionPart part, SpanNumber number) {
  MutexLock lock(mutex_);
  Part& to = parts_[static_cast<size_t>(part)];
  spans_[number].next = to.dirty;
  to.dirty = number;
  dirty_spans_.fetch_add(1, std::memory_order_relaxed);
  used_spans_.fetch_sub(1, std::memory_order_relaxed);
}

uint64_t SpanStore::ReserveLarge(uint64_t bytes) {
  const uint64_t rounded = (bytes + kSpanBytes - 1) / kSpanBytes * kSpanBytes;
  MutexLock lock(mutex_);
  Part& main = parts_[static_cast<size_t>(RegionPart::kMain)];
  if (main.next + rounded > main.end) return 0;
  const uint64_t start = main.next;
  main.next += rounded;
  return start;
}

// While its memory is being given back a span is on no stack: nobody else can get it.
size_t SpanStore::Purge(size_t spans_max) {
  size_t purged = 0;
  for (size_t part = 0; part < kParts; ++part) {
    while (purged < spans_max) {
      std::array<SpanNumber, kPurgeGroup> group;
      size_t count = 0;
      {
        MutexLock lock(mutex_);
        Part& from = parts_[part];
        for (; count < kPurgeGroup && purged + count < spans_max && from.dirty != 0; ++count) {
          group[count] = from.dirty;
          from.dirty = spans_[from.dirty].next;
        }
        dirty_spans_.fetch_sub(count, std::memory_order_relaxed);
      }
      if (count == 0) break;
      for (size_t i = 0; i < count; ++i) {
        CHECK(madvise(BytesOf(group[i]), kSpanBytes, MADV_DONTNEED) == 0);
      }
      MutexLock lock(mutex_);
      for (size_t i = 0; i < count; ++i) {
        spans_[group[i]].next = parts_[part].clean;
        parts_[part].clean = group[i];
      }
      purged += count;
    }
  }
  return purged;
}

uint64_t SpanStore::EndOf(RegionPart part) {
  MutexLock lock(mutex_);
  return parts_[static_cast<size_t>(part)].next;
}

}  // namespace mikura::engine::store
