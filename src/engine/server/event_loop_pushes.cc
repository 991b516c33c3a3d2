// SPDX-License-Identifier: Apache-2.0
// What an event loop sends to its clients without having been asked: messages that were posted to
// it, in the order in which they were.
//
// They go behind the replies of the commands that ran before: the loop sends its replies first. A
// command's own pushes stand before or behind its reply, as PushOrder says.
#include <algorithm>

#include "engine/server/event_loop.h"

namespace mikura::engine {
namespace {

constexpr size_t kSharedBytesMin = 16 << 10;  // shorter messages are copied

}  // namespace

int SessionReceiver::resp_version() const { return session_.state().resp_version; }

TrackingMode& SessionReceiver::tracking() { return session_.state().tracking; }

bool SessionReceiver::is_subscriber() const { return session_.state().is_subscriber; }

void SessionReceiver::CountMemory(int64_t bytes) { session_.CountOtherMemory(bytes); }

Receiver* EventLoop::FindReceiver(uint64_t id) {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second->state().receiver;
}

// Before requests run, and before the loop sleeps.
void EventLoop::DeliverPosted() {
  if (!HasWaiting()) return;
  SendOutput();
  RunPosted(nullptr);
  TellChanges();
}

void EventLoop::DeliverInside(Session& session) {
  if (&session != inside_allowed_ || !HasWaiting()) return;
  RunPosted(&session);
}

void EventLoop::PublishState(Session& session) { context_.clients.Publish(session.state()); }

// Of keys that clients hear of by their prefixes. The replies of the turn have been sent.
void EventLoop::TellChanges() {
  if (!context_.tracking.HasChanges(index_)) return;
  context_.tracking.TellChanges(index_);
  FlushPushes();
}

void EventLoop::BeginInside(Session& session) {
  SendOutput();
  inside_allowed_ = &session;
}

std::string EventLoop::DeliverAround(Session& session, bool all_behind) {
  late_from_ = all_behind ? PushOrder::kBeforeReply : PushOrder::kAfterReply;
  RunPosted(&session);
  late_from_.reset();
  return std::exchange(late_pushes_, {});
}

void EventLoop::RunPosted(Session* inside) {
  pushing_inside_ = inside;
  context_.deliveries.RunAll(index_, *this);
  pushing_inside_ = nullptr;
  FlushPushes();
}

// Its wait has ended, and the reply is on its way: what is pushed may follow from it.
bool EventLoop::IsAboutToBeAnswered(Session& session) {
  return session.suspension() == Suspension::kBlocked &&
         session.state().waiting->state() != Waiter::State::kWaiting;
}

void EventLoop::Push(Session& session, PushOrder order, std::string_view head,
                     const Message* message, std::string_view part) {
  if (session.doomed) return;
  if (&session == pushing_inside_) {
    if (is_guarded_) [[unlikely]]
      batch_->NoteTold(context_.keyspace.change_log().head());
    if (late_from_ && order >= *late_from_) {
      late_pushes_ += head;
      late_pushes_ += part;
    } else {
      batch_->AppendPush(head);
      batch_->AppendPush(part);
    }
    return;
  }
  if (IsAboutToBeAnswered(session)) [[unlikely]] {
    session.late_pushes += head;
    session.late_pushes += part;
    return;
  }
  statistics_.output_bytes.Add(head.size() + part.size());
  session.record().output_bytes.Add(head.size() + part.size());
  if (is_guarded_ && !HoldPush(session)) [[unlikely]]
    return;
  session.Enqueue(head);
  if (message != nullptr && part.size() >= kSharedBytesMin) {
    session.Enqueue(message->Share(part));
  } else {
    session.Enqueue(part);
  }
  if (!session.has_pushes) {
    session.has_pushes = true;
    pushed_.push_back(&session);
  }
  const uint64_t most = BoundsOf(session).hard_bytes;
  if (most > 0 && session.pending_output_bytes() >= most) FlushOne(session);
}

// What it tells of is in the log by now. False: it may not be told any more.
bool EventLoop::HoldPush(Session& session) {
  if (context_.node.fences_reads() && context_.node.IsFenced()) {
    session.DropHeld();
    Fail(session);
    return false;
  }
  const Lsn told = context_.keyspace.change_log().head();
  told_most_ = std::max(told_most_, told);
  session.HoldUntil(told);
  return true;
}

void EventLoop::FlushOne(Session& session) {
  if (session.doomed) return;
  if (!session.Flush()) session.doomed = true;
  if (is_guarded_) [[unlikely]]
    NoteHeld(session);
  NotePending(session);
}

void EventLoop::FlushPushes() {
  for (Session* session : pushed_) {
    session->has_pushes = false;
    FlushOne(*session);
    if (session->doomed) MarkReady(session);
  }
  pushed_.clear();
}

// At its end.
void EventLoop::ForgetReceiver(Session& session) {
  session.doomed = true;
  if (session.state().receiver != nullptr) {
    context_.pubsub.UnsubscribeAll(*session.state().receiver);
    context_.tracking.Disable(*session.state().receiver);
    context_.monitors.Remove(*session.state().receiver);
  }
}

}  // namespace mikura::engine
