// SPDX-License-Identifier: Apache-2.0
// Tells of the events of caches that have a topic, in order, from a thread of its own: nothing
// waits for it.
//
//   N1. The queue is the events in the store. The cursor, stored too, is the revision up to which
//       all have been told: after the end of this process the next goes on there, so that an event
//       is told at least once.
//   N2. While nobody can be reached it is tried again, after a pause that doubles up to a minute.
//       An event is given up when it is older than an hour, or when it is refused.
//   N3. What a process has in memory is bounded: of more than kQueueMax events the oldest are given
//       up. Whatever is given up is logged.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "control/metadata/metadata_store.h"
#include "control/model/event.h"
#include "control/notification/sns_client.h"

namespace mikura::control {

class NotificationSender {
 public:
  static constexpr size_t kQueueMax = 10'000;

  NotificationSender(MetadataStore& store, const Clock& clock,
                     std::unique_ptr<EventPublisher> publisher)
      : store_(store), clock_(clock), publisher_(std::move(publisher)) {}
  ~NotificationSender() { Stop(); }
  NotificationSender(const NotificationSender&) = delete;
  NotificationSender& operator=(const NotificationSender&) = delete;

  void Start();
  // Waits for the call that is under way.
  void Stop() EXCLUDES(mutex_);

  // One pass: tells what can be told now. Returns how long there is nothing to do unless something
  // happens. For the thread, and for tests that have none.
  std::chrono::milliseconds Step();

 private:
  struct Queued {
    Revision revision = 0;
    Event event;
  };

  void Run() EXCLUDES(mutex_);
  void Wake() EXCLUDES(mutex_);
  bool Stopping() EXCLUDES(mutex_);
  // Where the process before had come; with the first one of all, what is there is history.
  Status Open();
  // Takes in the events that were written since.
  Status Collect();
  // Returns whether the first of the queue is done with, told or given up.
  bool TellFirst();
  void GiveUp(const Event& event, const std::string& why);
  void StoreCursor();

  MetadataStore& store_;
  const Clock& clock_;
  const std::unique_ptr<EventPublisher> publisher_;
  // Of the thread that calls Step().
  bool opened_ = false;
  Revision collected_ = 0;      // up to there events were taken into the queue
  Revision told_ = 0;           // N1
  Revision stored_cursor_ = 0;  // as it is in the store
  std::deque<Queued> queue_;
  std::chrono::milliseconds pause_{0};  // N2; zero: the last one was told
  MonotonicNanos next_at_ = 0;

  Mutex mutex_;
  CondVar wake_;
  bool woken_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::shared_ptr<void> watch_;
  std::thread thread_;
};

}  // namespace mikura::control
