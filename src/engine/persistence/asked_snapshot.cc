// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/asked_snapshot.h"

namespace mikura::engine {

Status AskedSnapshot::Begin(const std::string& path) {
  MutexLock lock(mutex_);
  if (progress_.state == State::kSaving) {
    if (progress_.path == path) return Ok();
    return Error{"a snapshot to " + progress_.path + " is being saved"};
  }
  // A node that is never asked has no thread for it.
  if (!is_started_) saver_.Start();
  is_started_ = true;
  saver_.Configure({.path = path, .points = {}});
  const auto done = [this](const Status& ended) {
    MutexLock ending(mutex_);
    progress_.state = ended.ok() ? State::kDone : State::kFailed;
    if (!ended.ok()) progress_.error = ended.error().message;
  };
  // The saver calls `done` on its own thread, with none of its locks held.
  if (!saver_.Begin(SnapshotSaver::Kind::kAwaited, done)) return Error{"the node is stopping"};
  progress_ = {State::kSaving, path, ""};
  return Ok();
}

AskedSnapshot::Progress AskedSnapshot::progress() const {
  MutexLock lock(mutex_);
  return progress_;
}

}  // namespace mikura::engine
