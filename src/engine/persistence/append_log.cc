// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/append_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "base/thread_priority.h"

namespace mikura::engine {
namespace {

constexpr auto kLookPeriod = std::chrono::milliseconds(100);
// After a failure it is tried again soon; after several, ever later.
constexpr UnixMillis kRetryPause = 1000;
constexpr uint64_t kQuickRetries = 3;
constexpr UnixMillis kMinute = 60'000;
constexpr uint64_t kMinutesMax = 60;

UnixMillis PauseAfter(uint64_t failures) {
  if (failures < kQuickRetries) return kRetryPause;
  const uint64_t doublings = std::min<uint64_t>(failures - kQuickRetries, 6);
  return static_cast<UnixMillis>(std::min(kMinutesMax, uint64_t{1} << doublings)) * kMinute;
}

}  // namespace

AppendLog::AppendLog(Keyspace& keyspace, SnapshotSlots& slots, const Clock& clock,
                     std::string folder, std::string name, AtRest at_rest, FileCalls* calls)
    : keyspace_(keyspace),
      slots_(slots),
      clock_(clock),
      folder_(std::move(folder), std::move(name)),
      at_rest_(std::move(at_rest)),
      calls_(calls != nullptr ? *calls : system_calls_),
      writer_(clock) {
  keyspace_.change_log().AddReader(writer_);
}

void AppendLog::Configure(const AppendLogSettings& settings) {
  writer_.set_notes_time(settings.notes_time);
  writer_.set_sync(settings.sync);
  TellDurable();
  MutexLock lock(mutex_);
  settings_ = settings;
  changed_.NotifyAll();
}

void AppendLog::TellDurable() {
  MutexLock lock(tell_mutex_);
  if (on_durable_) on_durable_();
}

void AppendLog::Start() {
  if (!is_established()) writer_.Start();
  MutexLock lock(mutex_);
  has_started_ = true;
  thread_ = std::thread([this] { Run(); });
}

Status AppendLog::Enable(bool value) {
  if (value) RETURN_IF_ERROR(folder_.Create());
  MutexLock lock(mutex_);
  is_enabled_.store(value, std::memory_order_relaxed);
  if (!value) is_interrupted_.store(true, std::memory_order_relaxed);
  if (value) not_before_ = 0;
  changed_.NotifyAll();
  return Ok();
}

bool AppendLog::BeginRewrite() {
  MutexLock lock(mutex_);
  if (is_asked_ || is_rewriting_ || is_stopping_) return false;
  is_asked_ = true;
  changed_.NotifyAll();
  return true;
}

void AppendLog::Suspend() {
  MutexLock lock(mutex_);
  is_suspended_ = true;
  is_interrupted_.store(true, std::memory_order_relaxed);
  changed_.NotifyAll();
  while ((is_attached_ || is_busy_) && !is_stopping_) changed_.Wait(mutex_);
}

void AppendLog::Resume() {
  MutexLock lock(mutex_);
  is_suspended_ = false;
  not_before_ = 0;
  changed_.NotifyAll();
}

void AppendLog::Stop() {
  {
    MutexLock lock(mutex_);
    is_stopping_ = true;
    is_interrupted_.store(true, std::memory_order_relaxed);
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
  Close();
  writer_.Stop();
  keyspace_.change_log().RemoveReader(writer_);
}

AppendLogStatus AppendLog::status() const {
  MutexLock lock(mutex_);
  const bool will_be_opened = has_started_ && is_enabled() && !is_attached_ && !is_suspended_ &&
                              clock_.NowMillis() >= not_before_;
  const bool is_rewriting = is_asked_ || is_rewriting_ || will_be_opened;
  return {.is_enabled = is_enabled(),
          .is_rewriting = is_rewriting,
          .last_rewrite_ok = last_ok_,
          .last_rewrite_seconds = last_seconds_,
          .current_rewrite_seconds = is_rewriting_ ? (clock_.NowMillis() - began_at_) / 1000
                                     : is_asked_   ? 0
                                                   : -1,
          .rewrites = rewrites_,
          .failures = failures_,
          .error = writer_.error(),
          .current_bytes = CurrentBytes(),
          .base_bytes = base_bytes_,
          .queued_bytes = writer_.queued_bytes()};
}

bool AppendLog::IsDue(UnixMillis now) const {
  if (now < not_before_ || writer_.error() != 0) return false;
  if (writer_.is_in_doubt()) return true;
  const uint64_t current = CurrentBytes();
  if (settings_.rewrite_percentage == 0 || current <= settings_.rewrite_bytes_min) return false;
  const uint64_t base = std::max<uint64_t>(base_bytes_, 1);
  return current >= base &&
         (current - base) * 100 / base >= static_cast<uint64_t>(settings_.rewrite_percentage);
}

AppendLog::Task AppendLog::AwaitTask() {
  MutexLock lock(mutex_);
  is_busy_ = false;
  changed_.NotifyAll();
  while (true) {
    if (is_stopping_) return Task::kStop;
    const UnixMillis now = clock_.NowMillis();
    const bool is_wanted = is_enabled() && !is_suspended_;
    is_busy_ = true;
    if (is_attached_ && !is_wanted) return Task::kClose;
    // What was to be interrupted is over.
    is_interrupted_.store(false, std::memory_order_relaxed);
    const bool establishes = is_wanted && !is_attached_ && (is_asked_ || now >= not_before_);
    if (establishes || (!is_suspended_ && (is_asked_ || (is_attached_ && IsDue(now))))) {
      is_asked_ = false;
      is_rewriting_ = true;
      began_at_ = now;
      ++rewrites_;
      return establishes ? Task::kOpen : Task::kRewrite;
    }
    is_busy_ = false;
    if (is_wanted || is_asked_) {
      changed_.WaitFor(mutex_, kLookPeriod);
    } else {
      changed_.Wait(mutex_);
    }
  }
}

void AppendLog::Run() {
  StandBack();
  while (true) {
    const Task task = AwaitTask();
    if (task == Task::kStop) return;
    RunTask(task);
  }
}

void AppendLog::RunTask(Task task) {
  if (task == Task::kClose) return Close();
  Log(LogLevel::kNotice, "append-log", "writing a base to {}", folder_.folder());
  Status status;
  if (task == Task::kOpen) {
    status = Establish();
    if (!status.ok()) Close();
  } else {
    bool is_attached = false;
    {
      MutexLock lock(mutex_);
      is_attached = is_attached_;
    }
    status = is_attached ? SwitchAndRewrite() : RewriteWhileOff();
  }
  NoteOutcome(status);
}

void AppendLog::NoteOutcome(const Status& status) {
  MutexLock lock(mutex_);
  const UnixMillis now = clock_.NowMillis();
  is_rewriting_ = false;
  last_seconds_ = (now - began_at_) / 1000;
  last_ok_ = status.ok();
  if (status.ok()) {
    failures_ = 0;
    base_bytes_ = CurrentBytes();
    Log(LogLevel::kNotice, "append-log", "wrote a base in {} ms; the log has {} bytes",
        now - began_at_, base_bytes_);
    return;
  }
  ++failures_;
  not_before_ = now + PauseAfter(failures_);
  Log(LogLevel::kWarning, "append-log", "no base was written: {}", status.error().message);
}

void AppendLog::Close() {
  ChangeLog& log = keyspace_.change_log();
  {
    MutexLock lock(mutex_);
    if (!is_attached_) return;
  }
  is_established_.store(false, std::memory_order_relaxed);
  const auto deactivate = [&](int) -> Status {
    keyspace_.WithGate({}, [&log] { log.SetActive(false, LogUse::kAppendLog); });
    return Ok();
  };
  // While a primary's data replace those of this node nothing is executed either.
  if (!at_rest_(deactivate).ok()) [[maybe_unused]]
    const Status status = deactivate(0);
  log.Drain();
  writer_.Detach();
  Log(LogLevel::kNotice, "append-log", "the log was closed");
  MutexLock lock(mutex_);
  is_attached_ = false;
  changed_.NotifyAll();
}

}  // namespace mikura::engine
