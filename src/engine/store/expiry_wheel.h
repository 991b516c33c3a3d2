// SPDX-License-Identifier: Apache-2.0
// Which keys may have reached their deadline: a wheel of six levels of 64 slots, 32 ms to 1.1 years
// wide. An item is 4 bytes, the position of a key's hash; the deadline itself is in the entry.
//
// A slot of level 0 is due when it has passed, so no key is late by more than 32 ms plus the time
// between two calls of TakeDue. A slot of a higher level is due when it begins: the owner looks the
// keys up and inserts them again, by their true deadline, which puts them lower.
//
// Rules:
//   E1. An item is due no later than 32 ms after the deadline it was inserted with, or after now()
//   when
//       that deadline had passed.
//   E2. Slot numbers in use on a level lie in [now of the wheel, + 64), so 6 bits identify one.
//   E3. memory_bytes() is what the wheel takes, itself included.
//
// Times are shifted by a stagger, so that the wide slots of different shards do not begin at once.
// Guarded by the shard's lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/clock.h"
#include "engine/store/slab_allocator.h"

namespace mikura::engine::store {

class ExpiryWheel {
 public:
  static constexpr size_t kBatchMax = 62;
  using Batch = std::array<uint32_t, kBatchMax>;

  ExpiryWheel(SlabAllocator& allocator, uint32_t stagger);
  ~ExpiryWheel();
  ExpiryWheel(const ExpiryWheel&) = delete;
  ExpiryWheel& operator=(const ExpiryWheel&) = delete;

  // False when there is no memory. Cost O(1).
  bool Insert(uint32_t position, UnixMillis deadline);

  // Takes some items, at most `limit` (> 0), of the slot that is due first, ascending and without
  // duplicates; returns their number. 0 when nothing is due at `now`.
  size_t TakeDue(UnixMillis now, size_t limit, Batch& batch);

  // Nothing is due before; INT64_MAX when the wheel is empty.
  UnixMillis next_due() const { return next_due_; }
  // Time up to which all that was due has been taken.
  UnixMillis now() const { return base_ - shift_; }
  uint64_t item_count() const { return items_; }
  size_t memory_bytes() const { return memory_bytes_; }

  // Copies some positions, at most `out`.size(): of the slot that is due first, or of one that
  // `random` chooses. They may belong to keys that went or got a later deadline. Cost
  // O(out.size()).
  size_t PeekFirst(uint64_t random, std::span<uint32_t> out) const;
  size_t PeekAny(uint64_t random, std::span<uint32_t> out) const;

  // Calls visit(position, due) for every item. O(n), for checks.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (uint32_t level = 0; level < kLevels; ++level) {
      for (uint64_t left = levels_[level].occupied; left != 0; left &= left - 1) {
        const auto slot = static_cast<uint32_t>(__builtin_ctzll(left));
        const UnixMillis due = DueOf(level, NumberOf(level, slot)) - shift_;
        for (SlabRef ref = SlotHead(level, slot); ref != 0; ref = ChunkAt(ref)->next()) {
          const Chunk* chunk = ChunkAt(ref);
          for (uint32_t i = 0; i < chunk->count(); ++i) visit(chunk->items[i], due);
        }
      }
    }
  }

 private:
  static constexpr uint32_t kLevels = 6;
  static constexpr uint32_t kSlots = 64;
  static constexpr size_t kSlotArrayBytes = kSlots * 5;
  static constexpr size_t kChunkBytesMin = 32;
  static constexpr size_t kChunkBytesMax = 256;

  struct Chunk {
    uint64_t header;  // next chunk 40 bits, items 12 bits, capacity 12 bits
    uint32_t items[1];

    SlabRef next() const { return header & kRefMask; }
    uint32_t count() const { return static_cast<uint32_t>(header >> 40) & 0xFFF; }
    uint32_t capacity() const { return static_cast<uint32_t>(header >> 52); }
    size_t bytes() const { return sizeof(uint64_t) + capacity() * sizeof(uint32_t); }
  };
  struct Level {
    uint64_t occupied = 0;  // bit s: slot s has items
    SlabRef slots = 0;      // 64 references of 5 bytes to the first chunks; made when first used
  };
  struct FirstSlot {
    uint32_t level = 0;
    uint32_t slot = 0;
    int64_t due = INT64_MAX;
  };

  static uint32_t WidthBits(uint32_t level) { return 5 + 6 * level; }
  static int64_t DueOf(uint32_t level, int64_t number) {
    return (number + (level == 0 ? 1 : 0)) << WidthBits(level);
  }
  // The number that identifies `slot` at present (E2).
  int64_t NumberOf(uint32_t level, uint32_t slot) const {
    const int64_t base = base_ >> WidthBits(level);
    return base + ((slot - static_cast<uint32_t>(base)) & (kSlots - 1));
  }
  Chunk* ChunkAt(SlabRef ref) const { return reinterpret_cast<Chunk*>(allocator_.At(ref)); }
  SlabRef SlotHead(uint32_t level, uint32_t slot) const;
  void SetSlotHead(uint32_t level, uint32_t slot, SlabRef ref);
  bool Push(uint32_t level, uint32_t slot, uint32_t item);
  size_t PopItems(const FirstSlot& first, size_t limit, Batch& batch);
  FirstSlot FindFirst() const;
  size_t PeekSlot(uint32_t level, uint32_t slot, uint64_t random, std::span<uint32_t> out) const;

  SlabAllocator& allocator_;
  const int64_t shift_;  // wheel time - Unix time
  int64_t base_;         // now of the wheel: no slot before it is in use
  UnixMillis next_due_ = INT64_MAX;
  uint64_t items_ = 0;
  size_t memory_bytes_ = sizeof(ExpiryWheel);
  std::array<Level, kLevels> levels_;
};

}  // namespace mikura::engine::store
