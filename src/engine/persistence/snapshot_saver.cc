// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/snapshot_saver.h"

#include <future>
#include <utility>

#include "base/logging.h"
#include "base/thread_priority.h"
#include "engine/persistence/rdb_file.h"

namespace mikura::engine {

SnapshotSaver::SnapshotSaver(Keyspace& keyspace, SnapshotSlots& slots, const Clock& clock)
    : keyspace_(keyspace), slots_(slots), clock_(clock), last_save_at_(clock.NowMillis()) {}

void SnapshotSaver::Configure(SaveSettings settings) {
  MutexLock lock(mutex_);
  settings_ = std::move(settings);
  TellWhetherItCanSave();
  wake_.NotifyAll();
}

bool SnapshotSaver::has_points() const {
  MutexLock lock(mutex_);
  return !settings_.points.empty();
}

std::string SnapshotSaver::path() const {
  MutexLock lock(mutex_);
  return settings_.path;
}

void SnapshotSaver::Start() {
  {
    MutexLock lock(mutex_);
    last_save_at_ = clock_.NowMillis();
    changes_at_save_ = keyspace_.ChangeCount();
  }
  thread_ = std::thread([this] { Run(); });
}

void SnapshotSaver::Stop() {
  {
    MutexLock lock(mutex_);
    is_stopping_ = true;
    is_interrupted_.store(true, std::memory_order_relaxed);
    wake_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

bool SnapshotSaver::Begin(Kind kind, Done done) {
  MutexLock lock(mutex_);
  if (is_saving_ || !asked_.empty() || is_stopping_) return false;
  asked_.push_back({kind, std::move(done)});
  wake_.NotifyAll();
  return true;
}

void SnapshotSaver::BeginInstead(Done done) {
  MutexLock lock(mutex_);
  asked_.push_back({Kind::kAwaited, std::move(done), true});
  if (is_saving_) is_interrupted_.store(true, std::memory_order_relaxed);
  wake_.NotifyAll();
}

Status SnapshotSaver::SaveInstead() {
  std::promise<Status> ended;
  BeginInstead([&ended](const Status& status) { ended.set_value(status); });
  return ended.get_future().get();
}

void SnapshotSaver::TellWhetherItCanSave() {
  if (!on_cannot_save_) return;
  on_cannot_save_(settings_.stops_writes_on_failure && !settings_.points.empty() && !last_ok_);
}

uint64_t SnapshotSaver::ChangesSince(uint64_t before) const {
  const uint64_t now = keyspace_.ChangeCount();
  return now > before ? now - before : 0;
}

SaveStatus SnapshotSaver::status() const {
  MutexLock lock(mutex_);
  // What was asked for counts from then on: who asks next sees it.
  return {.is_saving = is_saving_ || !asked_.empty(),
          .last_ok = last_ok_,
          .last_save_at = last_save_at_,
          .last_seconds = last_seconds_,
          .current_seconds = is_saving_ ? (clock_.NowMillis() - began_at_) / 1000 : -1,
          .saves = saves_,
          .changes = ChangesSince(changes_at_save_),
          .keys_done = is_saving_ ? progress_.keys_done.load(std::memory_order_relaxed) : 0,
          .keys_total = is_saving_ ? progress_.keys_total.load(std::memory_order_relaxed) : 0,
          .backlog_bytes = slots_.backlog().bytes()};
}

bool SnapshotSaver::IsDue(UnixMillis now) const {
  MutexLock lock(mutex_);
  return IsDueLocked(now);
}

bool SnapshotSaver::IsDueLocked(UnixMillis now) const {
  if (is_held()) return false;
  if (settings_.points.empty() || (!last_ok_ && now < failed_at_ + kRetryPause)) return false;
  const uint64_t changes = ChangesSince(changes_at_save_);
  for (const SaveSettings::Point& point : settings_.points) {
    if (changes >= point.changes && now - last_save_at_ > point.seconds * 1000) return true;
  }
  return false;
}

void SnapshotSaver::Run() {
  StandBack();
  Request request;
  std::string path;
  while (AwaitRequest(request, path)) Save(path, request);
  std::vector<Request> refused;
  {
    MutexLock lock(mutex_);
    refused = std::exchange(asked_, {});
  }
  for (const Request& one : refused) {
    if (one.done) one.done(Error{"the node is stopping"});
  }
}

bool SnapshotSaver::AwaitRequest(Request& request, std::string& path) {
  MutexLock lock(mutex_);
  while (!is_stopping_ && asked_.empty() && !IsDueLocked(clock_.NowMillis())) {
    if (settings_.points.empty()) {
      wake_.Wait(mutex_);
    } else {
      wake_.WaitFor(mutex_, kLookPeriod);
    }
  }
  if (is_stopping_) return false;
  request = {};
  if (!asked_.empty()) {
    request = std::move(asked_.front());
    asked_.erase(asked_.begin());
  }
  path = settings_.path;
  is_saving_ = true;
  began_at_ = clock_.NowMillis();
  progress_.keys_done.store(0, std::memory_order_relaxed);
  progress_.keys_total.store(0, std::memory_order_relaxed);
  is_interrupted_.store(false, std::memory_order_relaxed);
  return true;
}

void SnapshotSaver::Save(const std::string& path, const Request& request) {
  uint64_t changes = 0;
  const bool tells_last = request.is_last && on_last_;
  if (tells_last) on_last_(true);
  Log(LogLevel::kNotice, "persistence", "saving a snapshot to {}", path);
  const Status status =
      SaveRdb(keyspace_, slots_, path,
              {.at_gate = [&] { changes = keyspace_.ChangeCount(); },
               .is_interrupted = [this] { return is_interrupted_.load(std::memory_order_relaxed); },
               .progress = &progress_});
  if (tells_last && !status.ok()) on_last_(false);
  {
    MutexLock lock(mutex_);
    const UnixMillis now = clock_.NowMillis();
    is_saving_ = false;
    const bool in_background = request.kind == Kind::kBackground;
    if (in_background) last_seconds_ = (now - began_at_) / 1000;
    if (status.ok() || in_background) last_ok_ = status.ok();
    TellWhetherItCanSave();
    if (status.ok()) {
      last_save_at_ = now;
      changes_at_save_ = changes;
      ++saves_;
      Log(LogLevel::kNotice, "persistence", "saved a snapshot in {} ms", now - began_at_);
    } else {
      failed_at_ = now;
      Log(LogLevel::kWarning, "persistence", "no snapshot was saved: {}", status.error().message);
    }
  }
  if (request.done) request.done(status);
}

}  // namespace mikura::engine
