// SPDX-License-Identifier: Apache-2.0
#include "engine/store/eviction_domain.h"

#include <algorithm>

namespace mikura::engine::store {
namespace {

constexpr uint32_t kRemovalsPerStep = 16;  // a chunk of 168 items is compacted in so many removals
constexpr uint64_t kGhostsMin = 512;
constexpr uint64_t kDeadMin = 1024;  // fewer are left to the evictor

}  // namespace

EvictionDomain::EvictionDomain(MemoryGauge& gauge) : gauge_(gauge), small_(gauge), main_(gauge) {}

EvictionDomain::~EvictionDomain() {
  MutexLock lock(mutex_);
  CountMemory(0);
}

void EvictionDomain::Add(uint32_t shard, int database, uint32_t position, size_t bytes) {
  MutexLock lock(mutex_);
  if (BuildCursor{shard, database, position} >= built_) return;  // D2
  const QueueItem item{position, static_cast<uint8_t>(shard), SizeCodeOf(bytes)};
  (ghosts_.Take(GhostKeyOf(item)) ? main_ : small_).Push(item);
  Account();
}

void EvictionDomain::Remove(uint32_t shard, int database, uint32_t position) {
  MutexLock lock(mutex_);
  if (BuildCursor{shard, database, position} >= built_) return;  // D2
  dead_[shard].Add(position);
  ++dead_count_;
  ConsiderCompaction();
  Account();
}

bool EvictionDomain::IsSmallQueueDue() const {
  if (main_.size() == 0) return true;
  if (small_.size() == 0) return false;
  return small_.bytes() * 100 >= (small_.bytes() + main_.bytes()) * kSmallPercent;
}

std::optional<EvictionDomain::Taken> EvictionDomain::Take() {
  MutexLock lock(mutex_);
  while (small_.size() + main_.size() > 0) {
    const bool from_small = IsSmallQueueDue();
    const QueueItem item = (from_small ? small_ : main_).Pop();
    if (dead_count_ > 0 && dead_[item.shard].Take(item.position)) {
      --dead_count_;
      continue;
    }
    Account();
    return Taken{item, from_small};
  }
  Account();
  return std::nullopt;
}

EvictionDomain::Verdict EvictionDomain::Judge(const Taken& taken, bool exists, uint8_t uses,
                                              size_t bytes, bool force) {
  MutexLock lock(mutex_);
  QueueItem item = taken.item;
  // The key may have gone, and come back, since the item was taken: then it has another one.
  if (dead_count_ > 0 && dead_[item.shard].Take(item.position)) {
    --dead_count_;
    return Verdict::kForget;
  }
  if (!exists) return Verdict::kForget;
  if (!force && uses > 0) {
    item.size_code = SizeCodeOf(bytes);
    main_.Push(item);
    Account();
    return Verdict::kKeep;
  }
  if (taken.from_small) {
    // It grows with what it has to remember: memory that came at once would have to be made room
    // for at once.
    ghosts_.Resize(std::min(small_.size() + main_.size(), kGhostsMin + 2 * ++ghosts_added_));
    ghosts_.Add(GhostKeyOf(item));
    Account();
  }
  return Verdict::kEvict;
}

// Keeps D3: a pass over both queues takes out what is dead, a chunk for every few removals.
void EvictionDomain::ConsiderCompaction() {
  if (dead_count_ < kDeadMin || dead_count_ * 8 < small_.size() + main_.size()) return;
  if (++removals_ % kRemovalsPerStep != 0) return;
  const auto is_dead = [this](const QueueItem& item) NO_THREAD_SAFETY_ANALYSIS {
    if (!dead_[item.shard].Take(item.position)) return false;
    --dead_count_;
    return true;
  };
  // Each queue in proportion to its share: the small one is rarely worth more than a tenth.
  const bool small_is_next = removals_ / kRemovalsPerStep % 4 == 0 || main_.size() == 0;
  (small_is_next && small_.size() > 0 ? small_ : main_).CompactStep(is_dead);
}

void EvictionDomain::Reset() {
  MutexLock lock(mutex_);
  small_.Clear();
  main_.Clear();
  ghosts_.Clear();
  for (PositionMultiset& dead : dead_) dead.Clear();
  dead_count_ = 0;
  ghosts_added_ = 0;
  built_ = {};
  Account();
}

void EvictionDomain::FreeDiscarded(size_t chunks) {
  MutexLock lock(mutex_);
  small_.FreeDiscarded(chunks);
  main_.FreeDiscarded(chunks);
  Account();
}

EvictionDomain::BuildCursor EvictionDomain::built() const {
  MutexLock lock(mutex_);
  return built_;
}

// Keys that are there already are old: they begin in the main queue.
void EvictionDomain::AddBuilt(const QueueItem& item) {
  MutexLock lock(mutex_);
  main_.Push(item);
  Account();
}

void EvictionDomain::SetBuilt(const BuildCursor& cursor) {
  MutexLock lock(mutex_);
  built_ = cursor;
}

void EvictionDomain::Account() {
  key_bytes_.Set(static_cast<int64_t>(small_.bytes() + main_.bytes()));
  CountMemory(ghosts_.memory_bytes());
  memory_bytes_.Set(
      static_cast<int64_t>(small_.memory_bytes() + main_.memory_bytes() + counted_extra_));
}

// The chunks count themselves; this is for the rest.
void EvictionDomain::CountMemory(size_t bytes) {
  if (bytes == counted_extra_) return;
  gauge_.Add(ThreadIndex(), static_cast<int64_t>(bytes) - static_cast<int64_t>(counted_extra_));
  counted_extra_ = bytes;
}

uint64_t EvictionDomain::items() const {
  MutexLock lock(mutex_);
  return small_.size() + main_.size();
}

uint64_t EvictionDomain::dead_items() const {
  MutexLock lock(mutex_);
  return dead_count_;
}

}  // namespace mikura::engine::store
