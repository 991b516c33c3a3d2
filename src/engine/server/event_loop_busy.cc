// SPDX-License-Identifier: Apache-2.0
// Turns of the loop that a running script takes from time to time, so that one that does not end
// holds up nobody but those who want what it has: new connections, SCRIPT KILL and whatever else
// needs no shard is served, the rest is put aside or told BUSY (Dispatcher::WaitsForScriptHere).
//
// B1. A script runs in Parse(), as the last request of its batch (RequestBatch::must_run). So a
//     turn may send what the batch has answered so far, and no other request waits in it.
// B2. Such a turn has a batch and memory of its own. It leaves alone the client of the script, and
//     memcached's clients, whose requests may wait for shards.
// B3. No script runs inside of it, and nothing that waits for a shard or for the script token.
#include <utility>

#include "engine/server/event_loop.h"

namespace mikura::engine {

EventLoop::BusyTurn::BusyTurn(EventLoop& loop)
    : observer(loop.context_.observation),
      batch(std::make_unique<RequestBatch>(loop.context_.keyspace, loop.context_.dispatcher,
                                           loop.context_.memcached, static_cast<PushPort&>(loop),
                                           loop.statistics_, observer)),
      arena(new char[kArenaBytes]) {}

void EventLoop::BusyTurn::Swap(EventLoop& loop) {
  std::swap(batch, loop.batch_);
  std::swap(arena, loop.arena_);
  std::swap(arena_used, loop.arena_used_);
  std::swap(served, loop.served_);
  std::swap(parsing, loop.parsing_);
  std::swap(runner, loop.runner_);
  loop.statistics_.observer = loop.statistics_.observer == &observer ? &loop.observer_ : &observer;
}

void EventLoop::MakeBusyTurn() {
  busy_turn_ = std::make_unique<BusyTurn>(*this);
  context_.observation.AddLoop(busy_turn_->observer.statistics());
  take_busy_turn_ = [this] { TakeBusyTurn(); };
  statistics_.busy_turn = &take_busy_turn_;
}

void EventLoop::TakeBusyTurn() {
  if (runner_ != nullptr || batch_->runner() == nullptr) return;
  SendAnswered();
  SettleSuspended();
  // What the script posts waits for its end.
  DeliveryQueues::Kept kept = context_.deliveries.BeginInside();
  busy_turn_->runner = batch_->runner();
  busy_turn_->Swap(*this);
  now_ = context_.clock.NowMillis();
  ReadLimits();
  HandleEvents(poller_.Wait(0));
  if (is_guarded_) ReleaseHeld();
  EndLateWaits();
  ResumePaused();
  RetryPutAside();
  ServeReady();
  context_.deliveries.WakePosted();
  if (is_guarded_) AwaitDurable(0);
  busy_turn_->Swap(*this);
  context_.deliveries.EndInside(std::move(kept));
}

// The replies of the requests before the one that runs, which has written none yet or part of one.
void EventLoop::SendAnswered() {
  const auto& inserted = batch_->insertions();
  const size_t end = batch_->ranges().empty() ? 0 : batch_->ranges().back().end;
  if (!inserted.empty() && inserted.back().offset >= end) return;
  SendRanges();
  batch_->ForgetSent();
}

bool EventLoop::IsLeftAlone(const Session& session) const {
  return runner_ != nullptr && (&session == runner_ || session.protocol() != Protocol::kResp);
}

}  // namespace mikura::engine
