// SPDX-License-Identifier: Apache-2.0
// The sessions of an event loop that are suspended: clients that wait for keys, for the end of a
// pause, or for their request to be tried again.
#include <algorithm>
#include <utility>
#include <vector>

#include "engine/commands/preparation.h"
#include "engine/keyspace/waiter_table.h"
#include "engine/server/event_loop.h"

namespace mikura::engine {
namespace {

constexpr UnixMillis kRetryPeriod = 1;  // of requests that were put aside

}  // namespace

// After a batch suspended it.
void EventLoop::NoteSuspended(Session& session) {
  if (session.suspension() == Suspension::kPutAside) {
    put_aside_.push_back(&session);
    return;
  }
  if (session.suspension() == Suspension::kPreparing) return;
  session.record().is_blocked.store(true, std::memory_order_relaxed);
  if (session.suspension() == Suspension::kPaused) {
    paused_.push_back(&session);
  } else {
    const std::shared_ptr<BlockedClient>& waiting = session.state().waiting.shared();
    ++waiting_count_;
    if (waiting->deadline() != store::kNoDeadline) {
      wait_deadlines_.emplace(waiting->deadline(), &session);
    }
    context_.clients.SetWaiting(session.state().id, waiting);
  }
  CountBlocked();
}

void EventLoop::CountBlocked() { statistics_.blocked_clients.Set(waiting_count_ + paused_.size()); }

// Lets a suspended session go on, before those that became ready meanwhile.
void EventLoop::Resume(Session& session) {
  session.set_suspension(Suspension::kNone);
  session.record().is_blocked.store(false, std::memory_order_relaxed);
  if (session.in_ready_list) return;
  session.in_ready_list = true;
  ready_.push_front(&session);
}

// Once per turn. The oldest comes first again.
void EventLoop::RetryPutAside() {
  for (auto session = put_aside_.rbegin(); session != put_aside_.rend(); ++session) {
    Resume(**session);
  }
  put_aside_.clear();
}

void EventLoop::NoteComputed(uint64_t id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  Session& session = *found->second;
  if (session.suspension() == Suspension::kPreparing && session.state().preparation->is_done()) {
    Resume(session);
  }
  WakeClient(id);
}

void EventLoop::ResumePaused() {
  if (paused_.empty() || context_.node.pause_end.load(std::memory_order_relaxed) > now_) return;
  for (auto session = paused_.rbegin(); session != paused_.rend(); ++session) Resume(**session);
  paused_.clear();
  CountBlocked();
}

void EventLoop::AnswerWaiting(const std::shared_ptr<BlockedClient>& client) {
  const auto found = sessions_.find(client->client_id());
  if (found == sessions_.end()) return;
  Session& session = *found->second;
  if (session.state().waiting.get() == client.get()) AnswerWait(session);
}

// The session's wait has ended: sends its reply, and what the client sent meanwhile is its turn.
// Who has the reply does not find its client among the waiting ones any more.
void EventLoop::AnswerWait(Session& session) {
  wire::OutputBuffer out;
  wire::RespWriter reply(out, session.state().resp_version);
  session.state().waiting->WriteReply(reply);
  const bool served = session.state().waiting->state() == Waiter::State::kServed;
  StopWaiting(session);
  NoteWait(session, served, out.view());
  if (session.drops_reply()) out.Clear();
  out.Append(std::exchange(session.late_pushes, {}));
  if (out.size() > 0 && !session.doomed) {
    statistics_.output_bytes.Add(out.size());
    session.record().output_bytes.Add(out.size());
    if (!SendLate(session, out.view())) session.doomed = true;
    NotePending(session);
  }
  Resume(session);
}

// Its command has come to its end. It was counted when it began to wait, and is logged if it got
// what it waited for.
void EventLoop::NoteWait(Session& session, bool served, std::string_view reply) {
  const bool failed = reply.starts_with('-');
  if (failed) {
    observer_.NoteError(reply);
    statistics_.error_replies.Add(observer_.TakeErrorCount());
  }
  const auto request = session.TakeWaitingRequest();
  if (request == nullptr) return;
  const std::vector<std::string_view> words(request->words.begin(), request->words.end());
  if (failed) observer_.NoteFailed(*request->row);
  if (served) observer_.NoteServed(*request->row, words, session.state(), request->ticks);
  observer_.NoteSizes(*request->row, words, session.state(), {request->bytes, reply.size()});
}

void EventLoop::StopWaiting(Session& session) {
  ClientState& state = session.state();
  const std::shared_ptr<BlockedClient> waiting = state.waiting.shared();
  state.waiting.reset();
  // Before the reply: who has it is not shown as waiting any more.
  session.record().is_blocked.store(false, std::memory_order_relaxed);
  wait_deadlines_.erase({waiting->deadline(), &session});
  context_.clients.SetWaiting(state.id, nullptr);
  context_.keyspace.waiters().Retire(waiting);
  --waiting_count_;
  CountBlocked();
}

// The client will send no more: whether the session ends with it now. Who waits and goes is served
// no more; who was served just before is still sent the reply that is on its way. What was put
// aside runs all the same: it was only slow.
bool EventLoop::GivesUpWaiting(Session& session) {
  if (session.suspension() == Suspension::kBlocked) {
    return session.state().waiting->End(Waiter::State::kGone);
  }
  return session.suspension() == Suspension::kPaused;
}

void EventLoop::EndLateWaits() {
  while (!wait_deadlines_.empty() && wait_deadlines_.begin()->first <= now_) {
    Session& session = *wait_deadlines_.begin()->second;
    if (session.state().waiting->End(Waiter::State::kTimedOut)) {
      AnswerWait(session);
    } else {
      // Somebody else was faster, and its answer is on its way.
      wait_deadlines_.erase(wait_deadlines_.begin());
    }
  }
}

void EventLoop::EndWaits(Waiter::State reason) {
  FailAllHeld();
  if (waiting_count_ == 0) return;
  for (const auto& [id, session] : sessions_) {
    if (session->suspension() != Suspension::kBlocked) continue;
    if (!session->state().waiting->End(reason)) continue;
    AnswerWait(*session);
    session->state().close_after_reply = true;
  }
}

// It is about to be removed.
void EventLoop::ForgetSuspended(Session& session) {
  switch (session.suspension()) {
    case Suspension::kNone:
      return;
    case Suspension::kPreparing:
      return session.state().preparation->Abandon();
    case Suspension::kPutAside:
      std::erase(put_aside_, &session);
      return;
    case Suspension::kPaused:
      std::erase(paused_, &session);
      return CountBlocked();
    case Suspension::kBlocked:
      // Also when it was served just now: its reply goes where the client went.
      session.state().waiting->End(Waiter::State::kGone);
      return StopWaiting(session);
  }
}

// The moment until which nothing has to be done for suspended sessions.
UnixMillis EventLoop::NextWake() const {
  UnixMillis next = INT64_MAX;
  if (!put_aside_.empty()) next = now_ + kRetryPeriod;
  if (!paused_.empty()) {
    next = std::min(next, context_.node.pause_end.load(std::memory_order_relaxed));
  }
  if (!wait_deadlines_.empty()) next = std::min(next, wait_deadlines_.begin()->first);
  return next;
}

}  // namespace mikura::engine
