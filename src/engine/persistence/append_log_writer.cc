// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/append_log_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/logging.h"

namespace mikura::engine {
namespace {

// At most so much is written by one call, so that a switch or a sync is not long in coming.
constexpr uint64_t kWriteBytesMax = 16 << 20;
constexpr int64_t kMillisPerSecond = 1000;

}  // namespace

void AppendLogWriter::Start() {
  thread_ = std::thread([this] { Run(); });
}

void AppendLogWriter::Stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mutex_);
    is_stopping_ = true;
    wake_.NotifyAll();
  }
  thread_.join();
}

void AppendLogWriter::OnBytes(std::span<const LogSlice> slices) {
  Group group;
  if (notes_time_.load(std::memory_order_relaxed)) {
    group.second = clock_.NowMillis() / kMillisPerSecond;
  }
  {
    MutexLock lock(mutex_);
    if (!is_attached_) return;
    for (const LogSlice& slice : slices) {
      if (slice.end() <= accept_from_) continue;
      group.slices.push_back(slice);
      // Those before the gate and those behind it may lie side by side.
      if (slice.begin() < accept_from_) group.slices.back().TrimBefore(accept_from_);
      group.bytes += group.slices.back().bytes().size();
      group.end = slice.end();
    }
    if (group.slices.empty()) return;
    queued_bytes_.fetch_add(group.bytes, std::memory_order_relaxed);
    queue_.push_back(std::move(group));
    if (!is_led_) wake_.NotifyOne();
  }
  if (queued_bytes() > kCongestedBytes) NoteHealth();
}

void AppendLogWriter::Attach(std::unique_ptr<AppendLogFile> file, Lsn lsn, std::string prefix) {
  MutexLock lock(mutex_);
  CHECK(!is_attached_ && queue_.empty());
  is_attached_ = true;
  accept_from_ = lsn;
  incoming_ = Incoming{std::move(file), lsn, std::move(prefix)};
  written_lsn_.store(lsn, std::memory_order_release);
  durable_lsn_.store(lsn, std::memory_order_release);
  wake_.NotifyOne();
}

void AppendLogWriter::SwitchAt(Switch next) {
  MutexLock lock(mutex_);
  CHECK(is_attached_ && !asked_switch_);
  asked_switch_ = std::move(next);
  wake_.NotifyOne();
}

void AppendLogWriter::CancelSwitch() {
  MutexLock lock(mutex_);
  cancels_switch_ = true;
  wake_.NotifyOne();
}

void AppendLogWriter::Detach() {
  MutexLock lock(mutex_);
  if (!is_attached_) return;
  is_detaching_ = true;
  wake_.NotifyOne();
  while (is_attached_) idle_.Wait(mutex_);
}

void AppendLogWriter::set_sync(LogSync sync) {
  MutexLock lock(mutex_);
  sync_.store(sync, std::memory_order_relaxed);
  is_poked_ = true;
  wake_.NotifyOne();
}

void AppendLogWriter::ClearDoubt() {
  MutexLock lock(mutex_);
  is_in_doubt_.store(false, std::memory_order_relaxed);
  is_poked_ = true;
  wake_.NotifyOne();
}

void AppendLogWriter::Poke() {
  MutexLock lock(mutex_);
  is_poked_ = true;
  wake_.NotifyOne();
}

bool AppendLogWriter::HasOtherOrders() const {
  return is_stopping_ || is_detaching_ || is_poked_ || cancels_switch_ || incoming_ ||
         asked_switch_;
}

// How long it may wait for orders: until a sync is due, or another attempt.
std::chrono::nanoseconds AppendLogWriter::Nap() const {
  if (error() != 0) return kRetryPause;
  if (!is_dirty() || sync() != LogSync::kEverySecond) return std::chrono::hours(1);
  const auto since = std::chrono::nanoseconds(clock_.NowNanos() - last_sync_);
  return std::max<std::chrono::nanoseconds>(kSyncPeriod - since, std::chrono::nanoseconds(1));
}

void AppendLogWriter::AwaitOrders(std::chrono::nanoseconds nap) {
  MutexLock lock(mutex_);
  if (HasOtherOrders() || (!queue_.empty() && error() == 0)) return;
  wake_.WaitFor(mutex_, nap);
}

void AppendLogWriter::TakeQueue() {
  std::move(queue_.begin(), queue_.end(), std::back_inserter(pending_));
  queue_.clear();
}

AppendLogWriter::Orders AppendLogWriter::TakeOrders() {
  Orders orders;
  MutexLock lock(mutex_);
  orders.incoming = std::exchange(incoming_, std::nullopt);
  if (asked_switch_) switch_ = std::exchange(asked_switch_, std::nullopt);
  TakeQueue();
  orders.cancels_switch = std::exchange(cancels_switch_, false);
  orders.stops = is_stopping_;
  orders.closes = is_stopping_ || is_detaching_;
  is_poked_ = false;
  return orders;
}

void AppendLogWriter::Run() {
  std::chrono::nanoseconds nap{0};
  while (true) {
    AwaitOrders(nap);
    MutexLock work(work_mutex_);
    Orders orders = TakeOrders();
    if (orders.incoming) BeginFile(std::move(*orders.incoming));
    if (file_ != nullptr) NoteError(WriteAndSync());
    if (orders.cancels_switch) EndSwitch(Error{"it was given up"});
    if (orders.closes) CloseFile();
    if (orders.stops) return;
    nap = Nap();
  }
}

bool AppendLogWriter::CommitHere(ChangeLog& log) {
  if (!CommitsHere() || !work_mutex_.TryLock()) return false;
  bool is_taken = false;
  if (file_ != nullptr && !switch_) {
    {
      MutexLock lock(mutex_);
      is_led_ = true;
    }
    log.Pump();
    MutexLock lock(mutex_);
    is_led_ = false;
    is_taken = !HasOtherOrders() && queued_bytes() <= kPromptBytes;
    if (is_taken) {
      TakeQueue();
    } else {
      wake_.NotifyOne();
    }
  }
  if (is_taken) NoteError(WriteAndSync());
  // What is left to be done has its own time.
  const bool has_more = error() != 0 || is_dirty();
  work_mutex_.Unlock();
  if (has_more) Poke();
  return is_taken && !has_more;
}

void AppendLogWriter::NoteCommit(MonotonicNanos took) {
  constexpr MonotonicNanos kWeight = 8;
  const MonotonicNanos before = commit_nanos_.load(std::memory_order_relaxed);
  commit_nanos_.store(before + (took - before) / kWeight, std::memory_order_relaxed);
}

void AppendLogWriter::BeginFile(Incoming incoming) {
  file_ = std::move(incoming.file);
  prefix_ = std::move(incoming.prefix);
  noted_second_ = 0;
  position_ = kept_begin_ = incoming.lsn;
  kept_begin_size_ = file_->size();
  has_unkept_ = false;
  last_sync_ = clock_.NowNanos();
  is_in_doubt_.store(false, std::memory_order_relaxed);
  file_bytes_.store(file_->size(), std::memory_order_relaxed);
  // It fell when the file came.
  if (on_durable_) on_durable_();
}

int AppendLogWriter::WriteAndSync() {
  int error = WritePrefix();
  while (error == 0) {
    if (switch_ && switch_->at == position_) {
      error = TakeSwitch();
    } else if (!pending_.empty()) {
      error = WriteSome();
    } else {
      break;
    }
  }
  if (error != 0) return error;
  if (!is_dirty()) {
    if (!is_in_doubt() && durable_lsn() < position_) PublishDurable(position_);
    return 0;
  }
  if (sync() == LogSync::kNo) return 0;
  const bool is_due =
      clock_.NowNanos() - last_sync_ >= std::chrono::nanoseconds(kSyncPeriod).count();
  return sync() == LogSync::kAlways || is_due ? SyncFile() : 0;
}

int AppendLogWriter::WritePrefix() {
  if (prefix_.empty()) return 0;
  pieces_.assign(1, prefix_);
  if (const int error = file_->Write(pieces_); error != 0) return error;
  prefix_.clear();
  has_unkept_ = true;
  kept_begin_size_ = file_->size();
  file_bytes_.store(file_->size(), std::memory_order_relaxed);
  return 0;
}

// The groups in front, up to the switch.
int AppendLogWriter::WriteSome() {
  const Lsn limit = switch_ ? switch_->at : std::numeric_limits<Lsn>::max();
  if (pending_.front().end > limit) SplitFront(limit);
  size_t count = 0;
  uint64_t bytes = 0;
  while (count < pending_.size() && pending_[count].end <= limit && bytes < kWriteBytesMax) {
    bytes += pending_[count++].bytes;
  }
  const int error = WriteGroups(count);
  // The first may fit where all do not.
  return error != 0 && count > 1 ? WriteGroups(1) : error;
}

std::string AppendLogWriter::NoteOf(int64_t second) { return fmt::format("#TS:{}\r\n", second); }

int64_t AppendLogWriter::GatherGroups(size_t count) {
  pieces_.clear();
  notes_.clear();
  int64_t noted = noted_second_;
  for (size_t i = 0; i < count; ++i) {
    const Group& group = pending_[i];
    // A clock that was set back is not noted, as in Redis: the notes rise.
    if (group.second > noted) {
      noted = group.second;
      pieces_.push_back(notes_.emplace_back(NoteOf(noted)));
    }
    for (const LogSlice& slice : group.slices) pieces_.push_back(slice.bytes());
  }
  return noted;
}

int AppendLogWriter::WriteGroups(size_t count) {
  const int64_t noted = GatherGroups(count);
  if (const int error = file_->Write(pieces_); error != 0) return error;
  noted_second_ = noted;
  for (size_t i = 0; i < count; ++i) {
    position_ = pending_.front().end;
    queued_bytes_.fetch_sub(pending_.front().bytes, std::memory_order_relaxed);
    Keep(std::move(pending_.front()));
    pending_.pop_front();
  }
  file_bytes_.store(file_->size(), std::memory_order_relaxed);
  written_lsn_.store(position_, std::memory_order_release);
  return 0;
}

void AppendLogWriter::SplitFront(Lsn at) {
  Group& front = pending_.front();
  Group behind{.slices = {}, .end = front.end, .bytes = 0, .second = front.second};
  for (size_t i = front.slices.size(); i-- > 0 && front.slices[i].end() > at;) {
    LogSlice& slice = front.slices[i];
    behind.slices.insert(behind.slices.begin(), slice);
    if (slice.begin() < at) {
      behind.slices.front().TrimBefore(at);
      slice.TrimTo(static_cast<size_t>(at - slice.begin()));
    } else {
      front.slices.pop_back();
    }
    behind.bytes += behind.slices.front().bytes().size();
  }
  front.end = at;
  front.bytes -= behind.bytes;
  pending_.insert(pending_.begin() + 1, std::move(behind));
}

void AppendLogWriter::Keep(Group group) {
  if (sync() == LogSync::kNo || has_unkept_ || kept_bytes_ + group.bytes > kKeptBytesMax) {
    kept_.clear();
    kept_bytes_ = 0;
    has_unkept_ = true;
    return;
  }
  kept_bytes_ += group.bytes;
  kept_.push_back(std::move(group));
}

int AppendLogWriter::SyncFile() {
  const MonotonicNanos begin = clock_.NowNanos();
  if (const int error = file_->Sync(); error != 0) {
    TakeBack();
    return error;
  }
  last_sync_ = clock_.NowNanos();
  NoteCommit(last_sync_ - begin);
  has_unkept_ = false;
  kept_.clear();
  kept_bytes_ = 0;
  kept_begin_ = position_;
  kept_begin_size_ = file_->size();
  if (!is_in_doubt()) PublishDurable(position_);
  return 0;
}

void AppendLogWriter::TakeBack() {
  if (has_unkept_) is_in_doubt_.store(true, std::memory_order_relaxed);
  if (kept_.empty()) return;
  file_->CutAt(kept_begin_size_);  // when that fails, it is done before the next write
  for (const Group& group : kept_) queued_bytes_.fetch_add(group.bytes, std::memory_order_relaxed);
  std::move(kept_.rbegin(), kept_.rend(), std::front_inserter(pending_));
  kept_.clear();
  kept_bytes_ = 0;
  noted_second_ = 0;  // what was noted may be cut off
  position_ = kept_begin_;
  file_bytes_.store(file_->size(), std::memory_order_relaxed);
  written_lsn_.store(position_, std::memory_order_release);
}

void AppendLogWriter::PublishDurable(Lsn lsn) {
  durable_lsn_.store(lsn, std::memory_order_release);
  if (on_durable_) on_durable_();
}

// What stands before another file has to be on the disk before that file has anything (D1).
int AppendLogWriter::TakeSwitch() {
  if (is_dirty()) {
    if (const int error = SyncFile(); error != 0) return error;
  }
  auto opened = switch_->open();
  if (!opened.ok()) {
    EndSwitch(std::move(opened).error());
    return 0;
  }
  file_ = std::move(opened).value();
  prefix_ = std::move(switch_->prefix);
  noted_second_ = 0;
  kept_begin_ = position_;
  kept_begin_size_ = file_->size();
  file_bytes_.store(file_->size(), std::memory_order_relaxed);
  EndSwitch(Ok());
  return WritePrefix();
}

void AppendLogWriter::EndSwitch(const Status& status) {
  if (!switch_) return;
  const auto done = std::move(switch_->done);
  switch_.reset();
  done(status);
}

void AppendLogWriter::NoteHealth() {
  MutexLock lock(health_mutex_);
  const uint64_t limit = health_.is_congested ? kCongestedBytes / 2 : kCongestedBytes;
  const Health health{error(), queued_bytes() > limit};
  if (health.error == health_.error && health.is_congested == health_.is_congested) return;
  health_ = health;
  if (on_health_) on_health_(health);
}

void AppendLogWriter::NoteError(int error) {
  const int before = error_.exchange(error, std::memory_order_relaxed);
  if (error != 0 && before != error) {
    Log(LogLevel::kWarning, "append-log", "cannot write or sync {}: {}", file_->path(),
        std::strerror(error));
  } else if (error == 0 && before != 0) {
    Log(LogLevel::kNotice, "append-log", "{} can be written again", file_->path());
  }
  NoteHealth();
}

void AppendLogWriter::CloseFile() {
  if (file_ != nullptr) {
    if (pending_.empty() && is_dirty()) NoteError(SyncFile());
    if (!pending_.empty()) {
      Log(LogLevel::kWarning, "append-log", "{} ends without the last {} bytes of the log: {}",
          file_->path(), queued_bytes(), std::strerror(error()));
    }
  }
  EndSwitch(Error{"the log was closed"});
  file_.reset();
  pending_.clear();
  kept_.clear();
  kept_bytes_ = 0;
  error_.store(0, std::memory_order_relaxed);
  file_bytes_.store(0, std::memory_order_relaxed);
  PublishDurable(kNothingPending);
  MutexLock lock(mutex_);
  queue_.clear();
  queued_bytes_.store(0, std::memory_order_relaxed);
  is_attached_ = false;
  is_detaching_ = false;
  NoteHealth();
  idle_.NotifyAll();
}

}  // namespace mikura::engine
