// SPDX-License-Identifier: Apache-2.0
// The latest part of the change log, kept for replicas that are attached and for those that come
// back soon.
//
// B1. What is kept is one run without gaps, [begin, end).
// B2. At least `size` bytes stay when there were that many; more only while a cursor needs them.
// B3. A cursor that is too far behind the end, or for too long, is cut: it needs nothing any more.
// B4. Where the log was not read for a while (its append log began it again), the run begins anew.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "engine/keyspace/change_log.h"

namespace mikura::engine {

// How far a replica may be behind (client-output-buffer-limit replica); 0 bytes: no limit.
struct LagLimits {
  size_t hard_bytes = 256 << 20;
  size_t soft_bytes = 64 << 20;
  std::chrono::milliseconds soft_time{60'000};  // at soft_bytes for longer than this is too much
};

class Backlog final : public LogReader {
 public:
  // Place of one replica in the log; used by its session's thread.
  class Cursor {
   public:
    Cursor();
    // Readable after Await(), when there is more to read or the cursor was cut.
    int event_fd() const { return event_.get(); }

   private:
    friend class Backlog;
    Lsn position_ = 0;  // guarded by the backlog's lock, as all below
    bool waiting_ = false;
    bool cut_ = false;
    MonotonicNanos over_soft_since_ = 0;  // 0: it was below the soft limit when last looked at
    UniqueFd event_;
  };

  Backlog(size_t size, const LagLimits& limits) : size_(size), limits_(limits) {}

  // From the flusher.
  void OnBytes(std::span<const LogSlice> slices) override;

  // Forgets everything and begins anew at `lsn`. Nothing may be appended meanwhile, no cursor
  // attached.
  void Reset(Lsn lsn);
  void set_size(size_t size);
  void set_limits(const LagLimits& limits);
  // Cuts the cursors that have been above the soft limit for too long. To be called about once a
  // second or oftener; the hard limit is kept at each append.
  void CutSlow(MonotonicNanos now);

  // Attaches a cursor at the end of what is kept now, so that nothing behind it is dropped.
  void AttachAtEnd(Cursor& cursor);
  // Attaches at `lsn`; false when that is not kept (any more).
  bool AttachAt(Cursor& cursor, Lsn lsn);
  // Moves an attached cursor forward, also beyond the end.
  void Seek(Cursor& cursor, Lsn lsn);
  void Detach(Cursor& cursor);

  // Appends to `out` up to about `bytes_max` bytes from the cursor on, and moves it behind them.
  // False when the cursor was cut.
  bool Read(Cursor& cursor, size_t bytes_max, std::vector<LogSlice>& out);
  bool IsCut(const Cursor& cursor) const;
  // Arms the cursor's event; false when there is something to read (or to learn) already.
  bool Await(Cursor& cursor);

  struct Extent {
    Lsn begin = 0;
    Lsn end = 0;
    size_t size = 0;
  };
  Extent extent() const;

 private:
  void BeginAt(Lsn lsn) REQUIRES(mutex_);
  void Trim() REQUIRES(mutex_);
  size_t LagOf(const Cursor& cursor) const REQUIRES(mutex_);

  mutable Mutex mutex_;
  size_t size_ GUARDED_BY(mutex_);
  LagLimits limits_ GUARDED_BY(mutex_);
  Lsn begin_ GUARDED_BY(mutex_) = 0;
  Lsn end_ GUARDED_BY(mutex_) = 0;
  std::deque<LogSlice> slices_ GUARDED_BY(mutex_);
  std::vector<Cursor*> cursors_ GUARDED_BY(mutex_);
};

}  // namespace mikura::engine
