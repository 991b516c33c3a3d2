// SPDX-License-Identifier: Apache-2.0
#include "engine/server/event_loop.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/logging.h"
#include "engine/net/socket.h"
#include "engine/server/listening.h"

namespace mikura::engine {
namespace {

constexpr size_t kArenaBytes = 512 << 10;
constexpr size_t kReadMax = 64 << 10;     // one receive: holds 64 SETs of 64 bytes many times over
constexpr size_t kReadMin = 16 << 10;     // less room than this in the arena ends the batch
constexpr size_t kRestReadMax = 1 << 20;  // one receive into a connection's own buffer
constexpr size_t kOutputTurnMax = 1 << 20;  // replies are sent at the latest when so many gathered
constexpr size_t kSourcePieceBytes = 64 << 10;
constexpr size_t kPendingMax = 1 << 20;  // a connection that leaves more unread is not read from
constexpr size_t kStrangerPendingMax = 64 << 10;  // one that has not logged in is closed above
constexpr int kAcceptsPerTurn = 64;
constexpr UnixMillis kMaintenancePeriod = 50;
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
      client_memory_(context.keyspace.gauge()),
      arena_(new char[kArenaBytes]),
      batch_(context.keyspace, context.dispatcher, context.memcached, statistics_),
      expiry_(context.keyspace, share_.first, share_.count) {
  poller_.AddReadable(mailbox_.fd(), nullptr);
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
  now_ = context_.clock.NowMillis();
  next_maintenance_ = next_expiry_ = now_;
  while (!stopping_) {
    const UnixMillis next = std::min(next_maintenance_, next_expiry_);
    const UnixMillis wait = std::clamp<UnixMillis>(next - now_, 0, kMaintenancePeriod);
    const auto events = poller_.Wait(ready_.empty() ? static_cast<int>(wait) : 0);
    now_ = context_.clock.NowMillis();
    ReadLimits();
    HandleEvents(events);
    ServeReady();
    if (now_ >= next_expiry_) next_expiry_ = expiry_.Run(now_);
    if (now_ >= next_maintenance_) Maintain();
  }
  for (auto& [id, session] : sessions_) context_.clients.Remove(id);
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
  unread_bytes_max_ = std::max({kPendingMax, output_bounds_.hard_bytes, output_bounds_.soft_bytes});
}

// Closes a client that leaves too much unread.
bool EventLoop::HoldsTooMuch(Session& session) {
  const size_t held = session.pending_output_bytes();
  const bool is_stranger = !session.state().authenticated && held > kStrangerPendingMax;
  if (!is_stranger && !session.ExceedsOutput(output_bounds_, now_)) return false;
  Log(LogLevel::kWarning, "server", "client {} closed: it left {} bytes of replies unread",
      session.state().id, held);
  session.doomed = true;
  return true;
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
    if ((event.events & EPOLLOUT) != 0 && session->pending_output_bytes() > 0) {
      if (!session->Flush()) session->doomed = true;
      if (session->pending_output_bytes() <= unread_bytes_max_) session->input_blocked = false;
      MarkReady(session);
    }
    if ((event.events & ~EPOLLOUT) != 0) {
      // The end may come in one edge with the last bytes: then no further edge tells of it.
      if ((event.events & (EPOLLRDHUP | EPOLLHUP)) != 0) session->end_announced = true;
      session->may_be_readable = true;
      MarkReady(session);
    }
  }
}

// Listeners may have been removed by a task of the same turn: look before touching.
void EventLoop::AcceptFrom(const Listener* listener) {
  const auto found = std::find_if(listeners_.begin(), listeners_.end(),
                                  [&](const auto& held) { return held.get() == listener; });
  if (found == listeners_.end()) return;
  const std::shared_ptr<const Listener> held = *found;
  const uint32_t most = context_.node.maxclients.load(std::memory_order_relaxed);
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    UniqueFd fd;
    const auto outcome = acceptor_.Accept(listener->fd.get(), listener->protocol, now_, &fd);
    if (outcome == Acceptor::Outcome::kNone) return;
    if (outcome == Acceptor::Outcome::kRefused) statistics_.connections_rejected.Add(1);
    if (outcome != Acceptor::Outcome::kAccepted) continue;
    if (context_.client_count.TakePlace(most)) {
      context_.place_connection(std::move(fd), held);
      continue;
    }
    statistics_.connections_rejected.Add(1);
    RefuseConnection(std::move(fd), TooManyClientsWords(listener->protocol));
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
  if (!IsLocalAddress(peer) && context_.protected_mode()) {
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
  state.authenticated = !context_.node.requires_auth.load(std::memory_order_relaxed);
  record->fd = socket;
  record->loop = index_;
  record->is_memcached = listener->protocol == Protocol::kMemcached;
  record->listener = listener->name;
  record->last_active_at.store(now_, std::memory_order_relaxed);
  context_.clients.Add(record);
  auto session =
      std::make_unique<Session>(std::move(fd), listener->protocol, record, client_memory_);
  if (listener->protocol == Protocol::kMemcached) {
    const wire::MemcachedParserOptions options = context_.memcached.ParserOptions();
    state.authenticated = !options.must_authenticate;
    session->MakeMemcachedParser(options);
  }
  Session* raw = session.get();
  sessions_.emplace(state.id, std::move(session));
  statistics_.connections_received.Add(1);
  statistics_.connected_clients.Set(sessions_.size());
  if (record->is_memcached) context_.memcached.NoteConnection(*record, "");
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
  if (found != sessions_.end()) MarkReady(found->second.get());
}

void EventLoop::MarkReady(Session* session) {
  if (session->in_ready_list) return;
  session->in_ready_list = true;
  ready_.push_back(session);
}

// One turn: each connection that was ready at its start gets one receive.
void EventLoop::ServeReady() {
  const size_t turn = ready_.size();
  for (size_t i = 0; i < turn; ++i) {
    Session* session = ready_.front();
    ready_.pop_front();
    session->in_ready_list = false;
    served_.push_back(session);
    if (!session->doomed && !session->input_blocked) ReadInto(*session);
    if (kArenaBytes - arena_used_ < kReadMin || batch_.output_bytes() > kOutputTurnMax)
      FlushOutput();
  }
  FlushOutput();
  for (Session* session : served_) FinishSession(*session);
  served_.clear();
}

// Receives once and parses what is there. False when nothing was received.
bool EventLoop::ReadInto(Session& session) {
  if (!session.rest().empty()) {
    ReadRest(session);
    return true;
  }
  return session.may_be_readable && ReadArena(session);
}

bool EventLoop::ReadArena(Session& session) {
  char* const begin = arena_.get() + arena_used_;
  const size_t room = std::min(kReadMax, kArenaBytes - arena_used_);
  const ssize_t received = recv(session.fd(), begin, room, 0);
  if (!NoteReceived(session, received, room)) return false;
  arena_used_ += static_cast<size_t>(received);
  Parse(session, {begin, static_cast<size_t>(received)}, false);
  return true;
}

// Part of a request is there already: receive behind it, in the connection's own memory.
void EventLoop::ReadRest(Session& session) {
  ReceiveBuffer& rest = session.rest();
  if (session.may_be_readable) {
    const size_t old_size = rest.size();
    const size_t missing =
        session.bytes_needed() > old_size ? session.bytes_needed() - old_size : 0;
    const size_t room = std::clamp(missing, kReadMin, kRestReadMax);
    // A declared length is believed as far as half of it has come.
    const size_t capacity = std::min(session.bytes_needed(), 2 * old_size + room);
    const ssize_t received = recv(session.fd(), rest.Reserve(room, capacity), room, 0);
    if (received > 0) rest.Advance(static_cast<size_t>(received));
    NoteReceived(session, received, room);
    if (rest.size() > context_.node.query_buffer_bytes_max.load(std::memory_order_relaxed)) {
      Log(LogLevel::kWarning, "server",
          "client {} closed: its request exceeds client-query-buffer-limit", session.state().id);
      session.doomed = true;
      return;
    }
  }
  if (rest.size() < session.bytes_needed() || session.holds_requests()) return;
  Parse(session, rest.view(), true);
}

bool EventLoop::NoteReceived(Session& session, ssize_t received, size_t room) {
  if (received > 0) {
    // A full buffer means that there may be more, which no further edge will tell.
    session.may_be_readable = static_cast<size_t>(received) == room || session.end_announced;
    statistics_.input_bytes.Add(static_cast<uint64_t>(received));
    session.record().input_bytes.Add(static_cast<uint64_t>(received));
    return true;
  }
  if (received == 0) {
    session.peer_closed = true;
  } else if (errno == EINTR) {
    return false;
  } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
    session.doomed = true;
    session.end_reason = "error";
  }
  session.may_be_readable = false;
  return false;
}

// Adds all whole requests at the start of `input` to the batch, running it whenever it is full.
// What is left over is kept by the session.
void EventLoop::Parse(Session& session, std::string_view input, bool is_rest) {
  size_t used = 0;
  size_t needed = 0;
  uint32_t requests = 0;  // of memcached's -R
  while (used < input.size() && !session.doomed && !session.state().close_after_reply &&
         !session.state().is_replica && !session.holds_requests()) {
    if (session.pending_output_bytes() > unread_bytes_max_) {
      session.input_blocked = true;
      break;
    }
    const std::string_view left = input.substr(used);
    if (session.protocol() == Protocol::kResp) {
      if (const size_t size = batch_.AddCompactResp(session, left); size != 0) [[likely]] {
        used += size;
        if (batch_.full() || batch_.must_run()) RunBatch();
        continue;
      }
      const wire::RespResult result = batch_.AddResp(session, left, request_limits_);
      if (result.status == wire::RespStatus::kError) used = input.size();
      if (result.status == wire::RespStatus::kError) break;
      needed = result.bytes_needed;
      if (result.status == wire::RespStatus::kIncomplete) break;
      used += result.consumed;
    } else {
      size_t consumed = 0;
      const auto status = batch_.AddMemcached(session, left, &consumed);
      used += consumed;
      if (status == wire::MemcachedParseStatus::kClose) used = input.size();
      if (status != wire::MemcachedParseStatus::kComplete) {
        needed = session.memcached_parser().wanted();
        break;
      }
      if (++requests == context_.memcached.requests_per_event() && used < input.size()) {
        statistics_.yields.Add(1);
        break;
      }
    }
    // A request that changes how the following bytes are read (AUTH, HELLO, PSYNC) runs at once.
    if (batch_.full() || batch_.must_run()) {
      if (batch_.full() && used < input.size()) statistics_.yields.Add(1);
      RunBatch();
    }
  }
  session.set_bytes_needed(needed);
  if (is_rest) {
    // Requests in the batch point into this memory: run them before it moves.
    batch_.Run(now_);
    session.rest().RemovePrefix(used);
  } else if (used < input.size()) {
    session.rest().Append(input.substr(used));
  }
}

void EventLoop::RunBatch() {
  batch_.Run(now_);
  if (batch_.output_bytes() > kOutputTurnMax) SendOutput();
}

void EventLoop::SendOutput() {
  std::span<wire::OutputBuffer::Insertion> insertions = batch_.insertions();
  for (const RequestBatch::Range& range : batch_.ranges()) {
    Session& session = *range.session;
    const std::string_view bytes = batch_.Bytes(range);
    size_t inserted = 0;
    size_t inserted_bytes = 0;
    while (inserted < insertions.size() && insertions[inserted].offset < range.end) {
      inserted_bytes += insertions[inserted++].bytes.view().size();
    }
    const auto own = insertions.first(inserted);
    insertions = insertions.subspan(inserted);
    if (session.doomed) continue;
    statistics_.output_bytes.Add(bytes.size() + inserted_bytes);
    session.record().output_bytes.Add(bytes.size() + inserted_bytes);
    const bool sent =
        own.empty() ? session.Send(bytes) : session.SendWithInsertions(bytes, range.begin, own);
    if (!sent) session.doomed = true;
    if (session.pending_output_bytes() > 0) HoldsTooMuch(session);
  }
  batch_.ClearOutput();
}

// Runs what is in the batch, sends the replies, and frees the receive memory.
void EventLoop::FlushOutput() {
  batch_.Run(now_);
  SendOutput();
  arena_used_ = 0;
}

// After its replies were sent: ends the session, hands it over, or remembers that it has more to
// do.
void EventLoop::FinishSession(Session& session) {
  ClientRecord& record = session.record();
  record.last_active_at.store(now_, std::memory_order_relaxed);
  if (record.is_amid_request.load(std::memory_order_relaxed) == session.rest().empty()) {
    record.is_amid_request.store(!session.rest().empty(), std::memory_order_relaxed);
  }
  if (session.source() != nullptr && !session.doomed) [[unlikely]]
    SendFromSource(session);
  ClientState& state = session.state();
  if (state.is_replica && !session.doomed) {
    poller_.Remove(session.fd());
    context_.adopt_replica(session.TakeFd(), state, std::string(session.rest().view()));
    Remove(&session);
    return;
  }
  const bool all_sent = session.pending_output_bytes() == 0 && !session.holds_requests();
  const bool nothing_left = !session.may_be_readable || session.peer_closed;
  if (session.doomed || (state.close_after_reply && all_sent) ||
      (session.peer_closed && all_sent && nothing_left)) {
    Remove(&session);
    return;
  }
  if (session.input_blocked || state.close_after_reply) return;
  const bool can_parse_more = !session.holds_requests() && !session.rest().empty() &&
                              session.rest().size() >= session.bytes_needed();
  if (session.may_be_readable || can_parse_more) MarkReady(&session);
}

// One piece, when the client has taken what came before; the next one in a later turn.
void EventLoop::SendFromSource(Session& session) {
  if (session.pending_output_bytes() > 0) return;
  std::string piece;
  const bool has_more = session.source()->Produce(kSourcePieceBytes, piece);
  statistics_.output_bytes.Add(piece.size());
  session.record().output_bytes.Add(piece.size());
  if (!piece.empty() && !session.Send(piece)) session.doomed = true;
  if (!has_more) session.source().reset();
  if (!piece.empty() || !has_more) MarkReady(&session);
}

void EventLoop::Remove(Session* session) {
  if (session->record().is_memcached) {
    context_.memcached.NoteConnection(session->record(), session->end_reason);
  }
  if (session->in_ready_list) std::erase(ready_, session);
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

void EventLoop::Maintain() {
  next_maintenance_ = now_ + kMaintenancePeriod;
  context_.keyspace.Maintain(share_.first, share_.count, now_);
  if (index_ == 0) context_.memcached.Maintain(now_, batch_.effects());
  if (now_ >= next_idle_check_) CloseIdle();
}

void EventLoop::CloseIdle() {
  next_idle_check_ = now_ + kIdleCheckPeriod;
  const int limit = context_.node.idle_timeout_seconds.load(std::memory_order_relaxed);
  for (auto& [id, session] : sessions_) {
    if (session->pending_output_bytes() > 0 && HoldsTooMuch(*session)) MarkReady(session.get());
    if (limit <= 0) continue;
    const UnixMillis active = session->record().last_active_at.load(std::memory_order_relaxed);
    if (now_ - active <= static_cast<UnixMillis>(limit) * 1000) continue;
    session->doomed = true;
    session->end_reason = "idle_timeout";
    statistics_.idle_closed.Add(1);
    MarkReady(session.get());
  }
}

}  // namespace mikura::engine
