// SPDX-License-Identifier: Apache-2.0
#include "control/notification/notification_sender.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/logging.h"
#include "base/numbers.h"
#include "control/metadata/metadata_keys.h"

namespace mikura::control {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""s;

constexpr std::chrono::milliseconds kFirstPause = 1s;
constexpr std::chrono::milliseconds kPauseMax = 1min;
constexpr std::chrono::milliseconds kAgeMax = 1h;
constexpr std::chrono::milliseconds kRest = 1min;

MonotonicNanos Nanos(std::chrono::milliseconds time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

}  // namespace

void NotificationSender::Start() {
  watch_ = store_.Watch(std::string(kEventsPrefix), [this] { Wake(); });
  thread_ = std::thread([this] { Run(); });
}

void NotificationSender::Stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
  watch_.reset();
}

void NotificationSender::Wake() {
  {
    MutexLock lock(mutex_);
    woken_ = true;
  }
  wake_.NotifyAll();
}

bool NotificationSender::Stopping() {
  MutexLock lock(mutex_);
  return stopping_;
}

void NotificationSender::Run() {
  while (true) {
    const std::chrono::milliseconds rest = Step();
    MutexLock lock(mutex_);
    if (!woken_ && !stopping_) wake_.WaitFor(mutex_, rest);
    if (stopping_) return;
    woken_ = false;
  }
}

std::chrono::milliseconds NotificationSender::Step() {
  Status read = opened_ ? Ok() : Open();
  if (read.ok()) read = Collect();
  if (!read.ok()) {
    Log(LogLevel::kError, "notification", "{}", read.error().message);
    return kFirstPause;
  }
  const MonotonicNanos left = next_at_ - clock_.NowNanos();
  if (pause_.count() != 0 && left > 0) {
    // Rounded up, so that it is not called too early for nothing.
    return std::chrono::milliseconds(left / 1'000'000 + 1);
  }
  while (!queue_.empty() && !Stopping()) {
    const Revision revision = queue_.front().revision;
    if (!TellFirst()) break;
    queue_.pop_front();
    // All events of one transaction have one revision.
    if (queue_.empty() || queue_.front().revision != revision) told_ = revision;
    StoreCursor();
  }
  StoreCursor();
  return pause_.count() != 0 ? pause_ : kRest;
}

Status NotificationSender::Open() {
  ASSIGN_OR_RETURN(const std::optional<KeyValue> cursor, store_.Get(kNotifiedKey));
  const auto stored = cursor ? ParseInt64(cursor->value) : std::nullopt;
  if (stored) {
    told_ = stored_cursor_ = *stored;
  } else {
    ASSIGN_OR_RETURN(const std::vector<KeyValue> events, store_.List(kEventsPrefix));
    for (const KeyValue& kv : events) told_ = std::max(told_, kv.mod_revision);
    RETURN_IF_ERROR(
        store_.Transact({}, {Write::Put(std::string(kNotifiedKey), std::to_string(told_))}));
    stored_cursor_ = told_;
  }
  collected_ = told_;
  opened_ = true;
  return Ok();
}

Status NotificationSender::Collect() {
  ASSIGN_OR_RETURN(std::vector<KeyValue> events, store_.List(kEventsPrefix));
  std::erase_if(events, [&](const KeyValue& kv) { return kv.mod_revision <= collected_; });
  std::stable_sort(events.begin(), events.end(), [](const KeyValue& a, const KeyValue& b) {
    return a.mod_revision < b.mod_revision;
  });
  for (const KeyValue& kv : events) {
    collected_ = std::max(collected_, kv.mod_revision);
    auto event = EventFromJson(kv.value);
    if (!event.ok() || event->topic.empty()) continue;
    queue_.push_back({kv.mod_revision, std::move(*event)});
    if (queue_.size() <= kQueueMax) continue;
    GiveUp(queue_.front().event, "too many wait");
    queue_.pop_front();
  }
  return Ok();
}

bool NotificationSender::TellFirst() {
  const Event& event = queue_.front().event;
  if (clock_.NowMillis() - event.at > kAgeMax.count()) {
    GiveUp(event, "it is an hour old");
    return true;
  }
  std::string problem;
  const PublishOutcome outcome = publisher_->Publish(event, problem);
  if (outcome == PublishOutcome::kUnreachable) {
    if (pause_.count() == 0) {
      Log(LogLevel::kWarning, "notification", "cannot publish, trying again: {}", problem);
    }
    pause_ = pause_.count() == 0 ? kFirstPause : std::min(2 * pause_, kPauseMax);
    next_at_ = clock_.NowNanos() + Nanos(pause_);
    return false;
  }
  pause_ = {};
  if (outcome == PublishOutcome::kRefused) GiveUp(event, problem);
  return true;
}

void NotificationSender::GiveUp(const Event& event, const std::string& why) {
  Log(LogLevel::kWarning, "notification", "not published at {}: {}: {}: {}", event.topic,
      event.source_id, event.message, why);
}

// One that cannot be stored is tried again by the next pass; until then events may be told twice.
void NotificationSender::StoreCursor() {
  if (told_ == stored_cursor_) return;
  const auto stored =
      store_.Transact({}, {Write::Put(std::string(kNotifiedKey), std::to_string(told_))});
  if (stored.ok()) stored_cursor_ = told_;
}

}  // namespace mikura::control
