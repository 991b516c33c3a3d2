// SPDX-License-Identifier: Apache-2.0
// Turns of an event loop while a script of one of its clients is busy: SCRIPT KILL and the few
// commands that are allowed then are answered, all others with BUSY.
//
// Such a turn runs inside the one that runs the script, whose shards this thread holds. So nothing
// may be done in it that takes a shard, and nothing with the sessions that the outer turn has in
// its hands.
#include <algorithm>

#include "base/check.h"
#include "engine/server/event_loop.h"

namespace mikura::engine {
namespace {

// What is pushed to clients waits for the end of the script.
class NoPushes final : public PushPort {
 public:
  void Push(Session&, PushOrder, std::string_view, const Message*, std::string_view) override {}
  void DeliverInside(Session&) override {}
  void PublishState(Session&) override {}
  bool HasWaiting() const override { return false; }
  void SendReplies() override {}
  void BeginInside(Session&) override {}
  void EndInside() override {}
  std::string DeliverAround(Session&, bool) override { return {}; }
};

// The node ends, also when the script has written: as if it began anew, it may be killed.
void AbandonScript(ScriptState& state) {
  std::optional<ScriptState::Running> running = state.running();
  if (!running) return;
  const bool is_function = running->is_function;
  state.Begin(std::move(*running));
  state.Kill(is_function);
}

}  // namespace

void EventLoop::RunBusyTurn() {
  if (statistics_.is_in_busy_turn) return;
  if (other_work_.batch == nullptr) {
    other_work_.pushes = std::make_unique<NoPushes>();
    other_work_.batch =
        std::make_unique<RequestBatch>(context_.keyspace, context_.dispatcher, context_.memcached,
                                       *other_work_.pushes, statistics_, observer_);
    other_work_.arena.reset(new char[kArenaBytes]);
  }
  // Who is answered now had these replies coming.
  SendRanges();
  batch_->ForgetSent();
  const uint64_t begin_ticks = observer_.last_ticks();
  const UnixMillis outer_now = now_;
  statistics_.is_in_busy_turn = true;
  ExchangeWork();
  now_ = context_.clock.NowMillis();
  HandleEvents(poller_.Wait(0));
  ServeWhileBusy();
  FinishWhileBusy();
  ExchangeWork();
  now_ = outer_now;
  statistics_.is_in_busy_turn = false;
  observer_.set_last_ticks(begin_ticks);
  if (stopping_) AbandonScript(context_.scripts.state);
}

void EventLoop::ExchangeWork() {
  std::swap(batch_, other_work_.batch);
  std::swap(arena_, other_work_.arena);
  std::swap(arena_used_, other_work_.arena_used);
  std::swap(parsing_, other_work_.parsing);
  std::swap(served_, other_work_.served);
}

// Its requests are not through yet, or are memcached's, which take shards.
bool EventLoop::IsHeldByOuterTurn(const Session& session) const {
  return &session == other_work_.parsing || session.is_suspended() ||
         session.protocol() == Protocol::kMemcached || other_work_.batch->HasUnfinished(session);
}

void EventLoop::ServeWhileBusy() {
  std::vector<Session*> held;
  handshakes_left_ = kHandshakesPerTurn;
  for (size_t turn = ready_.size(); turn > 0 && !ready_.empty(); --turn) {
    Session* session = ready_.front();
    ready_.pop_front();
    if (IsHeldByOuterTurn(*session)) {
      held.push_back(session);
      continue;
    }
    session->in_ready_list = false;
    served_.push_back(session);
    const bool may_read = !session->doomed && !session->input_blocked;
    if (may_read && (!session->is_handshaking || ShakeHands(*session))) ReadInto(*session);
    FlushOutput();
  }
  ready_.insert(ready_.end(), held.begin(), held.end());
}

// The outer turn has those that it has served, and looks after them itself.
void EventLoop::FinishWhileBusy() {
  for (Session* session : served_) {
    const auto& outer = other_work_.served;
    if (std::find(outer.begin(), outer.end(), session) == outer.end()) {
      FinishSession(*session);
    } else if (!session->doomed && !session->input_blocked && !session->is_suspended() &&
               !session->state().close_after_reply) {
      MarkReadyForMore(*session);
    }
  }
  served_.clear();
}

}  // namespace mikura::engine
