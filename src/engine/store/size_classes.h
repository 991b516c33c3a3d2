// SPDX-License-Identifier: Apache-2.0
// Size classes of the slab region.
//
//   12 .. 256 B      steps of 4 B: an entry of 51 bytes takes 52
//   .. 32 KiB        8 steps per doubling: at most 12.5 % lost
//   .. 32 GiB        "large": 4 steps per doubling of address space; memory by whole pages
//
// Every class size is a multiple of 4; a request that is a multiple of 64 gets a class size that is
// a multiple of 64, so bucket pages stay aligned to cache lines.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace mikura::engine::store {

inline constexpr size_t kSlotBytesMin = 12;  // a free slot holds a link of 8 bytes
inline constexpr size_t kFineBytesMax = 256;
inline constexpr size_t kSmallBytesMax = 32768;
inline constexpr size_t kLargeBytesMax = size_t{1} << 35;
inline constexpr size_t kPageBytes = 4096;

inline constexpr uint32_t kFineClasses = kFineBytesMax / 4 + 1;  // index = size / 4
inline constexpr uint32_t kSmallClasses = kFineClasses + 7 * 8;  // 256 B .. 32 KiB
inline constexpr uint32_t kLargeClasses = 20 * 4;                // 32 KiB .. 32 GiB

// Class of a request of `bytes`, at most kSmallBytesMax.
constexpr uint32_t SmallClassOf(size_t bytes) {
  if (bytes <= kFineBytesMax) {
    return static_cast<uint32_t>((bytes < kSlotBytesMin ? kSlotBytesMin : bytes) + 3) >> 2;
  }
  const auto log = static_cast<uint32_t>(std::bit_width(bytes - 1)) - 1;  // 8 .. 14
  const auto step = static_cast<uint32_t>((bytes - 1) >> (log - 3)) & 7;
  return kFineClasses + (log - 8) * 8 + step;
}

constexpr size_t SmallClassBytes(uint32_t size_class) {
  if (size_class < kFineClasses) return size_t{size_class} * 4;
  const uint32_t log = (size_class - kFineClasses) / 8 + 8;
  const uint32_t step = (size_class - kFineClasses) % 8;
  return (size_t{9} + step) << (log - 3);
}

// Chain buckets are a class of their own, after the small ones.
inline constexpr size_t kBucketBytes = 64;
inline constexpr uint32_t kBucketClass = kSmallClasses;
inline constexpr uint32_t kClassCount = kSmallClasses + 1;

constexpr size_t ClassBytes(uint32_t size_class) {
  return size_class == kBucketClass ? kBucketBytes : SmallClassBytes(size_class);
}

// Slots that move between a thread and the pool of a class at once: about 8 KiB, 2 to 32.
constexpr uint32_t MagazineSlots(size_t class_bytes) {
  return static_cast<uint32_t>(std::clamp<size_t>(8192 / class_bytes, 2, 32));
}

// Class of a request above kSmallBytesMax and at most kLargeBytesMax.
constexpr uint32_t LargeClassOf(size_t bytes) {
  const auto log = static_cast<uint32_t>(std::bit_width(bytes - 1)) - 1;  // 15 .. 34
  return (log - 15) * 4 + (static_cast<uint32_t>((bytes - 1) >> (log - 2)) & 3);
}

constexpr size_t LargeClassBytes(uint32_t large_class) {
  return (size_t{5} + large_class % 4) << (large_class / 4 + 13);
}

constexpr size_t RoundToPages(size_t bytes) { return (bytes + kPageBytes - 1) & ~(kPageBytes - 1); }

// Memory that a request of `bytes` takes.
constexpr size_t AllocatedBytes(size_t bytes) {
  return bytes <= kSmallBytesMax ? SmallClassBytes(SmallClassOf(bytes)) : RoundToPages(bytes);
}

// Whether a block allocated for `a` bytes can hold `b` bytes with the same memory taken.
constexpr bool SameClass(size_t a, size_t b) { return AllocatedBytes(a) == AllocatedBytes(b); }

}  // namespace mikura::engine::store
