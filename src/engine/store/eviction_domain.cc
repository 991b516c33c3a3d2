// SPDX-License-Identifier: Apache-2.0
#include "engine/store/eviction_domain.h"

#include <algorithm>

#include "base/check.h"

namespace mikura::engine::store {
namespace {

constexpr uint32_t kRemovalsPerStep = 16;  // a chunk of 168 items is compacted in so many removals
constexpr uint64_t kGhostsMin = 512;
constexpr uint64_t kDeadMin = 1024;  // fewer are left to the evictor
// Of so many unused keys at the end of the small queue one goes to the main queue all the same:
// else keys of the past could fill that for ever, when no new one is used twice while it is
// remembered.
constexpr uint64_t kUnusedPerAdmission = 256;

}  // namespace

EvictionDomain::EvictionDomain(MemoryGauge& gauge) : gauge_(gauge), small_(gauge), main_(gauge) {}

EvictionDomain::~EvictionDomain() {
  MutexLock lock(mutex_);
  CountMemory(0);
}

void EvictionDomain::Add(uint32_t shard, int database, uint32_t position, size_t bytes) {
  MutexLock lock(mutex_);
  if (BuildCursor{shard, database, position} >= built_) return;  // D2
  const QueueItem item{position, static_cast<uint16_t>(shard), SizeCodeOf(bytes)};
  const std::optional<GhostOrigin> ghost = ghosts_.Take(GhostKeyOf(item));
  if (ghost.has_value()) small_share_.CountReturn(*ghost);
  // A key of the main queue begins anew: it would come back at once in a loop that is a little
  // too long, and push out another.
  (ghost == GhostOrigin::kSmallQueue ? main_ : small_).Push(item);
  while (evictions_ == 0 && small_.size() > 1 && IsSmallQueueDue()) main_.Push(small_.Pop());
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
  return small_.bytes() * 1000 >= (small_.bytes() + main_.bytes()) * small_share_.permille();
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
    return Taken{this, first_shard_ + item.shard, item, from_small, generation_};
  }
  Account();
  return std::nullopt;
}

// A key that went meanwhile has left its dead item: that is this one.
void EvictionDomain::GiveBack(const Taken& taken) {
  MutexLock lock(mutex_);
  if (taken.generation != generation_) return;
  (taken.from_small ? small_ : main_).Push(taken.item);
  Account();
}

// Whether a key stays for its uses.
bool EvictionDomain::IsWorthKeeping(const Taken& taken, uint8_t uses) {
  if (uses > 0) return true;
  return taken.from_small && ++unused_seen_ % kUnusedPerAdmission == 0;
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
  if (!force && IsWorthKeeping(taken, uses)) {
    item.size_code = SizeCodeOf(bytes);
    main_.Push(item);
    Account();
    return Verdict::kKeep;
  }
  const uint64_t left = small_.size() + main_.size();
  const GhostOrigin origin = taken.from_small ? GhostOrigin::kSmallQueue : GhostOrigin::kMainQueue;
  // The ghosts grow with what they have to remember: memory that came at once would have to be made
  // room for at once.
  ghosts_.Resize(std::min(left, kGhostsMin + 2 * ++evictions_));
  ghosts_.Add(GhostKeyOf(item), origin);
  small_share_.CountEviction(origin, left);
  Account();
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

void EvictionDomain::Assign(uint32_t first_shard, uint32_t shards) {
  CHECK(shards <= kShardsMax);
  MutexLock lock(mutex_);
  Clear();
  first_shard_ = first_shard;
  dead_ = std::vector<PositionMultiset>(shards);
}

void EvictionDomain::Reset() {
  MutexLock lock(mutex_);
  Clear();
}

void EvictionDomain::Clear() {
  ++generation_;
  small_.Clear();
  main_.Clear();
  ghosts_.Clear();
  for (PositionMultiset& dead : dead_) dead.Clear();
  dead_count_ = 0;
  small_share_ = {};
  evictions_ = 0;
  unused_seen_ = 0;
  built_ = {};
  Account();
}

void EvictionDomain::FreeDiscarded(size_t chunks) {
  MutexLock lock(mutex_);
  small_.FreeDiscarded(chunks);
  main_.FreeDiscarded(chunks);
  Account();
}

std::optional<uint32_t> EvictionDomain::NextToBuild() const {
  MutexLock lock(mutex_);
  if (built_.shard >= dead_.size()) return std::nullopt;
  return first_shard_ + built_.shard;
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
