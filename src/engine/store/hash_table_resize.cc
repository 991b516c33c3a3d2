// SPDX-License-Identifier: Apache-2.0
// Moving chains from the old array of buckets to the new one.
#include <array>

#include "base/check.h"
#include "engine/store/hash_table.h"
#include "engine/store/table_sizes.h"
#include "engine/store/walk_mutants.h"
#include "engine/store/walks.h"

namespace mikura::engine::store {
namespace {

constexpr uint32_t kPageBuckets = 64;

// Sizes differ by at most a factor of 2 (from 1 to 2), so the positions of one chain lie in at most
// three chains of the other array.
constexpr uint32_t kDestinationsMax = 3;

}  // namespace

void HashTable::ConsiderShrinking() {
  if (is_resizing() || !IsTooEmpty(keys_.value(), bucket_count())) return;
  StartResize(SmallerSize(bucket_count(), stagger_));
}

// Without memory for a directory nothing begins; a later write tries again.
void HashTable::StartResize(uint32_t buckets) {
  Array array;
  if (!MakeArray(array, buckets)) return;
  moved_.store(0, std::memory_order_relaxed);
  old_.directory.store(current_.directory.load(std::memory_order_relaxed),
                       std::memory_order_relaxed);
  old_.buckets.store(current_.buckets.load(std::memory_order_relaxed), std::memory_order_relaxed);
  current_.directory.store(array.directory.load(std::memory_order_relaxed),
                           std::memory_order_relaxed);
  current_.buckets.store(buckets, std::memory_order_relaxed);
}

bool HashTable::MoveChains(size_t chains, WalkSet& walks) {
  for (; chains > 0; --chains) {
    if (!is_resizing()) {
      ConsiderShrinking();
      if (!is_resizing()) return true;
    }
    if (!MoveOneChain(walks)) return false;
  }
  return !is_resizing();
}

// Moves chain moved_ of the old array. False when memory is lacking: then nothing has changed.
bool HashTable::MoveOneChain(WalkSet& walks) {
  const uint32_t index = moved_.load(std::memory_order_relaxed);
  const uint32_t old_buckets = old_.buckets.load(std::memory_order_relaxed);
  const uint32_t buckets = current_.buckets.load(std::memory_order_relaxed);
  Bucket* source = Head(old_, index);
  PrefetchAll(source);

  const auto first = static_cast<uint32_t>(FirstPosition(index, old_buckets));
  const auto last = static_cast<uint32_t>(FirstPosition(index + 1, old_buckets) - 1);
  const uint32_t first_index = IndexOf(first, buckets);
  const uint32_t count = IndexOf(last, buckets) - first_index + 1;
  CHECK(count <= kDestinationsMax);
  uint32_t entries = 0;
  for (Bucket* bucket = source; bucket != nullptr; bucket = NextOf(bucket)) {
    entries += bucket->size();
  }

  // All memory that moving can need is taken first: half a chain cannot be moved.
  uint32_t reserve_needed = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (!MakePage(current_, (first_index + i) / kPageBuckets, walks.senses())) return false;
    Bucket* tail = Head(current_, first_index + i);
    while (Bucket* next = NextOf(tail)) tail = next;
    const uint32_t after = tail->size() + entries;
    if (after > kPlaces) reserve_needed += (after - 1) / kPlaces;
  }
  uint32_t reserve = 0;
  for (; reserve_needed > 0; --reserve_needed) {
    const uint32_t number = allocator_->AllocateBucket();
    if (number == 0) {
      ReturnReserve(reserve);
      return false;
    }
    auto* bucket = reinterpret_cast<Bucket*>(allocator_->BucketAt(number));
    std::memset(static_cast<void*>(bucket), 0, sizeof *bucket);
    bucket->set_next(reserve);
    reserve = number;
  }

  if (!IsMutant(WalkMutant::kMoveUnsettled) && !IsMutant(WalkMutant::kDestinationInherits)) {
    walks.Settle(*this, source);
  }
  for (uint32_t i = 0; i < count; ++i) {
    Bucket* head = Head(current_, first_index + i);
    if (IsMutant(WalkMutant::kDestinationInherits)) {
      head->set_marks(source->marks());
      continue;
    }
    // An empty chain may not have been live until now: then no walk has visited it, and its marks
    // are as old as its page. Without entries, taking over the senses is all that settling means.
    if (head->size() == 0) {
      head->set_marks(walks.senses());
    } else if (!IsMutant(WalkMutant::kSourceOnly)) {
      walks.Settle(*this, head);
    }
  }
  ForEach(source, [&](Bucket* bucket, uint32_t place, Entry entry) {
    const uint32_t target = IndexOf(PositionOfEntry(entry), buckets);
    AppendFrom(reserve, Head(current_, target), bucket->tags[place], bucket->ref(place));
  });
  ReturnReserve(reserve);
  FinishMove(index);
  return true;
}

// Adds a reference to a chain; an overflow bucket comes from the list `reserve`.
void HashTable::AppendFrom(uint32_t& reserve, Bucket* head, uint8_t tag, SlabRef ref) {
  Bucket* tail = head;
  while (Bucket* next = NextOf(tail)) tail = next;
  uint32_t size = tail->size();
  if (size == kPlaces) {
    CHECK(reserve != 0);
    const uint32_t number = reserve;
    tail->set_next(number);
    tail = reinterpret_cast<Bucket*>(allocator_->BucketAt(number));
    reserve = tail->next();
    tail->set_next(0);
    bytes_.Add(kBucketBytes);
    size = 0;
  }
  tail->Set(size, tag, ref);
}

void HashTable::ReturnReserve(uint32_t reserve) {
  while (reserve != 0) {
    const uint32_t next = reinterpret_cast<Bucket*>(allocator_->BucketAt(reserve))->next();
    allocator_->FreeBucket(reserve);
    reserve = next;
  }
}

// Frees what chain `index` of the old array leaves behind.
void HashTable::FinishMove(uint32_t index) {
  Bucket* source = Head(old_, index);
  for (uint32_t next = source->next(); next != 0;) {
    const uint32_t number = next;
    next = reinterpret_cast<Bucket*>(allocator_->BucketAt(number))->next();
    allocator_->FreeBucket(number);
    bytes_.Add(-static_cast<int64_t>(kBucketBytes));
  }
  const uint32_t old_buckets = old_.buckets.load(std::memory_order_relaxed);
  moved_.store(index + 1, std::memory_order_relaxed);
  if (index + 1 == old_buckets) {
    FreeArray(old_);
    moved_.store(0, std::memory_order_relaxed);
  } else if ((index + 1) % kPageBuckets == 0) {
    FreePage(old_, index / kPageBuckets);
  }
}

}  // namespace mikura::engine::store
