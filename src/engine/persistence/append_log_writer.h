// SPDX-License-Identifier: Apache-2.0
// Writes the change log to the increment of the append log, on a thread of its own.
//
// A1. It writes every byte of the log from the position of Attach() on, in order, without a gap,
//     and from the position of a switch on into another file. Chunks are shared, not copied.
// A2. `durable` names what is on the disk. It never passes bytes whose sync failed.
// A3. An error stops nothing: what could not be written waits, and is tried again every
//     kRetryPause. The file ends behind a whole record meanwhile.
// A4. What was written is kept until it is synced, up to kKeptBytesMax. After a failed sync nobody
//     knows what the system has kept of the pages: the file is cut and written again from there.
// A5. Who waits for the disk anyway may write and sync by itself (CommitHere) what has come: no
//     thread has to be woken for it, and none to wake the waiter. One at a time works on the file.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "engine/keyspace/change_log.h"
#include "engine/persistence/append_log_file.h"

namespace mikura::engine {

// When what was written is synced: appendfsync.
enum class LogSync : uint8_t { kNo, kEverySecond, kAlways };

class AppendLogWriter final : public LogReader {
 public:
  // Nothing has to become durable: the log is off.
  static constexpr Lsn kNothingPending = std::numeric_limits<Lsn>::max();
  static constexpr auto kRetryPause = std::chrono::milliseconds(100);
  static constexpr auto kSyncPeriod = std::chrono::seconds(1);
  // More than this waits to be written: writing clients have to wait too.
  static constexpr uint64_t kCongestedBytes = 64 << 20;
  static constexpr uint64_t kKeptBytesMax = 64 << 20;
  // Above this a disk is too slow, or the work too large, to be waited for by a thread that has
  // others to serve.
  static constexpr auto kPromptCommit = std::chrono::milliseconds(10);
  static constexpr uint64_t kPromptBytes = 1 << 20;

  explicit AppendLogWriter(const Clock& clock) : clock_(clock) {}
  ~AppendLogWriter() override { Stop(); }

  // Called whenever durable_lsn() has changed, on the thread that wrote. Set once, before Start().
  void SetDurableListener(std::function<void()> listener) { on_durable_ = std::move(listener); }
  // Called when it begins or ends to fail (`error`: the number, 0: all is well), or that more waits
  // than can be written soon. On the thread that wrote or the flusher's. Set once, before Start().
  struct Health {
    int error = 0;
    bool is_congested = false;
  };
  void SetHealthListener(std::function<void(Health health)> listener) {
    on_health_ = std::move(listener);
  }
  void Start();
  // Writes and syncs what it was given, and ends.
  void Stop();

  // ---- From the flusher.
  void OnBytes(std::span<const LogSlice> slices) override;

  // ---- At a gate, with all shards locked; they do not wait. Nobody else writes meanwhile.
  // Writes what is logged from `lsn` on, behind `prefix`, to the end of `file`. It is idle.
  void Attach(std::unique_ptr<AppendLogFile> file, Lsn lsn, std::string prefix);
  // From `at` on another file is written, which `open` gives on the writer's thread when everything
  // before is on the disk; `done` is told. When it gives none, the file of before goes on. One at a
  // time.
  struct Switch {
    Lsn at = 0;
    std::string prefix;
    std::function<Result<std::unique_ptr<AppendLogFile>>()> open;
    std::function<void(const Status& status)> done;
  };
  void SwitchAt(Switch next);

  // ---- Called with no lock held.
  // Writes what it was given, syncs and closes the file, and is idle. What cannot be written now is
  // left out, and logged. Nothing is given to it meanwhile.
  void Detach();
  // Gives up a switch that has not happened; its `done` is told.
  void CancelSwitch();

  // With nothing else to do, and no lock held: gives the readers of `log` what was logged, writes
  // and syncs it on the calling thread. False: that is left to the writer's thread, since it is at
  // work, or the disk has been slow; then `log` has to be woken. Only for LogSync::kAlways.
  bool CommitHere(ChangeLog& log) EXCLUDES(work_mutex_);
  // Whether CommitHere() is worth trying: the disk is prompt.
  bool CommitsHere() const {
    return sync() == LogSync::kAlways && error() == 0 &&
           commit_nanos_.load(std::memory_order_relaxed) <
               std::chrono::nanoseconds(kPromptCommit).count();
  }

  void set_sync(LogSync sync);
  LogSync sync() const { return sync_.load(std::memory_order_relaxed); }
  // Whether records are preceded by a note of the second in which they were logged, when that is
  // another one than before: `#TS:<seconds since the epoch>`, as Redis' aof-timestamp-enabled.
  static std::string NoteOf(int64_t second);
  void set_notes_time(bool value) { notes_time_.store(value, std::memory_order_relaxed); }

  // ---- Any thread, no lock.
  // Everything before it was written, but may be in the system's memory only.
  Lsn written_lsn() const { return written_lsn_.load(std::memory_order_acquire); }
  // Everything before it is on the disk. kNothingPending while the log is off.
  Lsn durable_lsn() const { return durable_lsn_.load(std::memory_order_acquire); }
  // The number of the error because of which nothing can be written now; 0: all is well.
  int error() const { return error_.load(std::memory_order_relaxed); }
  uint64_t queued_bytes() const { return queued_bytes_.load(std::memory_order_relaxed); }
  // Of the file that is written.
  uint64_t file_bytes() const { return file_bytes_.load(std::memory_order_relaxed); }
  // A sync failed, and what it was to bring to the disk is here no more: the data have to be
  // written anew as a whole, and until that is said to be done, durable_lsn() stays.
  bool is_in_doubt() const { return is_in_doubt_.load(std::memory_order_relaxed); }
  void ClearDoubt();

 private:
  // Whole records.
  struct Group {
    std::vector<LogSlice> slices;
    Lsn end = 0;
    uint64_t bytes = 0;
    int64_t second = 0;  // in which it was logged; 0: is not noted
  };
  struct Incoming {
    std::unique_ptr<AppendLogFile> file;
    Lsn lsn = 0;
    std::string prefix;
  };
  struct Orders {
    std::optional<Incoming> incoming;
    bool cancels_switch = false;
    bool closes = false;
    bool stops = false;
  };

  void Run();
  // Waits until there is something to do.
  void AwaitOrders(std::chrono::nanoseconds nap) EXCLUDES(mutex_);
  // Takes what is to be written as well.
  Orders TakeOrders() REQUIRES(work_mutex_);
  // What only the writer's thread does.
  bool HasOtherOrders() const REQUIRES(mutex_);
  void TakeQueue() REQUIRES(mutex_, work_mutex_);
  void Poke() EXCLUDES(mutex_);
  std::chrono::nanoseconds Nap() const REQUIRES(work_mutex_);
  bool is_dirty() const REQUIRES(work_mutex_) { return has_unkept_ || !kept_.empty(); }
  void NoteCommit(MonotonicNanos took);
  void BeginFile(Incoming incoming) REQUIRES(work_mutex_);
  // These return 0, or the number of the error.
  int WriteAndSync() REQUIRES(work_mutex_);
  int WritePrefix() REQUIRES(work_mutex_);
  int WriteSome() REQUIRES(work_mutex_);
  int WriteGroups(size_t count) REQUIRES(work_mutex_);
  // Gathers the first `count` groups in pieces_. Returns the second that is noted then.
  int64_t GatherGroups(size_t count) REQUIRES(work_mutex_);
  int SyncFile() REQUIRES(work_mutex_);
  int TakeSwitch() REQUIRES(work_mutex_);

  void SplitFront(Lsn at) REQUIRES(work_mutex_);
  void Keep(Group group) REQUIRES(work_mutex_);
  // What was written and not synced has to be written again.
  void TakeBack() REQUIRES(work_mutex_);
  void PublishDurable(Lsn lsn);
  void EndSwitch(const Status& status) REQUIRES(work_mutex_);
  void NoteError(int error) REQUIRES(work_mutex_);
  void NoteHealth();
  void CloseFile() REQUIRES(work_mutex_);

  const Clock& clock_;
  std::function<void()> on_durable_;
  std::function<void(Health health)> on_health_;
  Mutex health_mutex_;
  Health health_ GUARDED_BY(health_mutex_);  // what was told last
  std::thread thread_;

  Mutex mutex_;
  CondVar wake_;
  CondVar idle_;
  bool is_stopping_ GUARDED_BY(mutex_) = false;
  bool is_attached_ GUARDED_BY(mutex_) = false;
  bool is_detaching_ GUARDED_BY(mutex_) = false;
  bool is_poked_ GUARDED_BY(mutex_) = false;
  bool is_led_ GUARDED_BY(mutex_) = false;  // who commits takes the queue: nobody is to be woken
  bool cancels_switch_ GUARDED_BY(mutex_) = false;
  Lsn accept_from_ GUARDED_BY(mutex_) = 0;
  std::deque<Group> queue_ GUARDED_BY(mutex_);
  std::optional<Incoming> incoming_ GUARDED_BY(mutex_);
  std::optional<Switch> asked_switch_ GUARDED_BY(mutex_);

  // ---- Of whoever works on the file. Taken before mutex_.
  Mutex work_mutex_;
  std::unique_ptr<AppendLogFile> file_ GUARDED_BY(work_mutex_);
  std::string prefix_ GUARDED_BY(work_mutex_);         // to be written first
  std::deque<Group> pending_ GUARDED_BY(work_mutex_);  // to be written
  std::deque<Group> kept_ GUARDED_BY(work_mutex_);     // written, not synced
  uint64_t kept_bytes_ GUARDED_BY(work_mutex_) = 0;
  uint64_t kept_begin_size_ GUARDED_BY(work_mutex_) = 0;  // of the file, before kept_
  Lsn kept_begin_ GUARDED_BY(work_mutex_) = 0;
  bool has_unkept_ GUARDED_BY(work_mutex_) = false;  // something else was written and not synced
  Lsn position_ GUARDED_BY(work_mutex_) = 0;         // behind what was written
  std::optional<Switch> switch_ GUARDED_BY(work_mutex_);
  MonotonicNanos last_sync_ GUARDED_BY(work_mutex_) = 0;
  std::vector<std::string_view> pieces_ GUARDED_BY(work_mutex_);
  std::deque<std::string> notes_ GUARDED_BY(work_mutex_);  // to which pieces_ refer
  int64_t noted_second_ GUARDED_BY(work_mutex_) = 0;       // by the file so far

  // Each publishes what its reader says above.
  std::atomic<LogSync> sync_{LogSync::kEverySecond};
  std::atomic<bool> notes_time_{false};
  std::atomic<Lsn> written_lsn_{0};
  std::atomic<Lsn> durable_lsn_{kNothingPending};
  std::atomic<int> error_{0};
  std::atomic<uint64_t> queued_bytes_{0};
  std::atomic<uint64_t> file_bytes_{0};
  std::atomic<bool> is_in_doubt_{false};
  std::atomic<MonotonicNanos> commit_nanos_{0};  // what a sync takes, smoothed
};

}  // namespace mikura::engine
