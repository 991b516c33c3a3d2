// SPDX-License-Identifier: Apache-2.0
// Saves snapshots to the RDB file of the node, one at a time, on a thread of its own: when asked,
// and when a save point is reached.
//
//   idle -> (asked, or a save point) saving -> idle
//
// What fails leaves the file of before. After a failure save points wait for kRetryPause, and the
// node takes no writes until one succeeds, if it has save points and its settings say so. Only the
// failure of one that nobody waited for counts: of others the client is told.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "engine/keyspace/keyspace.h"
#include "engine/persistence/snapshot.h"

namespace mikura::engine {

struct SaveSettings {
  // So many seconds after the last snapshot one is due, if so much has changed.
  struct Point {
    int64_t seconds;
    uint64_t changes;
  };
  std::string path;
  std::vector<Point> points;
  bool stops_writes_on_failure = true;
};

struct SaveStatus {
  bool is_saving = false;
  bool last_ok = true;          // how the last one in the background ended
  UnixMillis last_save_at = 0;  // end of the last that succeeded; at first the start of the node
  int64_t last_seconds = -1;    // what the last one took; -1: there was none
  int64_t current_seconds = -1;
  uint64_t saves = 0;      // that succeeded
  uint64_t changes = 0;    // since the last that succeeded
  uint64_t keys_done = 0;  // of the one that is being saved
  uint64_t keys_total = 0;
  uint64_t backlog_bytes = 0;  // of all snapshots that go to files
};

class SnapshotSaver {
 public:
  static constexpr UnixMillis kRetryPause = 5000;
  static constexpr auto kLookPeriod = std::chrono::milliseconds(100);

  // Nothing is saved before Start().
  SnapshotSaver(Keyspace& keyspace, SnapshotSlots& slots, const Clock& clock);
  ~SnapshotSaver() { Stop(); }
  SnapshotSaver(const SnapshotSaver&) = delete;
  SnapshotSaver& operator=(const SnapshotSaver&) = delete;

  void Configure(SaveSettings settings);
  // Told whether the node must take no writes; with a lock held, it must not wait. Set once, before
  // Start().
  void SetOnCannotSave(std::function<void(bool cannot_save)> listener) {
    on_cannot_save_ = std::move(listener);
  }
  // Whether no save point counts now: the data are not whole. Set once, before Start().
  void SetIsHeld(std::function<bool()> is_held) { is_held_ = std::move(is_held); }
  // Called around what BeginInstead() asks for, on the saver's thread: before it, and when the node
  // goes on because it failed (false). Set once, before Start().
  void SetOnLast(std::function<void(bool begins)> on_last) { on_last_ = std::move(on_last); }
  bool is_held() const { return is_held_ && is_held_(); }
  bool has_points() const;
  std::string path() const;

  void Start();
  // Interrupts what is being saved, and joins. What was asked for and has not begun is told so.
  void Stop();

  // Told how it ended, on the saver's thread, once.
  using Done = std::function<void(const Status& status)>;
  // Who waits for it; or it is one in the background, like those of save points.
  enum class Kind { kAwaited, kBackground };
  // False: something is being saved already, and `done` is not called.
  bool Begin(Kind kind, Done done = {});
  // Awaited, before the node ends; what is being saved is interrupted.
  void BeginInstead(Done done);
  // The same, and waits for its end. Not on the saver's thread.
  Status SaveInstead();

  SaveStatus status() const;
  // Whether a save point is reached. For tests, beside the saver's thread.
  bool IsDue(UnixMillis now) const;

 private:
  struct Request {
    Kind kind = Kind::kBackground;
    Done done;
    bool is_last = false;  // the node is to end
  };

  void Run();
  // Whether there is something to save; waits for it. False: the end.
  bool AwaitRequest(Request& request, std::string& path);
  void Save(const std::string& path, const Request& request);
  bool IsDueLocked(UnixMillis now) const REQUIRES(mutex_);
  void TellWhetherItCanSave() REQUIRES(mutex_);
  uint64_t ChangesSince(uint64_t before) const;

  Keyspace& keyspace_;
  SnapshotSlots& slots_;
  const Clock& clock_;
  std::thread thread_;
  std::function<void(bool cannot_save)> on_cannot_save_;
  std::function<bool()> is_held_;
  std::function<void(bool begins)> on_last_;

  mutable Mutex mutex_;
  CondVar wake_;
  SaveSettings settings_ GUARDED_BY(mutex_);
  std::vector<Request> asked_ GUARDED_BY(mutex_);  // what comes next; none: nothing
  bool is_stopping_ GUARDED_BY(mutex_) = false;
  bool is_saving_ GUARDED_BY(mutex_) = false;
  bool last_ok_ GUARDED_BY(mutex_) = true;
  UnixMillis last_save_at_ GUARDED_BY(mutex_);
  UnixMillis began_at_ GUARDED_BY(mutex_) = 0;
  UnixMillis failed_at_ GUARDED_BY(mutex_) = 0;
  int64_t last_seconds_ GUARDED_BY(mutex_) = -1;
  uint64_t saves_ GUARDED_BY(mutex_) = 0;
  uint64_t changes_at_save_ GUARDED_BY(mutex_) = 0;
  // Asked by the thread that writes; publishes nothing but itself.
  std::atomic<bool> is_interrupted_{false};
  SaveProgress progress_;
};

}  // namespace mikura::engine
