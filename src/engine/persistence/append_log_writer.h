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

  explicit AppendLogWriter(const Clock& clock) : clock_(clock) {}
  ~AppendLogWriter() override { Stop(); }

  // Called on the writer's thread whenever durable_lsn() has changed. Set once, before Start().
  void SetDurableListener(std::function<void()> listener) { on_durable_ = std::move(listener); }
  // Called when it begins or ends to fail (`error`: the number, 0: all is well), or that more waits
  // than can be written soon. On the writer's thread or the flusher's. Set once, before Start().
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

  void set_sync(LogSync sync);
  LogSync sync() const { return sync_.load(std::memory_order_relaxed); }

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
  // Waits until there is something to do, and takes what is to be written.
  Orders TakeOrders();
  bool HasOrders() const REQUIRES(mutex_);
  std::chrono::nanoseconds Nap() const;
  bool is_dirty() const { return has_unkept_ || !kept_.empty(); }
  void BeginFile(Incoming incoming);
  // These return 0, or the number of the error.
  int WriteAndSync();
  int WritePrefix();
  int WriteSome();
  int WriteGroups(size_t count);
  int SyncFile();
  int TakeSwitch();

  void SplitFront(Lsn at);
  void Keep(Group group);
  // What was written and not synced has to be written again.
  void TakeBack();
  void PublishDurable(Lsn lsn);
  void EndSwitch(const Status& status);
  void NoteError(int error);
  void NoteHealth();
  void CloseFile();

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
  bool cancels_switch_ GUARDED_BY(mutex_) = false;
  Lsn accept_from_ GUARDED_BY(mutex_) = 0;
  std::deque<Group> queue_ GUARDED_BY(mutex_);
  std::optional<Incoming> incoming_ GUARDED_BY(mutex_);
  std::optional<Switch> asked_switch_ GUARDED_BY(mutex_);

  // ---- The thread's own.
  std::unique_ptr<AppendLogFile> file_;
  std::string prefix_;         // to be written first
  std::deque<Group> pending_;  // to be written
  std::deque<Group> kept_;     // written, not synced
  uint64_t kept_bytes_ = 0;
  uint64_t kept_begin_size_ = 0;  // of the file, before kept_
  Lsn kept_begin_ = 0;
  bool has_unkept_ = false;  // something else was written and not synced
  Lsn position_ = 0;         // behind what was written
  std::optional<Switch> switch_;
  MonotonicNanos last_sync_ = 0;
  std::vector<std::string_view> pieces_;

  // Each publishes what its reader says above.
  std::atomic<LogSync> sync_{LogSync::kEverySecond};
  std::atomic<Lsn> written_lsn_{0};
  std::atomic<Lsn> durable_lsn_{kNothingPending};
  std::atomic<int> error_{0};
  std::atomic<uint64_t> queued_bytes_{0};
  std::atomic<uint64_t> file_bytes_{0};
  std::atomic<bool> is_in_doubt_{false};
};

}  // namespace mikura::engine
