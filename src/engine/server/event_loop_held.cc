// SPDX-License-Identifier: Apache-2.0
// Replies that must not leave yet. A node whose replies promise something (appendfsync always,
// durability sync, a fence) is guarded: each reply is tagged with the last change in the shards
// that its command saw, and leaves when that is durable. Replies of a connection keep their order;
// execution goes on.
//
// D1. The tag is read from the shard before it is unlocked, the horizon after the tag was made.
// D2. The loop says what it needs, looks again, and sleeps (DurableHorizon, H3).
// D3. What cannot become durable any more, and what the fence does not let go, is failed: the
//     client is told that the outcome is unknown, and its connection ends.
// D4. A loop that has nothing else to do brings what is logged to the disk by itself, as long as
//     the disk is prompt: no other thread has to be woken, and none to wake the loop again.
#include <algorithm>
#include <string>
#include <utility>

#include "base/logging.h"
#include "engine/server/event_loop.h"

namespace mikura::engine {
namespace {

constexpr std::string_view kUnknownOutcome =
    "the node could not make sure of the reply; the commands that were not answered may or may not "
    "have taken effect";
constexpr int kLooksMax = 8;         // for more requests, before a commit
constexpr UnixMillis kAskAgain = 1;  // when no shard was free to ask replicas under its lock

}  // namespace

void EventLoop::SetGuarded(bool value) {
  is_guarded_ = value;
  batch_->set_guarded(value, &context_.deliveries);
  busy_turn_->batch->set_guarded(value, &context_.deliveries);
  ReleaseHeld();
  if (!value) context_.horizon.Forget(index_);
}

// Expiry and eviction are writes: they stop behind the fence.
void EventLoop::NoteFence() {
  const bool is_fenced = is_guarded_ && context_.node.IsFenced();
  if (is_fenced == is_fenced_) return;
  is_fenced_ = is_fenced;
  context_.keyspace.set_fenced(is_fenced);
}

// After something was sent to it.
void EventLoop::NoteHeld(Session& session) {
  if (session.held_until != 0) return;
  session.held_until = session.FirstHeld();
  if (session.held_until != 0) held_.push_back(&session);
}

// Before the loop sleeps for `wait`: how long it may.
UnixMillis EventLoop::AwaitDurable(UnixMillis wait) {
  if (held_.empty()) return wait;
  Lsn need = DurableHorizon::kEverything;
  for (const Session* session : held_) need = std::min(need, session->held_until);
  if (context_.horizon.durable() >= need) return 0;
  if (wait > 0 && context_.commits()) {
    if (LooksForMore()) return 0;
    if (context_.commit()) {
      ReleaseHeld();
      return held_.empty() ? wait : 0;
    }
  }
  context_.keyspace.change_log().Wake();
  const bool asked = context_.ask_for_acks(told_most_);
  if (!context_.horizon.Await(index_, need)) return 0;
  return asked ? wait : std::min(wait, kAskAgain);
}

// Before it commits what several clients wait for: whether it looks first if more of them have sent
// something meanwhile, so that one sync serves all.
bool EventLoop::LooksForMore() {
  if (held_.size() > std::max<size_t>(held_seen_, 1) && looks_ < kLooksMax) {
    held_seen_ = held_.size();
    ++looks_;
    return true;
  }
  held_seen_ = 0;
  looks_ = 0;
  return false;
}

// Sends what is durable by now; fails what does not leave any more.
void EventLoop::ReleaseHeld() {
  if (index_ == 0) NoteFence();
  // Before it is known what has become durable: the fence lets none of it go.
  if (!held_.empty() && MayNotLeave()) FailAllHeld();
  const Lsn before = released_;
  released_ = is_guarded_ ? context_.horizon.durable() : DurableHorizon::kEverything;
  if (released_ < before) {
    // A source came on: what sockets did not take has to wait again.
    for (auto& [id, session] : sessions_) NoteHeld(*session);
  }
  std::erase_if(held_, [this](Session* session) {
    const Lsn first = session->FirstHeld();
    if (first != session->held_until) FlushWaiting(*session);
    session->held_until = first;
    return first == 0;
  });
}

// Whether what is held back has to be failed: the fence has closed, or the replicas that were to
// have it have been gone for too long.
bool EventLoop::MayNotLeave() const {
  const NodeState& node = context_.node;
  if (node.IsFenced()) return true;
  const MonotonicNanos end = node.held_replies_end.load(std::memory_order_relaxed);
  return end != 0 && context_.clock.NowNanos() >= end;
}

void EventLoop::FailAllHeld() {
  for (Session* session : std::exchange(held_, {})) {
    session->held_until = 0;
    if (session->DropHeld()) {
      Fail(*session);
    } else {
      FlushWaiting(*session);  // a look between has found it durable
    }
  }
}

// What it was not sent will not be sent.
void EventLoop::Fail(Session& session) {
  ClientState& client = session.state();
  if (session.doomed || client.close_after_reply) {
    session.doomed = true;
    return MarkReady(&session);
  }
  if (session.protocol() == Protocol::kResp) {
    session.Enqueue("-UNKNOWNOUTCOME " + std::string(kUnknownOutcome) + "\r\n");
  } else if (session.memcached_parser().is_binary()) {
    session.doomed = true;
  } else {
    session.Enqueue("SERVER_ERROR " + std::string(kUnknownOutcome) + "\r\n");
  }
  client.close_after_reply = true;
  session.end_reason = "error";
  FlushOne(session);
  MarkReady(&session);
}

// False: the peer is gone.
bool EventLoop::SendTold(Session& session, const RequestBatch::Told& told, std::string_view bytes,
                         size_t base, std::span<wire::OutputBuffer::Insertion> insertions) {
  // A read is served on past the fence where nothing was promised of reads.
  const bool is_concerned = told.is_change || (told.is_state && context_.node.fences_reads());
  const bool may_leave = !is_concerned || !context_.node.IsFenced();
  if (!may_leave) {
    session.DropHeld();
    Fail(session);
    return true;
  }
  told_most_ = std::max(told_most_, told.lsn);
  const bool sent = session.SendHeld(told.lsn, bytes, base, insertions);
  NoteHeld(session);
  return sent;
}

// Of what was not answered in a batch: it may tell of all that is logged.
bool EventLoop::SendLate(Session& session, std::string_view bytes) {
  if (!is_guarded_) [[likely]]
    return session.Send(bytes);
  released_ = context_.horizon.durable();
  return SendTold(session, {context_.keyspace.change_log().head(), true, true}, bytes, 0, {});
}

}  // namespace mikura::engine
