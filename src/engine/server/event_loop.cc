// SPDX-License-Identifier: Apache-2.0
#include "engine/server/event_loop.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "engine/keyspace/waiter_table.h"
#include "engine/keyspace/watch_table.h"
#include "engine/net/socket.h"
#include "engine/server/listening.h"

namespace mikura::engine {
namespace {

constexpr size_t kPendingMax = 1 << 20;  // a connection that leaves more unread is not read from
constexpr size_t kStrangerPendingMax = 64 << 10;  // one that has not logged in is closed above
constexpr int kAcceptsPerTurn = 64;
constexpr UnixMillis kMaintenancePeriod = 50;
constexpr int kQuietRounds = 1;          // without shards, after one that found nothing to do
constexpr uint64_t kTurnMicrosMax = 50;  // of a round, then requests come first
constexpr uint32_t kShardsPerPiece = 8;
constexpr UnixMillis kIdleCheckPeriod = 1000;

// Tags of the poller: a session is its own address, the mailbox has none, listeners are marked by
// bit 0.
void* ListenerTag(const Listener* listener) {
  return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(listener) | 1);
}
const Listener* ListenerOf(const void* tag) {
  const auto bits = reinterpret_cast<uintptr_t>(tag);
  return (bits & 1) != 0 ? reinterpret_cast<const Listener*>(bits & ~uintptr_t{1}) : nullptr;
}

}  // namespace

EventLoop::EventLoop(uint32_t index, LoopContext& context)
    : index_(index),
      share_(index, context.loop_count),
      context_(context),
      client_memory_(context.memcached.limits_items_only() ? nullptr : &context.keyspace.gauge()),
      observer_(context.observation),
      arena_(new char[kArenaBytes]),
      batch_(std::make_unique<RequestBatch>(context.keyspace, context.dispatcher, context.memcached,
                                            static_cast<PushPort&>(*this), statistics_, observer_)),
      expiry_(context.keyspace, share_.first, share_.count) {
  statistics_.observer = &observer_;
  script_thread_ = std::make_unique<ScriptThread>(context.scripts);
  statistics_.script_thread = script_thread_.get();
  context.observation.AddLoop(observer_.statistics());
  MakeBusyTurn();
  poller_.AddReadable(mailbox_.fd(), nullptr);
  if (context.starts_guarded) SetGuarded(true);
}

EventLoop::~EventLoop() { Stop(); }

void EventLoop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void EventLoop::Stop() {
  if (!thread_.joinable()) return;
  Post([this] { stopping_ = true; });
  thread_.join();
}

void EventLoop::Run() {
  context_.deliveries.SetLoopOfThread(index_);
  now_ = context_.clock.NowMillis();
  next_maintenance_ = next_expiry_ = now_;
  while (!stopping_) {
    const UnixMillis next = std::min({next_maintenance_, next_expiry_, NextWake()});
    UnixMillis wait = std::clamp<UnixMillis>(next - now_, 0, kMaintenancePeriod);
    if (!ready_.empty() || HasWaiting()) wait = 0;
    if (is_guarded_) [[unlikely]]
      wait = AwaitDurable(wait);
    const auto events = poller_.Wait(ready_.empty() && !HasWaiting() ? static_cast<int>(wait) : 0);
    now_ = context_.clock.NowMillis();
    ReadLimits();
    HandleEvents(events);
    if (is_guarded_) [[unlikely]]
      ReleaseHeld();
    EndLateWaits();
    ResumePaused();
    RetryPutAside();
    ServeReady();
    if (now_ >= next_expiry_) Expire();
    if (now_ >= next_maintenance_) Maintain();
    context_.deliveries.WakePosted();
  }
  for (auto& [id, session] : sessions_) {
    ForgetReceiver(*session);
    ForgetSuspended(*session);
    context_.clients.Remove(id);
  }
  sessions_.clear();
}

// With a limit on unread replies the client is read from until it exceeds it, and is then closed,
// as in Redis; without one it is no longer read from and keeps what it has.
void EventLoop::ReadLimits() {
  const NodeState& node = context_.node;
  request_limits_.bulk_bytes_max = node.bulk_bytes_max.load(std::memory_order_relaxed);
  output_bounds_.hard_bytes = node.output_hard_bytes.load(std::memory_order_relaxed);
  output_bounds_.soft_bytes = node.output_soft_bytes.load(std::memory_order_relaxed);
  output_bounds_.soft_time =
      node.output_soft_seconds.load(std::memory_order_relaxed) * UnixMillis{1000};
  subscriber_bounds_.hard_bytes = node.subscriber_output_hard_bytes.load(std::memory_order_relaxed);
  subscriber_bounds_.soft_bytes = node.subscriber_output_soft_bytes.load(std::memory_order_relaxed);
  subscriber_bounds_.soft_time =
      node.subscriber_output_soft_seconds.load(std::memory_order_relaxed) * UnixMillis{1000};
  unread_bytes_max_ = std::max({kPendingMax, output_bounds_.hard_bytes, output_bounds_.soft_bytes});
}

// Closes a client that leaves too much unread.
bool EventLoop::HoldsTooMuch(Session& session) {
  const size_t held = session.pending_output_bytes();
  const bool is_stranger = !session.state().authenticated && held > kStrangerPendingMax;
  if (!is_stranger && !session.ExceedsOutput(BoundsOf(session), now_)) return false;
  Log(LogLevel::kWarning, "server", "client {} closed: it left {} bytes of replies unread",
      session.state().id, held);
  session.doomed = true;
  return true;
}

// After something was sent to it.
void EventLoop::NotePending(Session& session) {
  if (const uint64_t made = session.TakeMadeBytes(); made != 0) [[unlikely]] {
    statistics_.output_bytes.Add(made);
    session.record().output_bytes.Add(made);
  }
  if (session.pending_output_bytes() == 0) return;
  has_pending_ = true;
  HoldsTooMuch(session);
  if (session.wants_turn()) MarkReady(&session);
}

// Sends more of what is pending: the socket takes it, or a source has more.
void EventLoop::ContinueOutput(Session& session) {
  if (!session.Flush()) session.doomed = true;
  if (session.pending_output_bytes() <= unread_bytes_max_) session.input_blocked = false;
  NotePending(session);
}

void EventLoop::HandleEvents(std::span<const epoll_event> events) {
  for (const epoll_event& event : events) {
    if (event.data.ptr == nullptr) {
      mailbox_.RunAll();
      continue;
    }
    if (const Listener* listener = ListenerOf(event.data.ptr)) {
      AcceptFrom(listener);
      continue;
    }
    auto* session = static_cast<Session*>(event.data.ptr);
    if (session->socket().tls() != nullptr) [[unlikely]]
      NoteTlsEvent(*session, event.events);
    if ((event.events & EPOLLOUT) != 0) FlushWaiting(*session);
    if ((event.events & ~EPOLLOUT) != 0) {
      // The end may come in one edge with the last bytes: then no further edge tells of it.
      if ((event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) session->end_announced = true;
      session->may_be_readable = true;
      MarkReady(session);
    }
  }
}

// Its socket takes more.
void EventLoop::FlushWaiting(Session& session) {
  if (session.pending_output_bytes() == 0) return;
  ContinueOutput(session);
  MarkReady(&session);
}

// Listeners may have been removed by a task of the same turn: look before touching.
void EventLoop::AcceptFrom(const Listener* listener) {
  const auto found = std::find_if(listeners_.begin(), listeners_.end(),
                                  [&](const auto& held) { return held.get() == listener; });
  if (found == listeners_.end()) return;
  const std::shared_ptr<const Listener> held = *found;
  const uint32_t most = context_.node.maxclients.load(std::memory_order_relaxed);
  // Words in plain text are nothing that a TLS client could read.
  const std::string_view refusal =
      listener->is_tls ? std::string_view() : TooManyClientsWords(listener->protocol);
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    UniqueFd fd;
    const auto outcome = acceptor_.Accept(listener->fd.get(), refusal, now_, &fd);
    if (outcome == Acceptor::Outcome::kNone) return;
    if (outcome == Acceptor::Outcome::kRefused) statistics_.connections_rejected.Add(1);
    if (outcome != Acceptor::Outcome::kAccepted) continue;
    if (context_.client_count.TakePlace(most)) {
      context_.place_connection(std::move(fd), held);
      continue;
    }
    statistics_.connections_rejected.Add(1);
    RefuseConnection(std::move(fd), refusal);
  }
}

void EventLoop::StartListening(std::shared_ptr<const Listener> listener) {
  poller_.AddListener(listener->fd.get(), ListenerTag(listener.get()));
  listeners_.push_back(std::move(listener));
}

void EventLoop::StopListening(const Listener* listener) {
  const auto found = std::find_if(listeners_.begin(), listeners_.end(),
                                  [&](const auto& held) { return held.get() == listener; });
  if (found == listeners_.end()) return;
  poller_.Remove(listener->fd.get());
  listeners_.erase(found);
}

void EventLoop::AddConnection(UniqueFd fd, const std::shared_ptr<const Listener>& listener) {
  const int socket = fd.get();
  std::string peer = PeerAddress(socket);
  const bool is_refused = !IsLocalAddress(peer) && context_.protected_mode();
  if (is_refused && !listener->is_tls) {
    RefuseConnection(std::move(fd), ProtectedModeWords(listener->protocol));
    statistics_.connections_rejected.Add(1);
    CountRemoved();
    return;
  }
  ConfigureConnection(socket, context_.node.keepalive_seconds.load(std::memory_order_relaxed));
  auto record = std::make_shared<ClientRecord>();
  ClientState& state = record->state;
  state.address = std::move(peer);
  state.local_address = LocalAddress(socket);
  state.connected_at = now_;
  state.authenticated = !context_.dispatcher.access().RequiresAuthentication();
  record->fd = socket;
  record->loop = index_;
  record->is_memcached = listener->protocol == Protocol::kMemcached;
  record->listener = listener->name;
  record->last_active_at.store(now_, std::memory_order_relaxed);
  context_.clients.Add(record);
  auto session = std::make_unique<Session>(ConnectedSocket(std::move(fd)), listener->protocol,
                                           record, client_memory_, released_);
  if (listener->protocol == Protocol::kMemcached) {
    const wire::MemcachedParserOptions options = context_.memcached.ParserOptions();
    state.authenticated = !options.must_authenticate;
    session->MakeMemcachedParser(options);
  } else {
    session->MakeReceiver(index_, *this);
  }
  Session* raw = session.get();
  sessions_.emplace(state.id, std::move(session));
  statistics_.connections_received.Add(1);
  statistics_.connected_clients.Set(sessions_.size());
  if (record->is_memcached) context_.memcached.NoteConnection(*record, "");
  if (listener->is_tls) {
    BeginHandshake(*raw, is_refused ? ProtectedModeWords(listener->protocol) : "");
  } else if (listener->protocol == Protocol::kResp && !raw->state().address.starts_with("/")) {
    BeginByMode(*raw);
  }
  if (!poller_.AddConnection(socket, raw)) {
    raw->doomed = true;
    MarkReady(raw);
  }
}

void EventLoop::KillClient(uint64_t id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  found->second->doomed = true;
  MarkReady(found->second.get());
}

void EventLoop::WakeClient(uint64_t id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  if (found->second->pending_output_bytes() > 0) ContinueOutput(*found->second);
  MarkReady(found->second.get());
}

void EventLoop::MarkReady(Session* session) {
  if (session->in_ready_list) return;
  session->in_ready_list = true;
  ready_.push_back(session);
}

void EventLoop::Remove(Session* session) {
  ForgetReceiver(*session);
  if (session->record().is_memcached) {
    context_.memcached.NoteConnection(session->record(), session->end_reason);
  }
  if (session->in_ready_list) std::erase(ready_, session);
  std::erase(busy_turn_->served, session);  // of the turn outside of this one
  if (session->is_suspended()) ForgetSuspended(*session);
  if (session->held_until != 0) std::erase(held_, session);
  const uint64_t id = session->state().id;
  context_.clients.Remove(id);
  sessions_.erase(id);
  CountRemoved();
  statistics_.connected_clients.Set(sessions_.size());
}

void EventLoop::CountRemoved() {
  assigned_.fetch_sub(1, std::memory_order_relaxed);
  context_.client_count.GivePlace();
}

void EventLoop::Expire() {
  const uint64_t begin = TicksNow();
  next_expiry_ = expiry_.Run(now_);
  const uint64_t micros = context_.observation.scale.ToMicros(TicksNow() - begin);
  statistics_.expiry_micros.Add(micros);
  observer_.NoteEvent("expire-cycle", micros);
}

// A round over its share of the shards, in turns: nobody waits for longer than one takes.
void EventLoop::Maintain() {
  if (maintained_ == 0) {
    round_began_ = now_;
    MaintainOnce();
    if (quiet_rounds_left_ > 0) {
      --quiet_rounds_left_;
      next_maintenance_ = now_ + kMaintenancePeriod;
      return;
    }
  }
  const uint64_t begin = TicksNow();
  bool has_worked = false;
  while (maintained_ < share_.count) {
    const uint32_t first = (share_.first + maintained_) % kShardCount;
    const uint32_t count = std::min(kShardsPerPiece, share_.count - maintained_);
    has_worked |= context_.keyspace.MaintainShards(first, count);
    for (uint32_t n = 0; n < count; ++n) {
      const uint32_t shard = (first + n) % kShardCount;
      if (context_.keyspace.waiters().has_touched(shard)) {
        context_.keyspace.ServeTouched(shard, now_, batch_->effects());
      }
    }
    maintained_ += count;
    if (has_worked && context_.observation.scale.ToMicros(TicksNow() - begin) >= kTurnMicrosMax) {
      break;
    }
  }
  has_maintained_ = has_maintained_ || has_worked;
  if (maintained_ < share_.count) {
    next_maintenance_ = now_ + 1;
    return;
  }
  maintained_ = 0;
  quiet_rounds_left_ = std::exchange(has_maintained_, false) ? 0 : kQuietRounds;
  next_maintenance_ = std::max(round_began_ + kMaintenancePeriod, now_ + 1);
}

// What each round does once.
void EventLoop::MaintainOnce() {
  traffic_.Sample(now_, statistics_);
  context_.keyspace.Maintain(index_ == 0, now_);
  context_.tracking.Tend(share_.first, share_.count);
  if (index_ == 0) {
    context_.memcached.Maintain(now_, batch_->effects());
    context_.keyspace.watches().Tend();
    context_.keyspace.waiters().Tend();
    context_.keyspace.set_paused(context_.node.pause_end.load(std::memory_order_relaxed) > now_);
  }
  EndLateHandshakes();
  if (now_ >= next_idle_check_) CloseIdle();
}

void EventLoop::CloseIdle() {
  next_idle_check_ = now_ + kIdleCheckPeriod;
  const int limit = context_.node.idle_timeout_seconds.load(std::memory_order_relaxed);
  // Thousands of idle clients cost nothing when there is nothing to look for.
  if (limit <= 0 && !has_pending_) return;
  has_pending_ = false;
  for (auto& [id, session] : sessions_) {
    if (session->pending_output_bytes() > 0) {
      has_pending_ = true;
      if (HoldsTooMuch(*session)) MarkReady(session.get());
    }
    if (limit <= 0 || session->is_suspended()) continue;
    const UnixMillis active = session->record().last_active_at.load(std::memory_order_relaxed);
    if (now_ - active <= static_cast<UnixMillis>(limit) * 1000) continue;
    session->doomed = true;
    session->end_reason = "idle_timeout";
    statistics_.idle_closed.Add(1);
    MarkReady(session.get());
  }
}

}  // namespace mikura::engine
