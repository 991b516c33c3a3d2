// SPDX-License-Identifier: Apache-2.0
// One database of one shard: its hash table and its expiry wheel. Guarded by the shard's lock, or
// owned alone once it has been detached.
//
// Rules:
//   T1. Every key with a deadline, of itself or of an element, has a wheel item that is due no
//   later
//       than the first of them (E1), or is unfinished.
//   T2. Items of keys that were deleted or given a later deadline stay until they are due; when
//   items
//       are more than twice the keys with a deadline, the wheel is rebuilt, a few chains per
//       change.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "engine/store/expiry_wheel.h"
#include "engine/store/hash_table.h"
#include "engine/store/relaxed_count.h"

namespace mikura::engine::store {

class Table {
 public:
  Table(SlabAllocator& allocator, const KeyHasher& hasher) : keys_(allocator, hasher) {}
  // Frees whatever is left, chain by chain: never under a shard's lock.
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  void Swap(Table& other);

  HashTable& keys() { return keys_; }
  const HashTable& keys() const { return keys_; }

  // Makes sure that the key at `position` is looked at when `deadline` comes. False when there is
  // no memory.
  bool AddDeadline(uint32_t position, UnixMillis deadline, uint32_t stagger);
  // Positions whose deadline may have come; see ExpiryWheel::TakeDue.
  size_t TakeDue(UnixMillis now, size_t limit, ExpiryWheel::Batch& batch);
  // Nothing is due before; while the wheel is being rebuilt, now.
  UnixMillis next_due() const;
  // Goes on with rebuilding the wheel, if that is needed; returns the number of chains done.
  size_t RebuildStep(size_t chains);
  // A key came, went or changed; without key all is kNoDeadline.
  void CountTiming(const Timing& before, const Timing& after) {
    volatile_keys_.Add((after.key != kNoDeadline) - (before.key != kNoDeadline));
    if (before.elements != after.elements) {
      element_deadline_keys_.Add((after.elements != kNoDeadline) -
                                 (before.elements != kNoDeadline));
    }
  }
  // An entry that was due has more to do: TakeDue() returns its position next, at any time.
  void AddUnfinished(uint32_t position) { unfinished_.push_back(position); }
  // A deadline could not be added again when its item was due: the wheel has to be rebuilt.
  void OnItemLost() { items_lost_ = true; }
  uint64_t wheel_items() const;
  // Positions where keys with a deadline may be: those due next, or any. See ExpiryWheel::PeekAny.
  size_t PeekDeadlines(bool first, uint64_t random, std::span<uint32_t> out) const;

  int64_t key_count() const { return keys_.keys(); }
  int64_t volatile_keys() const { return volatile_keys_.value(); }
  int64_t used_bytes() const { return keys_.bytes().value(); }
  int64_t wheel_bytes() const { return wheel_bytes_.value(); }

  // Frees up to `chains` chains of a detached table; true when nothing is left. `cursor` starts at
  // 0.
  bool FreeStep(uint64_t& cursor, size_t chains);

  void CheckInvariants() const;

 private:
  static constexpr uint64_t kNotRebuilding = UINT64_MAX;

  bool is_rebuilding() const { return rebuilt_ != kNotRebuilding; }
  void CountWheelBytes();

  HashTable keys_;
  std::unique_ptr<ExpiryWheel> wheel_;
  std::unique_ptr<ExpiryWheel> fresh_wheel_;  // of keys below rebuilt_, during a rebuild
  uint64_t rebuilt_ = kNotRebuilding;         // position up to which the wheel is rebuilt
  RelaxedCount wheel_bytes_;                  // part of used_bytes() that is the wheels'
  RelaxedCount volatile_keys_;
  RelaxedCount element_deadline_keys_;  // keys of which some elements have deadlines
  std::vector<uint32_t> unfinished_;    // positions
  bool items_lost_ = false;
  uint32_t stagger_ = 0;
};

}  // namespace mikura::engine::store
