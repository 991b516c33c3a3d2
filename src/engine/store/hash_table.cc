// SPDX-License-Identifier: Apache-2.0
#include "engine/store/hash_table.h"

#include "base/check.h"
#include "engine/store/table_sizes.h"
#include "engine/store/walk_mutants.h"
#include "engine/store/walks.h"

namespace mikura::engine::store {
namespace {

constexpr uint32_t kPageBuckets = 64;
constexpr uint64_t kPositions = uint64_t{1} << 32;

uint32_t PageCount(uint32_t buckets) { return (buckets + kPageBuckets - 1) / kPageBuckets; }

// At least 16: the classes of such sizes are aligned to 8.
size_t DirectoryBytes(uint32_t buckets) {
  const size_t bytes = size_t{PageCount(buckets)} * sizeof(uint64_t);
  return bytes < 16 ? 16 : bytes;
}

// The last page of an array is as short as its buckets.
size_t PageBytes(uint32_t buckets, uint32_t page) {
  const uint32_t left = buckets - page * kPageBuckets;
  return size_t{left < kPageBuckets ? left : kPageBuckets} * kBucketBytes;
}

template <typename T>
void SwapRelaxed(std::atomic<T>& a, std::atomic<T>& b) {
  const T was = a.load(std::memory_order_relaxed);
  a.store(b.load(std::memory_order_relaxed), std::memory_order_relaxed);
  b.store(was, std::memory_order_relaxed);
}

}  // namespace

HashTable::~HashTable() { CHECK(!has_chains()); }

void HashTable::Swap(HashTable& other) {
  CHECK(allocator_ == other.allocator_ && hasher_ == other.hasher_);
  SwapRelaxed(current_.directory, other.current_.directory);
  SwapRelaxed(current_.buckets, other.current_.buckets);
  SwapRelaxed(old_.directory, other.old_.directory);
  SwapRelaxed(old_.buckets, other.old_.buckets);
  SwapRelaxed(moved_, other.moved_);
  std::swap(stagger_, other.stagger_);
  SwapCounts(keys_, other.keys_);
  SwapCounts(bytes_, other.bytes_);
}

// What is loaded ahead of a collection: its object, and the first bytes of a packed one.
constexpr uint64_t kCollectionBytesHinted = 320;
constexpr uint64_t kPackedBytesHinted = 1024;

// Reads a bucket that may change or be freed meanwhile; whatever it finds only chooses addresses to
// prefetch. Written with plain loads in one function, so that the attribute covers all of them.
// As above. Further lines of a packed collection, which is walked from its begin, and those of an
// object; what an object points to is no address to go by without the lock.
bool HashTable::PrefetchCollection(uint64_t hash) const {
  constexpr uint64_t kHeaderBytesMax = 512;
  constexpr uint64_t kLine = 64;
  const char* const line = region_ + HintedChainOffset(hash);
  const uint8_t tag = TagOf(hash);
  for (uint32_t i = 0; i < kPlaces; ++i) {
    if (static_cast<uint8_t>(line[i]) != tag) continue;
    uint32_t low;
    __builtin_memcpy(&low, line + kPlaces + i * 5, sizeof low);
    const uint64_t ref = low | (uint64_t{static_cast<uint8_t>(line[kPlaces + i * 5 + 4])} << 32);
    const uint64_t offset = ref * kRefUnitBytes;
    if (offset + kHeaderBytesMax > allocator_->region_mask()) continue;
    const char* const entry = region_ + offset;
    const auto flags = static_cast<uint8_t>(entry[0]);
    const uint32_t key_length = static_cast<uint8_t>(entry[1]);
    uint32_t value_length = static_cast<uint8_t>(entry[2]);
    uint32_t begin = 3;
    if (key_length >= 0x80) continue;  // rare
    if (value_length >= 0x80) {
      value_length = (value_length & 0x7F) | uint32_t{static_cast<uint8_t>(entry[3])} << 7;
      begin = 4;
    }
    begin += key_length + (flags & kHasDeadline) * 2u +
             ((flags & kHasMemcached) >> 3) * kMemcachedBytes + (flags >> 7) * kAccessBytes;
    if ((flags & kKindMask) == kKindCollection) {
      const char* object;
      __builtin_memcpy(&object, entry + begin, sizeof object);
      for (uint64_t at = 0; at < kCollectionBytesHinted; at += kLine)
        __builtin_prefetch(object + at);
      return true;
    }
    if ((flags & kKindMask) > kKindExternal) {
      const uint64_t end =
          begin + (value_length < kPackedBytesHinted ? value_length : kPackedBytesHinted);
      for (uint64_t at = 2 * kLine; at < end; at += kLine) __builtin_prefetch(entry + at);
    }
    return false;
  }
  return false;
}

void HashTable::PrefetchAll(Bucket* head) const {
  for (Bucket* bucket = head; bucket != nullptr; bucket = NextOf(bucket)) {
    const uint32_t size = bucket->size();
    for (uint32_t i = 0; i < size; ++i) {
      __builtin_prefetch(region_ + bucket->ref(i) * kRefUnitBytes);
    }
  }
}

ChainRange HashTable::ChainAt(uint32_t position) const {
  const uint32_t old_buckets = old_.buckets.load(std::memory_order_relaxed);
  uint64_t limit = kPositions;
  if (old_buckets != 0) {
    const uint32_t index = IndexOf(position, old_buckets);
    const uint32_t moved = moved_.load(std::memory_order_relaxed);
    if (index >= moved) return {Head(old_, index), FirstPosition(index + 1, old_buckets)};
    // A chain of the new array may reach into positions that are still in the old one.
    limit = FirstPosition(moved, old_buckets);
  }
  const uint32_t buckets = current_.buckets.load(std::memory_order_relaxed);
  const uint32_t index = IndexOf(position, buckets);
  const uint64_t end = FirstPosition(index + 1, buckets);
  return {Head(current_, index), end < limit ? end : limit};
}

Place HashTable::Insert(const Key& key, SlabRef ref, WalkSet& walks) {
  if (!has_chains()) {
    if (!CreateFirstArray(key.shard(), walks)) return {};
  } else if (is_resizing()) {
    MoveOneChain(walks);  // when it finds no memory the chain stays where it is
  } else if (IsTooFull(keys_.value(), bucket_count())) {
    StartResize(LargerSize(bucket_count(), stagger_));
  }
  Bucket* head = ChainOf(PositionOf(key.hash));
  if (!IsMutant(WalkMutant::kInsertUnsettled)) walks.Settle(*this, head);
  const Place place = Append(head, TagOf(key.hash), ref);
  if (place.entry != nullptr) keys_.Add(1);
  return place;
}

Place HashTable::Append(Bucket* head, uint8_t tag, SlabRef ref) {
  Bucket* last = head;
  while (Bucket* next = NextOf(last)) last = next;
  uint32_t size = last->size();
  if (size == kPlaces) {
    const uint32_t number = allocator_->AllocateBucket();
    if (number == 0) return {};
    bytes_.Add(kBucketBytes);
    last->set_next(number);
    last = reinterpret_cast<Bucket*>(allocator_->BucketAt(number));
    std::memset(last, 0, sizeof *last);
    size = 0;
  }
  last->Set(size, tag, ref);
  return {last, size, allocator_->At(ref)};
}

void HashTable::Remove(Bucket* head, const Place& place) {
  Bucket* previous = nullptr;
  Bucket* last = head;
  while (Bucket* next = NextOf(last)) {
    previous = last;
    last = next;
  }
  const uint32_t end = last->size() - 1;
  place.bucket->Set(place.index, last->tags[end], last->ref(end));
  last->Clear(end);
  keys_.Add(-1);
  if (end != 0 || previous == nullptr) return;
  allocator_->FreeBucket(previous->next());
  previous->set_next(0);
  bytes_.Add(-static_cast<int64_t>(kBucketBytes));
}

bool HashTable::FreeStep(uint64_t& cursor, size_t chains) {
  if (!has_chains()) return true;
  for (; cursor < kPositions && chains > 0; --chains) {
    const ChainRange range = ChainAt(static_cast<uint32_t>(cursor));
    PrefetchAll(range.head);
    ForEach(range.head, [this](Bucket*, uint32_t, Entry entry) { FreeEntry(entry); });
    for (uint32_t next = range.head->next(); next != 0;) {
      const uint32_t number = next;
      next = reinterpret_cast<Bucket*>(allocator_->BucketAt(number))->next();
      allocator_->FreeBucket(number);
      bytes_.Add(-static_cast<int64_t>(kBucketBytes));
    }
    // A chain that reaches over the boundary of a resize is met twice; now it is empty.
    std::memset(static_cast<void*>(range.head), 0, sizeof *range.head);
    cursor = range.end;
  }
  if (cursor < kPositions) return false;
  FreeArray(old_);
  FreeArray(current_);
  moved_.store(0, std::memory_order_relaxed);
  keys_.Set(0);
  return true;
}

void HashTable::FreeEntry(Entry entry) {
  bytes_.Add(-static_cast<int64_t>(entry.memory_bytes()));
  const size_t total = ParseEntry(entry.bytes()).total();
  if (ValueBlock* block = entry.block()) block->Release();
  if (collections::Collection* collection = entry.collection()) {
    allocator_->collections().Release(collection);
  }
  allocator_->Free(allocator_->RefOf(entry.bytes()), total);
}

bool HashTable::CreateFirstArray(uint32_t shard, WalkSet& walks) {
  stagger_ = static_cast<uint16_t>(shard);
  Array array;
  if (!MakeArray(array, 1)) return false;
  if (!MakePage(array, 0, walks.senses())) {
    FreeArray(array);
    return false;
  }
  SwapRelaxed(current_.directory, array.directory);
  SwapRelaxed(current_.buckets, array.buckets);
  return true;
}

int64_t HashTable::ApproximateArrayBytes() const {
  size_t bytes = 0;
  for (const Array* array : {&current_, &old_}) {
    const uint32_t buckets = array->buckets.load(std::memory_order_relaxed);
    if (buckets != 0) bytes += size_t{buckets} * kBucketBytes + DirectoryBytes(buckets);
  }
  return static_cast<int64_t>(bytes);
}

bool HashTable::MakeArray(Array& array, uint32_t buckets) {
  const size_t bytes = DirectoryBytes(buckets);
  const SlabRef ref = allocator_->Allocate(bytes);
  if (ref == 0) return false;
  std::memset(allocator_->At(ref), 0, bytes);
  bytes_.Add(static_cast<int64_t>(AllocatedBytes(bytes)));
  array.directory.store(ref * kRefUnitBytes, std::memory_order_relaxed);
  array.buckets.store(buckets, std::memory_order_relaxed);
  return true;
}

void HashTable::FreeArray(Array& array) {
  const uint32_t buckets = array.buckets.load(std::memory_order_relaxed);
  if (buckets == 0) return;
  for (uint32_t page = 0; page < PageCount(buckets); ++page) FreePage(array, page);
  const size_t bytes = DirectoryBytes(buckets);
  allocator_->Free(array.directory.load(std::memory_order_relaxed) / kRefUnitBytes, bytes);
  bytes_.Add(-static_cast<int64_t>(AllocatedBytes(bytes)));
  array.buckets.store(0, std::memory_order_relaxed);
  array.directory.store(0, std::memory_order_relaxed);
}

bool HashTable::MakePage(Array& array, uint32_t page, uint8_t marks) {
  uint64_t* entry = &Directory(array)[page];
  if (*entry != 0) return true;
  const size_t bytes = PageBytes(array.buckets.load(std::memory_order_relaxed), page);
  const SlabRef ref = allocator_->Allocate(bytes);
  if (ref == 0) return false;
  bytes_.Add(static_cast<int64_t>(AllocatedBytes(bytes)));
  auto* buckets = reinterpret_cast<Bucket*>(allocator_->At(ref));
  std::memset(static_cast<void*>(buckets), 0, bytes);
  if (marks != 0) {
    for (size_t i = 0; i < bytes / kBucketBytes; ++i) buckets[i].set_marks(marks);
  }
  __atomic_store_n(entry, ref * kRefUnitBytes, __ATOMIC_RELAXED);  // hints read it
  return true;
}

void HashTable::FreePage(Array& array, uint32_t page) {
  uint64_t* entry = &Directory(array)[page];
  if (*entry == 0) return;
  const size_t bytes = PageBytes(array.buckets.load(std::memory_order_relaxed), page);
  allocator_->Free(*entry / kRefUnitBytes, bytes);
  bytes_.Add(-static_cast<int64_t>(AllocatedBytes(bytes)));
  __atomic_store_n(entry, 0, __ATOMIC_RELAXED);  // hints read it
}

}  // namespace mikura::engine::store
