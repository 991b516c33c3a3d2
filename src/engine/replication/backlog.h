// SPDX-License-Identifier: Apache-2.0
// The latest part of the change log, kept for replicas that are attached and for those that come
// back soon.
//
// B1. What is kept is one run without gaps, [begin, end).
// B2. At least `size` bytes stay when there were that many; more only while a cursor needs them.
// B3. A cursor that is further than its limit behind the end is cut: it needs nothing any more.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "base/unique_fd.h"
#include "engine/keyspace/change_log.h"

namespace mikura::engine {

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
    UniqueFd event_;
  };

  // lag_max: B3, in bytes.
  Backlog(size_t size, size_t lag_max) : size_(size), lag_max_(lag_max) {}

  // From the flusher.
  void OnBytes(std::span<const LogSlice> slices) override;

  // Forgets everything and begins anew at `lsn`. Nothing may be appended meanwhile, no cursor
  // attached.
  void Reset(Lsn lsn);
  void set_size(size_t size);

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
  void Trim() REQUIRES(mutex_);

  mutable Mutex mutex_;
  size_t size_ GUARDED_BY(mutex_);
  const size_t lag_max_;
  Lsn begin_ GUARDED_BY(mutex_) = 0;
  Lsn end_ GUARDED_BY(mutex_) = 0;
  std::deque<LogSlice> slices_ GUARDED_BY(mutex_);
  std::vector<Cursor*> cursors_ GUARDED_BY(mutex_);
};

}  // namespace mikura::engine
