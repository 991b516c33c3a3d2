// SPDX-License-Identifier: Apache-2.0
// References to the entries of one database of one shard, in chains ordered by hash.
//
// A key's place is (top 32 hash bits x buckets) >> 32, so the order of chains is the order of
// hashes, whatever the number of buckets: a 32-bit position is a cursor that survives resizing.
//
// Growth and shrinking by 1.25, in order, a few chains per write: while it runs there are two
// arrays, and chain i of the old one has been moved if i < moved_. Buckets lie in pages of 64 that
// come and go one by one, so memory follows the data.
//
// Rules:
//   H1. A key is in exactly one chain: of old_ when its old index is >= moved_, else of current_.
//   H2. keys() is the number of entries; bytes() the memory of pages, directories, overflow buckets
//       and whatever the owner adds.
//   H3. Pages are created with their marks equal to the walks' senses (walks.h, W1).
//   H4. The marks of a chain agree with all walks (it is settled) before an entry is added or
//   moved.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <string_view>

#include "engine/store/bucket.h"
#include "engine/store/entry.h"
#include "engine/store/key.h"
#include "engine/store/relaxed_count.h"
#include "engine/store/slab_allocator.h"

#if defined(__clang__)
#define MIKURA_UNSYNCHRONIZED_HINT __attribute__((no_sanitize("thread", "address")))
#else
#define MIKURA_UNSYNCHRONIZED_HINT __attribute__((no_sanitize_thread, no_sanitize_address))
#endif

namespace mikura::engine::store {

class WalkSet;

// Where an entry's reference is.
struct Place {
  Bucket* bucket = nullptr;
  uint32_t index = 0;
  char* entry = nullptr;  // null: no such entry
};

// A chain and the end (exclusive, up to 2^32) of the run of positions that lie in it.
struct ChainRange {
  Bucket* head = nullptr;
  uint64_t end = 0;
};

class HashTable {
 public:
  HashTable(SlabAllocator& allocator, const KeyHasher& hasher)
      : region_(allocator.region()),
        region_bits_(static_cast<uint8_t>(std::bit_width(allocator.region_mask()))),
        allocator_(&allocator),
        hasher_(&hasher) {}
  HashTable(const HashTable&) = delete;
  HashTable& operator=(const HashTable&) = delete;
  ~HashTable();  // the table must be empty of arrays: see FreeStep

  void Swap(HashTable& other);

  // ---- Hints: called without the lock, may see anything; only addresses inside the region are
  // read.
  // Where the key's chain seems to begin.
  const char* HintedChain(uint64_t hash) const { return region_ + HintedChainOffset(hash); }
  // Where a bucket, which should be in the cache, seems to have the hash's entry; when it has none,
  // the next bucket of the chain (`is_bucket`).
  struct Hint {
    const char* at;
    bool is_bucket;
  };
  MIKURA_UNSYNCHRONIZED_HINT Hint HintedEntry(const char* bucket, uint64_t hash) const;
  // Makes the processor read the line at `at`, a hint, and waits for it no longer than it must: for
  // short loops, in which many such waits overlap. Not a prefetch: where the page is not known to
  // the processor, those are three times as slow on some (ADR 2).
  MIKURA_UNSYNCHRONIZED_HINT static void LoadLine(const char* at) {
    (void)*static_cast<const volatile char*>(at);
  }
  // The same for a small entry, or a bucket.
  MIKURA_UNSYNCHRONIZED_HINT static void LoadEntry(const char* at) {
    (void)*static_cast<const volatile char*>(at);
    (void)*static_cast<const volatile char*>(at + 64);
    (void)*static_cast<const volatile char*>(at + 104);  // 105 bytes can lie on three lines
  }
  // Behind that, for collections: the object, or the bytes packed in the entry. True when it seems
  // to be an object.
  MIKURA_UNSYNCHRONIZED_HINT bool PrefetchCollection(uint64_t hash) const;

  // ---- Under the shard's lock.
  bool has_chains() const { return current_.buckets.load(std::memory_order_relaxed) != 0; }
  // Null when the table has no chains yet.
  Bucket* ChainOf(uint32_t position) const;
  // The table must have chains.
  ChainRange ChainAt(uint32_t position) const;
  // Inline, so that its outcome stays in registers: read back from memory as a whole it would wait
  // for the stores of its parts.
  [[gnu::always_inline]] Place Lookup(const Key& key) const;

  // Adds a reference under a key that is not there. Settles the chain, moves chains of a resize.
  // Returns a place without entry when there is no memory for it.
  Place Insert(const Key& key, SlabRef ref, WalkSet& walks);
  // Puts another reference into a place. The chain is settled.
  void Replace(const Place& place, SlabRef ref) {
    std::memcpy(place.bucket->refs[place.index], &ref, 5);
  }
  // Takes the reference out; another entry of the chain may come to its place. The chain is
  // settled.
  void Remove(Bucket* head, const Place& place);
  // Begins to shrink when there is cause.
  void ConsiderShrinking();
  // Moves up to `chains` chains; true when no resize is left to do.
  bool MoveChains(size_t chains, WalkSet& walks);
  bool is_resizing() const { return old_.buckets.load(std::memory_order_relaxed) != 0; }

  // Calls visit(Bucket*, uint32_t index, Entry) for each entry of the chain; it must not change it.
  template <typename Visit>
  void ForEach(Bucket* head, Visit visit) const {
    for (Bucket* bucket = head; bucket != nullptr; bucket = NextOf(bucket)) {
      const uint32_t size = bucket->size();
      for (uint32_t i = 0; i < size; ++i) visit(bucket, i, EntryAt(bucket, i));
    }
  }
  Entry EntryAt(const Bucket* bucket, uint32_t index) const {
    return Entry(region_ + bucket->ref(index) * kRefUnitBytes);
  }
  // Starts loading the entries of a chain.
  void PrefetchAll(Bucket* head) const;

  // Frees up to `chains` chains with their entries, from position `cursor` on, and at the end the
  // arrays; the table is good for nothing else meanwhile. True when all is freed.
  bool FreeStep(uint64_t& cursor, size_t chains);
  // Moves what lies in spans that are being evacuated, from `position` (0 at first) on, up to
  // `chains` chains; true at the end. Content and order stay, so walks notice nothing.
  bool DefragmentStep(uint64_t& position, size_t chains);
  // Returns an entry's memory: its slab slot, and its share of an external block.
  void FreeEntry(Entry entry);

  int64_t keys() const { return keys_.value(); }
  RelaxedCount& bytes() { return bytes_; }
  const RelaxedCount& bytes() const { return bytes_; }
  uint32_t bucket_count() const { return current_.buckets.load(std::memory_order_relaxed); }
  // Memory of the chains' heads and of directories, readable without the lock. While a resize runs
  // it is too much by the pages of the old array that have been freed.
  int64_t ApproximateArrayBytes() const;
  const KeyHasher& hasher() const { return *hasher_; }
  SlabAllocator& allocator() const { return *allocator_; }
  uint32_t PositionOfEntry(Entry entry) const { return PositionOf(hasher_->Hash(entry.key())); }

  // Memory of directories, pages and overflow buckets. O(n), for checks.
  int64_t ArrayMemory() const;
  // Aborts when a rule of this file or of bucket.h is broken. O(n).
  void CheckInvariants() const;

 private:
  // Offsets in the region of `buckets` / 64 pages; atomic for the hints, which may see an array
  // half replaced: whatever they compute is masked into the region.
  struct Array {
    std::atomic<uint64_t> directory{0};
    std::atomic<uint32_t> buckets{0};
  };
  static uint32_t IndexOf(uint32_t position, uint32_t buckets) {
    return static_cast<uint32_t>((uint64_t{position} * buckets) >> 32);
  }
  // First position of chain `index`.
  static uint64_t FirstPosition(uint32_t index, uint32_t buckets) {
    return ((uint64_t{index} << 32) + buckets - 1) / buckets;
  }
  uint64_t* Directory(const Array& array) const {
    return reinterpret_cast<uint64_t*>(region_ + array.directory.load(std::memory_order_relaxed));
  }
  Bucket* Head(const Array& array, uint32_t index) const {
    return reinterpret_cast<Bucket*>(region_ + Directory(array)[index / 64]) + index % 64;
  }
  Bucket* NextOf(const Bucket* bucket) const {
    const uint32_t next = bucket->next();
    return next == 0 ? nullptr : reinterpret_cast<Bucket*>(region_) + next;
  }
  MIKURA_UNSYNCHRONIZED_HINT uint64_t HintedChainOffset(uint64_t hash) const;
  Place LookupIn(Bucket* head, const Key& key) const;
  bool Matches(const char* entry, std::string_view name) const;

  bool CreateFirstArray(uint32_t shard, WalkSet& walks);
  bool MakeArray(Array& array, uint32_t buckets);
  void FreeArray(Array& array);
  bool MakePage(Array& array, uint32_t page, uint8_t marks);
  void FreePage(Array& array, uint32_t page);
  void MoveChainMemory(Bucket* head);
  size_t MoveBlocks(Bucket* head);
  size_t MoveBlock(Entry entry);
  void MovePages(Array& array);
  void StartResize(uint32_t buckets);
  bool MoveOneChain(WalkSet& walks);
  void AppendFrom(uint32_t& reserve, Bucket* head, uint8_t tag, SlabRef ref);
  void ReturnReserve(uint32_t reserve);
  void FinishMove(uint32_t index);
  Place Append(Bucket* head, uint8_t tag, SlabRef ref);
  int64_t ArrayMemoryOf(const Array& array, uint32_t first_chain, uint64_t position_end) const;

  // What a lookup or a hint reads, 48 bytes: with the marks before it one cache line of Shard.
  char* const region_;
  Array current_;
  Array old_;
  std::atomic<uint32_t> moved_{0};  // chains of old_ that have been moved; atomic for the hints
  uint16_t stagger_ = 0;            // spreads the sizes of tables over shards (table_sizes.h)
  const uint8_t region_bits_;       // log2 of the region's size

  RelaxedCount keys_;
  RelaxedCount bytes_;
  SlabAllocator* const allocator_;
  const KeyHasher* const hasher_;
};

// Keys are short: two loads that overlap are less than a call of memcmp.
inline bool EqualBytes(const char* a, const char* b, size_t size) {
#ifdef __SSE2__
  if (size - 16 <= 16) {
    const auto load = [](const char* p) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    };
    const __m128i head = _mm_cmpeq_epi8(load(a), load(b));
    const __m128i tail = _mm_cmpeq_epi8(load(a + size - 16), load(b + size - 16));
    return _mm_movemask_epi8(_mm_and_si128(head, tail)) == 0xFFFF;
  }
#endif
  if (size - 8 <= 8) {
    uint64_t words[4];
    std::memcpy(&words[0], a, 8);
    std::memcpy(&words[1], b, 8);
    std::memcpy(&words[2], a + size - 8, 8);
    std::memcpy(&words[3], b + size - 8, 8);
    return ((words[0] ^ words[1]) | (words[2] ^ words[3])) == 0;
  }
  return std::memcmp(a, b, size) == 0;
}

inline Bucket* HashTable::ChainOf(uint32_t position) const {
  const uint32_t old_buckets = old_.buckets.load(std::memory_order_relaxed);
  if (old_buckets != 0) [[unlikely]] {
    const uint32_t index = IndexOf(position, old_buckets);
    if (index >= moved_.load(std::memory_order_relaxed)) return Head(old_, index);
  }
  const uint32_t buckets = current_.buckets.load(std::memory_order_relaxed);
  if (buckets == 0) [[unlikely]]
    return nullptr;
  return Head(current_, IndexOf(position, buckets));
}

inline bool HashTable::Matches(const char* entry, std::string_view name) const {
  const EntryParts parts = ParseEntry(entry);
  return parts.key_length == name.size() && EqualBytes(entry + parts.key, name.data(), name.size());
}

[[gnu::always_inline]] inline Place HashTable::LookupIn(Bucket* head, const Key& key) const {
  const uint8_t tag = TagOf(key.hash);
  for (Bucket* bucket = head; bucket != nullptr; bucket = NextOf(bucket)) {
    for (uint32_t mask = bucket->Match(tag); mask != 0; mask &= mask - 1) {
      const auto index = static_cast<uint32_t>(__builtin_ctz(mask));
      char* entry = region_ + bucket->ref(index) * kRefUnitBytes;
      if (Matches(entry, key.name)) return {bucket, index, entry};
    }
  }
  return {};
}

inline Place HashTable::Lookup(const Key& key) const {
  return LookupIn(ChainOf(PositionOf(key.hash)), key);
}

// Written with plain loads in one function, so that the attribute covers all of them, and without a
// branch on what may be still on its way. Any address inside of the region may be read.
inline HashTable::Hint HashTable::HintedEntry(const char* bucket, uint64_t hash) const {
  constexpr uint64_t kBytesLoaded = 128;
  const uint8_t tag = TagOf(hash);
  uint32_t places = 0;
#ifdef __SSE2__
  const __m128i tags = *reinterpret_cast<const __m128i*>(bucket);
  const __m128i equal = _mm_cmpeq_epi8(tags, _mm_set1_epi8(static_cast<char>(tag)));
  places = static_cast<uint32_t>(_mm_movemask_epi8(equal)) & 0x3FF;
#else
  for (uint32_t i = 0; i < kPlaces; ++i) places |= uint32_t{uint8_t(bucket[i]) == tag} << i;
#endif
  const int place = __builtin_ctz(places | 1u << (kPlaces - 1));
  uint64_t ref;
  __builtin_memcpy(&ref, bucket + kPlaces + place * 5, sizeof ref);
  uint32_t link;
  __builtin_memcpy(&link, bucket + kBucketBytes - sizeof link, sizeof link);
  const uint64_t entry = (ref & kRefMask) * kRefUnitBytes;
  const uint64_t next = uint64_t{link & kBucketNumberMask} * kBucketBytes;
  const uint64_t mask = (uint64_t{1} << region_bits_) - 1;
  const uint64_t offset = (places != 0 ? entry : next) & mask;
  return {region_ + (offset < mask - kBytesLoaded ? offset : 0), places == 0};
}

inline uint64_t HashTable::HintedChainOffset(uint64_t hash) const {
  const Array* array = &current_;
  uint32_t buckets = old_.buckets.load(std::memory_order_relaxed);
  if (buckets != 0 &&
      IndexOf(PositionOf(hash), buckets) >= moved_.load(std::memory_order_relaxed)) {
    array = &old_;
  } else {
    buckets = current_.buckets.load(std::memory_order_relaxed);
  }
  if (buckets == 0) return 0;
  const uint32_t index = IndexOf(PositionOf(hash), buckets);
  const uint64_t mask = ((uint64_t{1} << region_bits_) - 1) & ~uint64_t{63};
  const uint64_t entry = array->directory.load(std::memory_order_relaxed) + index / 64 * 8;
  // A plain load: the directory's memory may by now be anything, written by anyone.
  const uint64_t page =
      *reinterpret_cast<const volatile uint64_t*>(region_ + (entry & (mask | 56)));
  return (page + index % 64 * kBucketBytes) & mask;
}

}  // namespace mikura::engine::store
