// SPDX-License-Identifier: Apache-2.0
// A snapshot to a file of the asker's own, beside those that clients and save points ask for: the
// node's dump file, its LASTSAVE and its INFO stay as they are. One at a time. Any thread.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "engine/persistence/snapshot_saver.h"

namespace mikura::engine {

class AskedSnapshot {
 public:
  enum class State { kNone, kSaving, kDone, kFailed };
  struct Progress {
    State state = State::kNone;
    std::string path;   // of the latest that was asked for
    std::string error;  // kFailed: why
  };

  AskedSnapshot(Keyspace& keyspace, SnapshotSlots& slots, const Clock& clock)
      : saver_(keyspace, slots, clock) {}

  // Begins one to `path`, an absolute path, in a thread of its own; the file is there when it is
  // whole. Nothing new is begun when one to this path is being saved.
  // Errors: one to another path is being saved.
  Status Begin(const std::string& path);
  Progress progress() const;
  // Interrupts what is being saved, and joins.
  void Stop() { saver_.Stop(); }

 private:
  mutable Mutex mutex_;
  Progress progress_ GUARDED_BY(mutex_);
  bool is_started_ GUARDED_BY(mutex_) = false;
  SnapshotSaver saver_;  // destroyed first: it calls back
};

}  // namespace mikura::engine
