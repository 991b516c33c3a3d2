// SPDX-License-Identifier: Apache-2.0
#include "engine/store/expiry_wheel.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/thread_index.h"

namespace mikura::engine::store {
namespace {

// A new wheel does not know the time. It begins in the past: the first items are due at once on a
// high level, and the first TakeDue puts them right. 2020, so that 69 years ahead suffice.
constexpr int64_t kStart = 1'577'836'800'000;
constexpr int64_t kFarthest = int64_t{1} << 60;

// A prime, so that shards differ in the slots of every level.
constexpr int64_t kStaggerMillis = 8209;

}  // namespace

ExpiryWheel::ExpiryWheel(SlabAllocator& allocator, uint32_t stagger)
    : allocator_(allocator), shift_(stagger * kStaggerMillis), base_(kStart) {
  allocator_.gauge().Add(ThreadIndex(), sizeof(ExpiryWheel));
}

ExpiryWheel::~ExpiryWheel() {
  for (uint32_t level = 0; level < kLevels; ++level) {
    if (levels_[level].slots == 0) continue;
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      for (SlabRef ref = SlotHead(level, slot); ref != 0;) {
        const SlabRef next = ChunkAt(ref)->next();
        allocator_.Free(ref, ChunkAt(ref)->bytes());
        ref = next;
      }
    }
    allocator_.Free(levels_[level].slots, kSlotArrayBytes);
  }
  allocator_.gauge().Add(ThreadIndex(), -static_cast<int64_t>(sizeof(ExpiryWheel)));
}

bool ExpiryWheel::Insert(uint32_t position, UnixMillis deadline) {
  const int64_t time = std::max(std::min<int64_t>(deadline, kFarthest) + shift_, base_);
  uint32_t level = 0;
  int64_t number = time >> WidthBits(0);
  while (number - (base_ >> WidthBits(level)) >= kSlots) {
    if (level + 1 == kLevels) {  // beyond the wheel: looked at again when its last slot begins
      number = (base_ >> WidthBits(level)) + kSlots - 1;
      break;
    }
    number = time >> WidthBits(++level);
  }
  if (!Push(level, static_cast<uint32_t>(number) % kSlots, position)) return false;
  ++items_;
  next_due_ = std::min(next_due_, DueOf(level, number) - shift_);
  return true;
}

size_t ExpiryWheel::TakeDue(UnixMillis now, size_t limit, Batch& batch) {
  const int64_t time = now + shift_;
  const FirstSlot first = FindFirst();
  if (first.due > time) {
    base_ = std::max(base_, time);
    return 0;
  }
  // On a tie FindFirst prefers the lower level, so every slot in use still lies at or after the new
  // base (E2).
  if (first.level > 0) base_ = std::max(base_, first.due);
  const size_t count = PopItems(first, limit, batch);
  if (first.level == 0 && SlotHead(0, first.slot) == 0) base_ = std::max(base_, first.due);
  items_ -= count;
  const FirstSlot next = FindFirst();
  next_due_ = next.due == INT64_MAX ? INT64_MAX : next.due - shift_;
  std::sort(batch.begin(), batch.begin() + count);
  return static_cast<size_t>(std::unique(batch.begin(), batch.begin() + count) - batch.begin());
}

SlabRef ExpiryWheel::SlotHead(uint32_t level, uint32_t slot) const {
  uint64_t ref = 0;
  std::memcpy(&ref, allocator_.At(levels_[level].slots) + slot * 5, 5);
  return ref;
}

void ExpiryWheel::SetSlotHead(uint32_t level, uint32_t slot, SlabRef ref) {
  std::memcpy(allocator_.At(levels_[level].slots) + slot * 5, &ref, 5);
}

bool ExpiryWheel::Push(uint32_t level, uint32_t slot, uint32_t item) {
  Level& row = levels_[level];
  if (row.slots == 0) {
    row.slots = allocator_.Allocate(kSlotArrayBytes);
    if (row.slots == 0) return false;
    std::memset(allocator_.At(row.slots), 0, kSlotArrayBytes);
    memory_bytes_ += AllocatedBytes(kSlotArrayBytes);
  }
  SlabRef ref = SlotHead(level, slot);
  if (ref == 0 || ChunkAt(ref)->count() == ChunkAt(ref)->capacity()) {
    const size_t bytes =
        ref == 0 ? kChunkBytesMin : std::min(ChunkAt(ref)->bytes() * 2, kChunkBytesMax);
    const SlabRef fresh = allocator_.Allocate(bytes);
    if (fresh == 0) return false;
    memory_bytes_ += AllocatedBytes(bytes);
    ChunkAt(fresh)->header = ref | (((bytes - sizeof(uint64_t)) / sizeof(uint32_t)) << 52);
    SetSlotHead(level, slot, fresh);
    row.occupied |= uint64_t{1} << slot;
    ref = fresh;
  }
  Chunk* chunk = ChunkAt(ref);
  chunk->items[chunk->count()] = item;
  chunk->header += uint64_t{1} << 40;
  return true;
}

// Takes items of the first chunk of a slot that is in use, and the chunk when it has no more.
size_t ExpiryWheel::PopItems(const FirstSlot& first, size_t limit, Batch& batch) {
  const SlabRef ref = SlotHead(first.level, first.slot);
  Chunk* chunk = ChunkAt(ref);
  const size_t count = std::min<size_t>(chunk->count(), limit);
  const size_t left = chunk->count() - count;
  std::memcpy(batch.data(), chunk->items + left, count * sizeof(uint32_t));
  if (left > 0) {
    chunk->header -= uint64_t{count} << 40;
    return count;
  }
  SetSlotHead(first.level, first.slot, chunk->next());
  if (chunk->next() == 0) levels_[first.level].occupied &= ~(uint64_t{1} << first.slot);
  const size_t bytes = chunk->bytes();
  memory_bytes_ -= AllocatedBytes(bytes);
  allocator_.Free(ref, bytes);
  return count;
}

size_t ExpiryWheel::PeekFirst(uint64_t random, std::span<uint32_t> out) const {
  if (items_ == 0) return 0;
  const FirstSlot first = FindFirst();
  return PeekSlot(first.level, first.slot, random, out);
}

size_t ExpiryWheel::PeekAny(uint64_t random, std::span<uint32_t> out) const {
  uint32_t slots = 0;
  for (const Level& level : levels_) slots += std::popcount(level.occupied);
  if (slots == 0) return 0;
  auto skip = static_cast<uint32_t>(random % slots);
  for (uint32_t level = 0; level < kLevels; ++level) {
    for (uint64_t left = levels_[level].occupied; left != 0; left &= left - 1) {
      if (skip-- > 0) continue;
      return PeekSlot(level, static_cast<uint32_t>(std::countr_zero(left)), random >> 16, out);
    }
  }
  return 0;
}

// Items of one of the newest chunks of a slot that is in use, in turn from a random one.
size_t ExpiryWheel::PeekSlot(uint32_t level, uint32_t slot, uint64_t random,
                             std::span<uint32_t> out) const {
  const Chunk* chunk = ChunkAt(SlotHead(level, slot));
  for (uint64_t skip = random % 8; skip > 0 && chunk->next() != 0; --skip) {
    chunk = ChunkAt(chunk->next());
  }
  random >>= 3;
  const uint32_t count = chunk->count();
  const size_t copied = std::min<size_t>(count, out.size());
  for (size_t i = 0; i < copied; ++i) out[i] = chunk->items[(random + i) % count];
  return copied;
}

ExpiryWheel::FirstSlot ExpiryWheel::FindFirst() const {
  FirstSlot first;
  for (uint32_t level = 0; level < kLevels; ++level) {
    const uint64_t occupied = levels_[level].occupied;
    if (occupied == 0) continue;
    const int64_t base = base_ >> WidthBits(level);
    const int ahead = std::countr_zero(std::rotr(occupied, static_cast<int>(base & (kSlots - 1))));
    const int64_t due = DueOf(level, base + ahead);
    if (due < first.due) {
      first = {level, static_cast<uint32_t>(base + ahead) % kSlots, due};
    }
  }
  return first;
}

}  // namespace mikura::engine::store
