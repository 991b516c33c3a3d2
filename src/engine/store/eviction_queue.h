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

#include <cstddef>
#include <cstdint>

#include "engine/store/memory_gauge.h"

namespace mikura::engine::store {

// A key of one of 64 shards.
struct QueueItem {
  uint32_t position = 0;   // of its hash
  uint8_t shard = 0;       // below 64
  uint16_t size_code = 0;  // below 1024, see SizeCodeOf

  bool operator==(const QueueItem&) const = default;
};

// Bytes of an entry as a floating-point number with 4 bits of mantissa: rounded down by at most
// 1/16, up to 2^63.
inline uint16_t SizeCodeOf(uint64_t bytes) {
  if (bytes < 16) return static_cast<uint16_t>(bytes);
  const int shift = 59 - __builtin_clzll(bytes);  // leaves 5 bits, the first of them 1
  return static_cast<uint16_t>((shift + 1) * 16 + static_cast<int>((bytes >> shift) & 15));
}
inline uint64_t BytesOfSizeCode(uint16_t code) {
  if (code < 16) return code;
  return uint64_t{16u + code % 16u} << (code / 16 - 1);
}

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
