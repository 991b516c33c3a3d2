// SPDX-License-Identifier: Apache-2.0
#include "engine/store/eviction_queue.h"

#include <cstring>

#include "base/check.h"

namespace mikura::engine::store {

QueueItem EvictionQueue::Chunk::Get(uint16_t index) const {
  uint64_t word = 0;
  std::memcpy(&word, items[index], kItemBytes);
  return {static_cast<uint32_t>(word), static_cast<uint16_t>((word >> 32) & 1023),
          static_cast<uint8_t>(word >> 42)};
}

void EvictionQueue::Chunk::Set(uint16_t index, const QueueItem& item) {
  const uint64_t word = item.position | uint64_t{item.shard} << 32 | uint64_t{item.size_code} << 42;
  std::memcpy(items[index], &word, kItemBytes);
}

void EvictionQueue::Push(const QueueItem& item) {
  if (last_ == nullptr || last_->end == kChunkItems) {
    Chunk* chunk = NewChunk();
    (last_ == nullptr ? first_ : last_->next) = chunk;
    last_ = chunk;
  }
  last_->Set(last_->end++, item);
  ++size_;
  bytes_ += BytesOfSizeCode(item.size_code);
}

QueueItem EvictionQueue::Pop() {
  DCHECK(size_ > 0);
  const QueueItem item = first_->Get(first_->begin++);
  CountOut(item);
  if (first_->count() == 0) FreeAfter(nullptr, first_);
  return item;
}

void EvictionQueue::Clear() {
  if (last_ != nullptr) {
    last_->next = discarded_;
    discarded_ = first_;
  }
  first_ = last_ = compacted_ = nullptr;
  size_ = 0;
  bytes_ = 0;
}

EvictionQueue::~EvictionQueue() {
  Clear();
  FreeDiscarded(SIZE_MAX);
}

void EvictionQueue::FreeDiscarded(size_t chunks) {
  for (; discarded_ != nullptr && chunks > 0; --chunks) {
    Chunk* chunk = discarded_;
    discarded_ = chunk->next;
    Free(chunk);
  }
}

EvictionQueue::Chunk* EvictionQueue::NewChunk() {
  if (discarded_ != nullptr) {
    Chunk* chunk = discarded_;
    discarded_ = chunk->next;
    chunk->next = nullptr;
    chunk->begin = chunk->end = 0;
    return chunk;
  }
  gauge_.Add(ThreadIndex(), sizeof(Chunk));
  ++chunks_;
  return new Chunk;
}

void EvictionQueue::Free(Chunk* chunk) {
  delete chunk;
  gauge_.Add(ThreadIndex(), -static_cast<int64_t>(sizeof(Chunk)));
  --chunks_;
}

// The items of `chunk` have been taken out in part: it may be empty, or fit into the one before.
void EvictionQueue::AfterCompaction(Chunk* chunk) {
  Chunk* previous = compacted_;
  if (chunk->count() == 0) {
    FreeAfter(previous, chunk);
    return;
  }
  if (previous != nullptr && previous->end + chunk->count() <= kChunkItems) {
    std::memcpy(previous->items[previous->end], chunk->items[chunk->begin],
                size_t{chunk->count()} * kItemBytes);
    previous->end += chunk->count();
    FreeAfter(previous, chunk);
    return;
  }
  compacted_ = chunk;
}

void EvictionQueue::FreeAfter(Chunk* previous, Chunk* chunk) {
  (previous == nullptr ? first_ : previous->next) = chunk->next;
  if (last_ == chunk) last_ = previous;
  if (compacted_ == chunk) compacted_ = nullptr;
  Free(chunk);
}

}  // namespace mikura::engine::store
