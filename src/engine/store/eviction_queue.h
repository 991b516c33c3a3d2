// SPDX-License-Identifier: Apache-2.0
// A queue of keys by name, not by address: 6 bytes each, in chunks of 1 KiB. Entries may move in
// memory and tables may grow; an item stays right, since a key's position is its hash.
//
// Rules:
//   Q1. size() is the number of items, bytes() the sum of their rounded sizes.
//   Q2. Only the last chunk has room behind its items, only the first one before them; a chunk in
//       use has at least one item.
//
// Guarded by its owner.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/store/memory_gauge.h"

namespace mikura::engine::store {

// A key of one of 1,024 shards.
struct QueueItem {
  uint32_t position = 0;  // of its hash
  uint16_t shard = 0;     // below 1,024
  uint8_t size_code = 0;  // below 64, see SizeCodeOf

  bool operator==(const QueueItem&) const = default;
};

// Bytes of an entry, to the next of 2, 3, 4, 6, 8, 12 ... 3 * 2^31: wrong by at most a quarter.
// Only shares are made from it, of queues with many keys.
inline uint8_t SizeCodeOf(uint64_t bytes) {
  constexpr uint64_t kBytesMax = uint64_t{3} << 31;
  bytes = std::clamp(bytes, uint64_t{2}, kBytesMax);
  // A quarter of the power of two below it up: halfway to the next.
  const int power = 63 - __builtin_clzll(bytes);
  bytes = std::min(bytes + (uint64_t{1} << power >> 2), kBytesMax);
  const int rounded = 63 - __builtin_clzll(bytes);
  return static_cast<uint8_t>((rounded - 1) * 2 + static_cast<int>((bytes >> (rounded - 1)) & 1));
}
inline uint64_t BytesOfSizeCode(uint8_t code) { return uint64_t{2u + (code & 1u)} << (code / 2); }

class EvictionQueue {
 public:
  // Chunks are counted in `gauge`.
  explicit EvictionQueue(MemoryGauge& gauge) : gauge_(gauge) {}
  ~EvictionQueue();
  EvictionQueue(const EvictionQueue&) = delete;
  EvictionQueue& operator=(const EvictionQueue&) = delete;

  void Push(const QueueItem& item);
  // The queue must not be empty.
  QueueItem Pop();
  // Forgets all items, at once: their chunks are used again, or freed by FreeDiscarded.
  void Clear();
  // Frees up to `chunks` of them.
  void FreeDiscarded(size_t chunks);

  // Takes out the items of one chunk for which `is_dead(item)` is true; goes round the queue, chunk
  // by chunk, with each call.
  template <typename IsDead>
  void CompactStep(IsDead is_dead) {
    Chunk* chunk = compacted_ == nullptr ? first_ : compacted_->next;
    if (chunk == nullptr) chunk = first_, compacted_ = nullptr;
    if (chunk == nullptr) return;
    uint16_t kept = chunk->begin;
    for (uint16_t i = chunk->begin; i < chunk->end; ++i) {
      const QueueItem item = chunk->Get(i);
      if (is_dead(item)) {
        CountOut(item);
      } else {
        chunk->Set(kept++, item);
      }
    }
    chunk->end = kept;
    AfterCompaction(chunk);
  }

  uint64_t size() const { return size_; }
  uint64_t bytes() const { return bytes_; }
  size_t memory_bytes() const { return chunks_ * sizeof(Chunk); }

  // Calls visit(item), oldest first. For checks.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const Chunk* chunk = first_; chunk != nullptr; chunk = chunk->next) {
      for (uint16_t i = chunk->begin; i < chunk->end; ++i) visit(chunk->Get(i));
    }
  }

 private:
  static constexpr size_t kItemBytes = 6;
  static constexpr uint16_t kChunkItems = 168;

  struct Chunk {
    Chunk* next = nullptr;
    uint16_t begin = 0;
    uint16_t end = 0;
    uint8_t items[kChunkItems][kItemBytes];

    QueueItem Get(uint16_t index) const;
    void Set(uint16_t index, const QueueItem& item);
    uint16_t count() const { return end - begin; }
  };
  static_assert(sizeof(Chunk) <= 1024);

  void CountOut(const QueueItem& item) {
    --size_;
    bytes_ -= BytesOfSizeCode(item.size_code);
  }
  void AfterCompaction(Chunk* chunk);
  Chunk* NewChunk();
  void Free(Chunk* chunk);
  void FreeAfter(Chunk* previous, Chunk* chunk);

  MemoryGauge& gauge_;
  Chunk* first_ = nullptr;
  Chunk* last_ = nullptr;
  Chunk* discarded_ = nullptr;
  Chunk* compacted_ = nullptr;  // the chunk after this one is compacted next; null: the first
  uint64_t size_ = 0;
  uint64_t bytes_ = 0;
  size_t chunks_ = 0;
};

}  // namespace mikura::engine::store
