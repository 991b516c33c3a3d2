// SPDX-License-Identifier: Apache-2.0
// Checks of the hash table's rules; nothing here runs outside tests.
#include <unordered_set>

#include "base/check.h"
#include "engine/store/hash_table.h"

namespace mikura::engine::store {
namespace {

constexpr uint64_t kPositions = uint64_t{1} << 32;
constexpr uint32_t kPageBuckets = 64;

}  // namespace

void HashTable::CheckInvariants() const {
  if (!has_chains()) {
    CHECK(keys_.value() == 0 && !is_resizing());
    return;
  }
  std::unordered_set<const char*> seen;
  for (uint64_t position = 0; position < kPositions;) {
    const ChainRange range = ChainAt(static_cast<uint32_t>(position));
    CHECK(range.end > position);
    for (const Bucket* bucket = range.head; bucket != nullptr; bucket = NextOf(bucket)) {
      const uint32_t size = bucket->size();
      if (bucket->next() != 0) CHECK(size == kPlaces);                    // B2
      if (bucket != range.head) CHECK(size > 0 && bucket->marks() == 0);  // B2, B3
      for (uint32_t i = 0; i < kPlaces; ++i) {
        CHECK((bucket->tags[i] == 0) == (i >= size));  // B1, B2
        CHECK((bucket->ref(i) == 0) == (i >= size));
      }
      for (uint32_t i = 0; i < size; ++i) {
        const Entry entry = EntryAt(bucket, i);
        const uint64_t hash = hasher_->Hash(entry.key());
        CHECK(bucket->tags[i] == TagOf(hash));
        CHECK(ChainOf(PositionOf(hash)) == range.head);  // H1
        seen.insert(entry.bytes());
      }
    }
    position = range.end;
  }
  CHECK(static_cast<int64_t>(seen.size()) == keys_.value());  // H2
}

int64_t HashTable::ArrayMemory() const {
  const uint64_t boundary = is_resizing()
                                ? FirstPosition(moved_.load(std::memory_order_relaxed),
                                                old_.buckets.load(std::memory_order_relaxed))
                                : kPositions;
  return ArrayMemoryOf(current_, 0, boundary) +
         ArrayMemoryOf(old_, moved_.load(std::memory_order_relaxed), kPositions);
}

// Directory, pages, and the overflow buckets of the chains from `first_chain` to the one before
// `position_end`.
int64_t HashTable::ArrayMemoryOf(const Array& array, uint32_t first_chain,
                                 uint64_t position_end) const {
  const uint32_t buckets = array.buckets.load(std::memory_order_relaxed);
  if (buckets == 0) return 0;
  const uint32_t pages = (buckets + kPageBuckets - 1) / kPageBuckets;
  size_t bytes = AllocatedBytes(pages * 8 < 16 ? 16 : pages * 8);
  for (uint32_t page = 0; page < pages; ++page) {
    const uint32_t left = buckets - page * kPageBuckets;
    if (Directory(array)[page] == 0) continue;
    bytes += AllocatedBytes(size_t{left < kPageBuckets ? left : kPageBuckets} * kBucketBytes);
  }
  for (uint32_t index = first_chain;
       index < buckets && FirstPosition(index, buckets) < position_end; ++index) {
    const Bucket* bucket = Head(array, index);
    while ((bucket = NextOf(bucket)) != nullptr) bytes += kBucketBytes;
  }
  return static_cast<int64_t>(bytes);
}

}  // namespace mikura::engine::store
