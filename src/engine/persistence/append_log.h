// SPDX-License-Identifier: Apache-2.0
// The append log of the node: what changes the data is written to files from which they come back
// after a crash. Redis 7's multi-part append-only file.
//
//   off -> (switched on) a base is written, what is logged meanwhile goes to a temporary increment
//       -> on <-> rewrite: the increment is switched at a gate, a base of that moment is written
//       -> (switched off, or a primary's data are copied) off
//
// K1. The base and its first increment meet at a gate: what is in one is not in the other.
// K2. Files are deleted when a manifest is on the disk that does not need them.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "engine/keyspace/keyspace.h"
#include "engine/persistence/append_log_folder.h"
#include "engine/persistence/append_log_loader.h"
#include "engine/persistence/append_log_writer.h"
#include "engine/persistence/rdb_file.h"
#include "engine/persistence/snapshot.h"

namespace mikura::engine {

struct AppendLogSettings {
  LogSync sync = LogSync::kEverySecond;
  bool cuts_tail = true;
  bool notes_time = false;
  bool base_is_rdb = true;  // or commands
  // A rewrite is due when the log is larger than this, and has grown by this since the last one.
  int64_t rewrite_percentage = 100;  // 0: never
  uint64_t rewrite_bytes_min = 64 << 20;
};

struct AppendLogStatus {
  bool is_enabled = false;
  bool is_rewriting = false;
  bool last_rewrite_ok = true;
  int64_t last_rewrite_seconds = -1;  // -1: there was none
  int64_t current_rewrite_seconds = -1;
  uint64_t rewrites = 0;  // that were begun
  uint64_t failures = 0;  // since the last that succeeded
  int error = 0;          // because of which nothing can be written now
  uint64_t current_bytes = 0;
  uint64_t base_bytes = 0;  // of all files, after the last rewrite
  uint64_t queued_bytes = 0;
};

class AppendLog {
 public:
  // Runs `cut` while nothing is executed that a primary sent; `database` is the one that its stream
  // has selected (0 on a primary). Errors: the data are being replaced by a primary's; or those of
  // `cut`.
  using AtRest = std::function<Status(const std::function<Status(int database)>& cut)>;

  // folder, name: the settings appenddirname and appendfilename. Tests pass a failing disk.
  AppendLog(Keyspace& keyspace, SnapshotSlots& slots, const Clock& clock, std::string folder,
            std::string name, AtRest at_rest, FileCalls* calls = nullptr);
  ~AppendLog() { Stop(); }
  AppendLog(const AppendLog&) = delete;
  AppendLog& operator=(const AppendLog&) = delete;

  // ---- At the start, in this order.
  void Configure(const AppendLogSettings& settings);
  // Called when durable_lsn() or reply_lsn() has changed, or the log is established; from the
  // writer's thread and others, one call at a time: what the listener reads then is not older than
  // what it read before. Set once.
  void SetDurableListener(std::function<void()> listener) {
    on_durable_ = std::move(listener);
    writer_.SetDurableListener([this] { TellDurable(); });
  }
  // See AppendLogWriter. Set once.
  void SetHealthListener(std::function<void(AppendLogWriter::Health health)> listener) {
    writer_.SetHealthListener(std::move(listener));
  }
  // When the log is on: loads it into the empty keyspace, and begins to write behind it, or in an
  // empty folder. Errors name file and offset; the node must not go on then.
  Status Open(LogExecutor executor, LoadProgress& progress);
  // Begins the threads.
  void Start();

  // ---- Then, from any thread.
  // The setting appendonly. Does not wait for the base to be written, nor for the file to be
  // closed. Errors: there can be no folder.
  Status Enable(bool value);
  bool is_enabled() const { return is_enabled_.load(std::memory_order_relaxed); }
  // A crash loses nothing that is durable: it is on, and its base is written.
  bool is_established() const { return is_established_.load(std::memory_order_relaxed); }
  // BGREWRITEAOF. False: one goes on already.
  bool BeginRewrite();
  // The data are about to be replaced by a primary's, and have been. The first waits until the log
  // is closed: what is on the disk stays as it is until the new data are there.
  void Suspend();
  void Resume();
  // Writes and syncs what was logged, and ends. No reader of the log may need it any more. May be
  // called twice.
  void Stop();

  // ---- Positions; no lock.
  Lsn written_lsn() const { return writer_.written_lsn(); }
  // AppendLogWriter::kNothingPending while the log is off.
  Lsn durable_lsn() const { return writer_.durable_lsn(); }
  // What replies may tell of: everything before it, as the setting appendfsync promises.
  Lsn reply_lsn() const {
    return writer_.sync() == LogSync::kAlways ? durable_lsn() : AppendLogWriter::kNothingPending;
  }
  // See AppendLogWriter.
  bool CommitHere() { return writer_.CommitHere(keyspace_.change_log()); }
  bool CommitsHere() const { return writer_.CommitsHere(); }
  int error() const { return writer_.error(); }

  AppendLogStatus status() const;
  // Of Open().
  const LoadedCount& loaded() const { return loaded_; }

 private:
  enum class Task { kStop, kClose, kOpen, kRewrite };
  struct SwitchOutcome;

  void Run();
  Task AwaitTask();
  bool IsDue(UnixMillis now) const REQUIRES(mutex_);
  void RunTask(Task task);
  void NoteOutcome(const Status& status);
  void TellDurable() EXCLUDES(tell_mutex_);
  // One of each kind of rewrite.
  Status Establish();
  Status SwitchAndRewrite();
  Status RewriteWhileOff();
  // How a base is written now, and the name of the next one.
  struct NextBase {
    AppendLogManifest::File file;
    SaveHooks hooks;
  };
  NextBase PlanBase(const AppendLogManifest& manifest) const EXCLUDES(mutex_);
  // Writes a base; `at_gate` runs at its moment, with the stream's selected database as a command.
  Status WriteBase(const NextBase& base,
                   const std::function<void(Lsn lsn, std::string select)>& at_gate);
  // Makes `next` the manifest, and deletes what it does not need.
  Status StoreManifest(AppendLogManifest next);
  Result<std::unique_ptr<AppendLogFile>> OpenNextIncrement(SwitchOutcome& outcome);
  Status CreateFiles(AppendLogManifest& manifest);
  Status Attach(std::unique_ptr<AppendLogFile> file);
  void Close();
  // A rewrite gives way to the increment when that finds no room.
  bool GivesUpRewrite() const {
    return is_interrupted_.load(std::memory_order_relaxed) || writer_.error() != 0;
  }
  uint64_t CurrentBytes() const {
    return closed_bytes_.load(std::memory_order_relaxed) + writer_.file_bytes();
  }

  Keyspace& keyspace_;
  SnapshotSlots& slots_;
  const Clock& clock_;
  const AppendLogFolder folder_;
  const AtRest at_rest_;
  FileCalls system_calls_;
  FileCalls& calls_;
  AppendLogWriter writer_;
  std::function<void()> on_durable_;
  Mutex tell_mutex_;  // held over the listener
  LoadedCount loaded_;
  std::thread thread_;

  mutable Mutex mutex_;
  CondVar changed_;
  AppendLogSettings settings_ GUARDED_BY(mutex_);
  bool has_started_ GUARDED_BY(mutex_) = false;
  bool is_asked_ GUARDED_BY(mutex_) = false;
  bool is_suspended_ GUARDED_BY(mutex_) = false;
  bool is_stopping_ GUARDED_BY(mutex_) = false;
  bool is_attached_ GUARDED_BY(mutex_) = false;
  bool is_busy_ GUARDED_BY(mutex_) = false;  // with a task
  bool is_rewriting_ GUARDED_BY(mutex_) = false;
  bool last_ok_ GUARDED_BY(mutex_) = true;
  UnixMillis began_at_ GUARDED_BY(mutex_) = 0;
  UnixMillis not_before_ GUARDED_BY(mutex_) = 0;  // of what nobody asked for
  int64_t last_seconds_ GUARDED_BY(mutex_) = -1;
  uint64_t rewrites_ GUARDED_BY(mutex_) = 0;
  uint64_t failures_ GUARDED_BY(mutex_) = 0;
  uint64_t base_bytes_ GUARDED_BY(mutex_) = 0;

  Mutex manifest_mutex_;
  AppendLogManifest manifest_ GUARDED_BY(manifest_mutex_);  // while it is on

  // Each publishes nothing but itself.
  std::atomic<bool> is_enabled_{false};
  std::atomic<bool> is_established_{false};
  std::atomic<bool> is_interrupted_{false};
  std::atomic<uint64_t> closed_bytes_{0};  // of files that are not written any more
};

}  // namespace mikura::engine
