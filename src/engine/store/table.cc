// SPDX-License-Identifier: Apache-2.0
#include "engine/store/table.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"

namespace mikura::engine::store {
namespace {

constexpr uint64_t kPositions = uint64_t{1} << 32;
constexpr uint64_t kItemsMin = 64;  // below this many a rebuild saves nothing

}  // namespace

Table::~Table() {
  uint64_t cursor = 0;
  while (!FreeStep(cursor, 64)) {
  }
}

void Table::Swap(Table& other) {
  keys_.Swap(other.keys_);
  std::swap(wheel_, other.wheel_);
  std::swap(fresh_wheel_, other.fresh_wheel_);
  std::swap(rebuilt_, other.rebuilt_);
  SwapCounts(wheel_bytes_, other.wheel_bytes_);
  SwapCounts(volatile_keys_, other.volatile_keys_);
  SwapCounts(element_deadline_keys_, other.element_deadline_keys_);
  std::swap(unfinished_, other.unfinished_);
  std::swap(items_lost_, other.items_lost_);
  std::swap(stagger_, other.stagger_);
}

bool Table::AddDeadline(uint32_t position, UnixMillis deadline, uint32_t stagger) {
  if (wheel_ == nullptr) {
    stagger_ = stagger;
    wheel_ = std::make_unique<ExpiryWheel>(keys_.allocator(), stagger_);
  }
  ExpiryWheel& wheel = is_rebuilding() && position < rebuilt_ ? *fresh_wheel_ : *wheel_;
  const bool inserted = wheel.Insert(position, deadline);
  CountWheelBytes();
  return inserted;
}

size_t Table::TakeDue(UnixMillis now, size_t limit, ExpiryWheel::Batch& batch) {
  size_t count = 0;
  for (; !unfinished_.empty() && count < std::min(limit, batch.size()); unfinished_.pop_back()) {
    batch[count++] = unfinished_.back();
  }
  if (count != 0) return count;
  if (wheel_ != nullptr) count = wheel_->TakeDue(now, limit, batch);
  if (count == 0 && fresh_wheel_ != nullptr) count = fresh_wheel_->TakeDue(now, limit, batch);
  CountWheelBytes();
  return count;
}

UnixMillis Table::next_due() const {
  if (is_rebuilding() || items_lost_ || !unfinished_.empty()) return INT64_MIN;
  return wheel_ == nullptr ? INT64_MAX : wheel_->next_due();
}

size_t Table::RebuildStep(size_t chains) {
  if (!is_rebuilding()) {
    const auto timed =
        static_cast<uint64_t>(volatile_keys_.value() + element_deadline_keys_.value());
    const uint64_t wanted = std::max<uint64_t>(2 * timed, kItemsMin);
    if (wheel_items() <= wanted && !items_lost_) return 0;
    items_lost_ = false;
    fresh_wheel_ = std::make_unique<ExpiryWheel>(keys_.allocator(), stagger_);
    rebuilt_ = 0;
  }
  size_t done = 0;
  for (; done < chains && rebuilt_ < kPositions && keys_.has_chains(); ++done) {
    const ChainRange range = keys_.ChainAt(static_cast<uint32_t>(rebuilt_));
    bool inserted = true;
    keys_.ForEach(range.head, [&](Bucket*, uint32_t, Entry entry) {
      const UnixMillis due = entry.timing().next();
      if (due == kNoDeadline || !inserted) return;
      inserted = fresh_wheel_->Insert(keys_.PositionOfEntry(entry), due);
    });
    if (!inserted) break;  // no memory: the chain is tried again later
    rebuilt_ = range.end;
  }
  if (rebuilt_ >= kPositions || !keys_.has_chains()) {
    wheel_ = std::move(fresh_wheel_);
    rebuilt_ = kNotRebuilding;
  }
  CountWheelBytes();
  return done;
}

uint64_t Table::wheel_items() const {
  return (wheel_ == nullptr ? 0 : wheel_->item_count()) +
         (fresh_wheel_ == nullptr ? 0 : fresh_wheel_->item_count());
}

size_t Table::PeekDeadlines(bool first, uint64_t random, std::span<uint32_t> out) const {
  size_t count = 0;
  for (const ExpiryWheel* wheel : {wheel_.get(), fresh_wheel_.get()}) {
    if (wheel == nullptr || count == out.size()) continue;
    const std::span<uint32_t> rest = out.subspan(count);
    count += first ? wheel->PeekFirst(random, rest) : wheel->PeekAny(random, rest);
  }
  return count;
}

void Table::CountWheelBytes() {
  int64_t bytes = 0;
  if (wheel_ != nullptr) bytes += static_cast<int64_t>(wheel_->memory_bytes());
  if (fresh_wheel_ != nullptr) bytes += static_cast<int64_t>(fresh_wheel_->memory_bytes());
  keys_.bytes().Add(bytes - wheel_bytes_.value());
  wheel_bytes_.Set(bytes);
}

bool Table::FreeStep(uint64_t& cursor, size_t chains) {
  if (!keys_.FreeStep(cursor, chains)) return false;
  wheel_.reset();
  fresh_wheel_.reset();
  rebuilt_ = kNotRebuilding;
  volatile_keys_.Set(0);
  element_deadline_keys_.Set(0);
  unfinished_.clear();
  CountWheelBytes();
  return true;
}

void Table::CheckInvariants() const {
  keys_.CheckInvariants();
  std::unordered_map<uint32_t, UnixMillis> old_due;
  std::unordered_map<uint32_t, UnixMillis> fresh_due;
  const auto gather = [](const ExpiryWheel* wheel, auto& earliest) {
    if (wheel == nullptr) return;
    wheel->ForEach([&](uint32_t position, UnixMillis due) {
      CHECK(due >= wheel->next_due());
      const auto [it, is_new] = earliest.try_emplace(position, due);
      if (!is_new) it->second = std::min(it->second, due);
    });
  };
  gather(wheel_.get(), old_due);
  gather(fresh_wheel_.get(), fresh_due);
  int64_t volatile_keys = 0;
  int64_t element_deadline_keys = 0;
  int64_t entry_bytes = 0;
  for (uint64_t position = 0; keys_.has_chains() && position < kPositions;) {
    const ChainRange range = keys_.ChainAt(static_cast<uint32_t>(position));
    keys_.ForEach(range.head, [&](Bucket*, uint32_t, Entry entry) {
      const uint32_t key_position = keys_.PositionOfEntry(entry);
      if (key_position < position || key_position >= range.end) return;  // seen with its own range
      entry_bytes += static_cast<int64_t>(entry.memory_bytes());
      const Timing timing = entry.timing();
      volatile_keys += timing.key != kNoDeadline ? 1 : 0;
      element_deadline_keys += timing.elements != kNoDeadline ? 1 : 0;
      if (timing.next() == kNoDeadline ||
          std::find(unfinished_.begin(), unfinished_.end(), key_position) != unfinished_.end()) {
        return;
      }
      const bool is_fresh = is_rebuilding() && key_position < rebuilt_;
      const auto& due = is_fresh ? fresh_due : old_due;
      const UnixMillis now = (is_fresh ? fresh_wheel_ : wheel_)->now();
      const auto it = due.find(key_position);
      CHECK(it != due.end() && it->second <= std::max(timing.next(), now) + 32);  // T1
    });
    position = range.end;
  }
  CHECK(volatile_keys == volatile_keys_.value());
  CHECK(element_deadline_keys == element_deadline_keys_.value());
  CHECK(entry_bytes + wheel_bytes_.value() + keys_.ArrayMemory() == used_bytes());
}

}  // namespace mikura::engine::store
