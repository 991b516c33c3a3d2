// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/backlog.h"

#include <sys/eventfd.h>

#include <algorithm>

#include "base/check.h"

namespace mikura::engine {

Backlog::Cursor::Cursor() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CHECK(event_.valid());
}

void Backlog::OnBytes(std::span<const LogSlice> slices) {
  MutexLock lock(mutex_);
  if (!slices.empty() && slices.front().begin() != end_) BeginAt(slices.front().begin());
  for (const LogSlice& slice : slices) {
    DCHECK(slice.begin() == end_);
    if (slices_.empty() || !slices_.back().Extend(slice)) slices_.push_back(slice);
    end_ = slice.end();
  }
  Trim();
  for (Cursor* cursor : cursors_) {
    if (!cursor->waiting_ || (cursor->position_ >= end_ && !cursor->cut_)) continue;
    cursor->waiting_ = false;
    const uint64_t one = 1;
    // Fails only when the counter is full, and then the descriptor is readable already.
    [[maybe_unused]] const ssize_t written = write(cursor->event_.get(), &one, sizeof(one));
  }
}

// B4: there is a gap before `lsn`. Whoever has attached waits for what lies behind it.
void Backlog::BeginAt(Lsn lsn) {
  slices_.clear();
  begin_ = end_ = lsn;
  for (Cursor* cursor : cursors_) cursor->position_ = std::max(cursor->position_, lsn);
}

// A cursor may be ahead of the flusher.
size_t Backlog::LagOf(const Cursor& cursor) const {
  return static_cast<size_t>(std::max<Lsn>(0, end_ - cursor.position_));
}

void Backlog::Trim() {
  // What is kept anyway costs nothing more when a replica needs it.
  const size_t hard_bytes = limits_.hard_bytes == 0 ? 0 : std::max(limits_.hard_bytes, size_);
  Lsn keep_from = end_ - static_cast<Lsn>(size_);
  for (Cursor* cursor : cursors_) {
    if (hard_bytes > 0 && LagOf(*cursor) >= hard_bytes) cursor->cut_ = true;
    if (!cursor->cut_) keep_from = std::min(keep_from, cursor->position_);
  }
  while (!slices_.empty() && slices_.front().end() <= keep_from) slices_.pop_front();
  begin_ = slices_.empty() ? end_ : slices_.front().begin();
}

void Backlog::Reset(Lsn lsn) {
  MutexLock lock(mutex_);
  CHECK(cursors_.empty());
  slices_.clear();
  begin_ = lsn;
  end_ = lsn;
}

void Backlog::set_size(size_t size) {
  MutexLock lock(mutex_);
  size_ = size;
  Trim();
}

void Backlog::set_limits(const LagLimits& limits) {
  MutexLock lock(mutex_);
  limits_ = limits;
  Trim();
}

void Backlog::CutSlow(MonotonicNanos now) {
  MutexLock lock(mutex_);
  for (Cursor* cursor : cursors_) {
    if (limits_.soft_bytes == 0 || LagOf(*cursor) < limits_.soft_bytes) {
      cursor->over_soft_since_ = 0;
      continue;
    }
    if (cursor->over_soft_since_ == 0) cursor->over_soft_since_ = now;
    const MonotonicNanos patience = std::chrono::nanoseconds(limits_.soft_time).count();
    if (now - cursor->over_soft_since_ > patience) cursor->cut_ = true;
  }
  Trim();
}

void Backlog::AttachAtEnd(Cursor& cursor) {
  MutexLock lock(mutex_);
  cursor.position_ = end_;
  cursors_.push_back(&cursor);
}

bool Backlog::AttachAt(Cursor& cursor, Lsn lsn) {
  MutexLock lock(mutex_);
  if (lsn < begin_ || lsn > end_) return false;
  cursor.position_ = lsn;
  cursors_.push_back(&cursor);
  return true;
}

void Backlog::Seek(Cursor& cursor, Lsn lsn) {
  MutexLock lock(mutex_);
  DCHECK(lsn >= cursor.position_);
  cursor.position_ = lsn;
}

void Backlog::Detach(Cursor& cursor) {
  MutexLock lock(mutex_);
  std::erase(cursors_, &cursor);
  Trim();
}

bool Backlog::Read(Cursor& cursor, size_t bytes_max, std::vector<LogSlice>& out) {
  MutexLock lock(mutex_);
  if (cursor.cut_) return false;
  auto slice = std::upper_bound(
      slices_.begin(), slices_.end(), cursor.position_,
      [](Lsn position, const LogSlice& candidate) { return position < candidate.end(); });
  size_t left = bytes_max;
  for (; slice != slices_.end() && cursor.position_ < end_ && left > 0; ++slice) {
    LogSlice part = *slice;
    part.TrimBefore(cursor.position_);
    if (part.bytes().size() > left) part.TrimTo(left);
    left -= part.bytes().size();
    cursor.position_ = part.end();
    out.push_back(std::move(part));
  }
  return true;
}

bool Backlog::IsCut(const Cursor& cursor) const {
  MutexLock lock(mutex_);
  return cursor.cut_;
}

bool Backlog::Await(Cursor& cursor) {
  uint64_t count;
  // Empties the event; fails when it is empty.
  [[maybe_unused]] const ssize_t got = read(cursor.event_.get(), &count, sizeof(count));
  MutexLock lock(mutex_);
  cursor.waiting_ = cursor.position_ >= end_ && !cursor.cut_;
  return cursor.waiting_;
}

Backlog::Extent Backlog::extent() const {
  MutexLock lock(mutex_);
  return {begin_, end_, size_};
}

}  // namespace mikura::engine
