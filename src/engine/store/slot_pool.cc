// SPDX-License-Identifier: Apache-2.0
#include "engine/store/slot_pool.h"

#include <algorithm>

#include "engine/store/slot_poison.h"

namespace mikura::engine::store {

void SlotPool::Init(SpanStore& store, RegionPart part, size_t slot_bytes) {
  store_ = &store;
  region_ = store.BytesOf(0);
  slot_bytes_ = slot_bytes;
  part_ = part;
  capacity_ = static_cast<uint16_t>(kSpanBytes / slot_bytes);
}

uint8_t SlotPool::ListFor(const Span& span) const {
  if (span.given_out == capacity_) return kNoList;
  const uint32_t free_slots = capacity_ - span.given_out;
  return static_cast<uint8_t>((free_slots - 1) * kFullnessLists / capacity_);
}

void SlotPool::Link(SpanNumber number, uint8_t list) {
  Span& span = (*store_)[number];
  span.list = list;
  if (list == kNoList) return;
  span.previous = 0;
  span.next = lists_[list];
  if (span.next != 0) (*store_)[span.next].previous = number;
  lists_[list] = number;
}

void SlotPool::Unlink(SpanNumber number) {
  const Span& span = (*store_)[number];
  if (span.list == kNoList) return;
  if (span.previous != 0) {
    (*store_)[span.previous].next = span.next;
  } else {
    lists_[span.list] = span.next;
  }
  if (span.next != 0) (*store_)[span.next].previous = span.previous;
}

void SlotPool::Settle(SpanNumber number) {
  Span& span = (*store_)[number];
  if (span.given_out == 0) {
    Unlink(number);
    span.evacuating.store(0, std::memory_order_relaxed);
    --spans_;
    ever_used_ -= span.never_used;
    store_->Give(part_, number);
    return;
  }
  const uint8_t list = span.list == kEvacuationList ? kEvacuationList : ListFor(span);
  if (list == span.list) return;
  Unlink(number);
  Link(number, list);
}

SpanNumber SlotPool::SpanWithRoom() {
  for (uint8_t list = 0; list < kFullnessLists; ++list) {
    if (lists_[list] != 0) return lists_[list];
  }
  const SpanNumber number = store_->Take(part_, capacity_ * slot_bytes_);
  if (number == 0) return 0;
  UnpoisonSlot(store_->BytesOf(number), kSpanBytes);
  Span& span = (*store_)[number];
  span.free_head = 0;
  span.never_used = 0;
  span.given_out = 0;
  ++spans_;
  Link(number, kFullnessLists - 1);
  return number;
}

SlotGroup SlotPool::Take(uint32_t count) {
  MutexLock lock(mutex_);
  SlotGroup group;
  const SpanNumber number = SpanWithRoom();
  if (number == 0) return group;
  Span& span = (*store_)[number];
  if (span.free_head != 0) {
    group.list = span.free_head;
    SlabRef last = group.list;
    group.list_count = 1;
    for (SlabRef next; group.list_count < count && (next = ReadSlotLink(At(last))) != 0;) {
      last = next;
      ++group.list_count;
    }
    span.free_head = ReadSlotLink(At(last));
    WriteSlotLink(At(last), 0);
  } else {
    group.run_count = std::min<uint32_t>(count, capacity_ - span.never_used);
    group.run = (size_t{number} * kSpanBytes + span.never_used * slot_bytes_) / kRefUnitBytes;
    span.never_used = static_cast<uint16_t>(span.never_used + group.run_count);
    ever_used_ += group.run_count;
  }
  const uint32_t taken = group.list_count + group.run_count;
  span.given_out = static_cast<uint16_t>(span.given_out + taken);
  given_out_ += taken;
  Settle(number);
  return group;
}

void SlotPool::Give(const SlotGroup& group) {
  MutexLock lock(mutex_);
  SlabRef ref = group.list;
  for (uint32_t i = 0; i < group.list_count; ++i) {
    const SlabRef next = ReadSlotLink(At(ref));
    GiveSlot(ref);
    ref = next;
  }
  if (group.run_count != 0) GiveRun(group.run, group.run_count);
}

void SlotPool::GiveSlot(SlabRef ref) {
  const SpanNumber number = store_->NumberOf(At(ref));
  Span& span = (*store_)[number];
  WriteSlotLink(At(ref), span.free_head);
  span.free_head = ref;
  --span.given_out;
  --given_out_;
  Settle(number);
}

// A run at the end of what its span has given out becomes "never used" again, untouched.
void SlotPool::GiveRun(SlabRef run, uint32_t count) {
  const SpanNumber number = store_->NumberOf(At(run));
  Span& span = (*store_)[number];
  const size_t first = static_cast<size_t>(At(run) - store_->BytesOf(number)) / slot_bytes_;
  if (first + count == span.never_used) {
    span.never_used = static_cast<uint16_t>(first);
    span.given_out = static_cast<uint16_t>(span.given_out - count);
    given_out_ -= count;
    ever_used_ -= count;
    Settle(number);
    return;
  }
  for (uint32_t i = 0; i < count; ++i) GiveSlot(run + i * slot_bytes_ / kRefUnitBytes);
}

SlotPool::Counts SlotPool::counts() const {
  MutexLock lock(mutex_);
  return {spans_, given_out_ * slot_bytes_, (ever_used_ - given_out_) * slot_bytes_};
}

size_t SlotPool::BeginEvacuation(size_t spans_max, Evacuate which) {
  MutexLock lock(mutex_);
  uint64_t room = spans_ * capacity_ - given_out_;  // free slots of spans that are not marked
  uint64_t to_move = 0;
  size_t marked = 0;
  for (int list = kFullnessLists - 1; list >= 0; --list) {
    while (lists_[list] != 0 && marked < spans_max) {
      const SpanNumber number = lists_[list];
      Span& span = (*store_)[number];
      const uint64_t room_left = room - (capacity_ - span.given_out);
      if (to_move + span.given_out > room_left && which == Evacuate::kSparseSpans) return marked;
      room = room_left;
      to_move += span.given_out;
      Unlink(number);
      Link(number, kEvacuationList);
      span.evacuating.store(1, std::memory_order_relaxed);
      ++marked;
    }
  }
  return marked;
}

size_t SlotPool::EndEvacuation() {
  MutexLock lock(mutex_);
  size_t left = 0;
  while (lists_[kEvacuationList] != 0) {
    const SpanNumber number = lists_[kEvacuationList];
    Span& span = (*store_)[number];
    span.evacuating.store(0, std::memory_order_relaxed);
    Unlink(number);
    Link(number, ListFor(span));
    ++left;
  }
  return left;
}

}  // namespace mikura::engine::store
