// SPDX-License-Identifier: Apache-2.0
// One cache line of the hash table: ten hash bytes, ten references, a link to an overflow bucket.
//
// Rules:
//   B1. Tag 0 means "free"; the tag of an entry is never 0.
//   B2. A chain has no holes: only its last bucket has free places, and those are at its end. An
//       overflow bucket has at least one entry.
//   B3. The top four bits of the link are, in the head of a chain, the walk marks of the whole
//       chain; 0 in overflow buckets.
#pragma once

#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "engine/store/slab_allocator.h"

namespace mikura::engine::store {

inline constexpr uint32_t kPlaces = 10;

// The hash byte of a key. The top 32 bits of the hash give its place in the table's order.
inline uint8_t TagOf(uint64_t hash) {
  const auto tag = static_cast<uint8_t>(hash);
  return tag == 0 ? 1 : tag;
}
inline uint32_t PositionOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

struct alignas(64) Bucket {
  uint8_t tags[kPlaces];
  uint8_t refs[kPlaces][5];
  uint8_t link_bytes[4];

  // Bit i is set when place i has the tag.
  uint32_t Match(uint8_t tag) const {
#ifdef __SSE2__
    const __m128i line = _mm_load_si128(reinterpret_cast<const __m128i*>(this));
    const __m128i wanted = _mm_set1_epi8(static_cast<char>(tag));
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(line, wanted))) & 0x3FF;
#else
    uint32_t mask = 0;
    for (uint32_t i = 0; i < kPlaces; ++i) mask |= static_cast<uint32_t>(tags[i] == tag) << i;
    return mask;
#endif
  }
  // Number of entries, by B2.
  uint32_t size() const { return static_cast<uint32_t>(__builtin_ctz(Match(0) | (1u << kPlaces))); }

  // refs end 4 bytes before the line's end: the 8-byte load stays inside.
  SlabRef ref(uint32_t place) const {
    uint64_t word;
    std::memcpy(&word, refs[place], sizeof word);
    return word & kRefMask;
  }
  void Set(uint32_t place, uint8_t tag, SlabRef ref) {
    tags[place] = tag;
    std::memcpy(refs[place], &ref, 5);
  }
  void Clear(uint32_t place) { Set(place, 0, 0); }

  uint32_t link() const {
    uint32_t word;
    std::memcpy(&word, link_bytes, sizeof word);
    return word;
  }
  uint32_t next() const { return link() & kBucketNumberMask; }
  void set_next(uint32_t number) { set_link((link() & ~kBucketNumberMask) | number); }
  uint8_t marks() const { return static_cast<uint8_t>(link() >> 28); }
  void set_marks(uint8_t marks) { set_link(next() | (uint32_t{marks} << 28)); }
  void set_link(uint32_t word) { std::memcpy(link_bytes, &word, sizeof word); }
};
static_assert(sizeof(Bucket) == kBucketBytes);

}  // namespace mikura::engine::store
