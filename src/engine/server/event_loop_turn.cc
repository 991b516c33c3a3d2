// SPDX-License-Identifier: Apache-2.0
// One turn of an event loop: receives from the connections that are ready, runs what has come, and
// sends the replies.
#include <algorithm>
#include <cerrno>

#include "base/logging.h"
#include "engine/server/event_loop.h"

namespace mikura::engine {
namespace {

constexpr size_t kReadMax = 64 << 10;     // one receive: holds 64 SETs of 64 bytes many times over
constexpr size_t kReadMin = 16 << 10;     // less room than this in the arena ends the batch
constexpr size_t kRestReadMax = 1 << 20;  // one receive into a connection's own buffer
constexpr size_t kOutputTurnMax = 1 << 20;  // replies are sent at the latest when so many gathered
constexpr size_t kSourcePieceBytes = 64 << 10;

}  // namespace

// One turn: each connection that was ready at its start gets one receive.
void EventLoop::ServeReady() {
  const size_t turn = ready_.size();
  handshakes_left_ = kHandshakesPerTurn;
  // A busy turn inside of this one may have taken some.
  for (size_t i = 0; i < turn && !ready_.empty(); ++i) {
    Session* session = ready_.front();
    ready_.pop_front();
    if (IsLeftAlone(*session)) {
      ready_.push_back(session);
      continue;
    }
    session->in_ready_list = false;
    served_.push_back(session);
    if (session->wants_turn() && !session->doomed) [[unlikely]]
      ContinueOutput(*session);
    const bool may_read = !session->doomed && !session->input_blocked && !session->is_suspended();
    if (may_read && (!session->is_handshaking || ShakeHands(*session))) ReadInto(*session);
    if (kArenaBytes - arena_used_ < kReadMin || batch_->output_bytes() > kOutputTurnMax)
      FlushOutput();
  }
  FlushOutput();
  DeliverPosted();
  TellChanges();
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
  const ssize_t received = session.socket().Receive(begin, room);
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
    const ssize_t received = session.socket().Receive(rest.Reserve(room, capacity), room);
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
    session.may_be_readable = static_cast<size_t>(received) == room || session.end_announced ||
                              session.socket().has_more();
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

// Adds the request at the start of `input`, of which `used` is told. False when nothing behind it
// can be parsed (now).
bool EventLoop::ParseUsualResp(Session& session, std::string_view input, size_t& used,
                               size_t& needed) {
  const wire::RespResult result = batch_->AddResp(session, input, request_limits_);
  needed = result.bytes_needed;
  if (result.status == wire::RespStatus::kIncomplete) return false;
  const bool is_error = result.status == wire::RespStatus::kError;
  used += is_error ? input.size() : result.consumed;
  return !is_error;
}

// Adds all whole requests at the start of `input` to the batch, running it whenever it is full.
// What is left over is kept by the session.
void EventLoop::Parse(Session& session, std::string_view input, bool is_rest) {
  size_t used = 0;
  size_t needed = 0;
  uint32_t requests = 0;  // of memcached's -R
  parsing_ = &session;
  while (used < input.size() && !session.doomed && !session.state().close_after_reply &&
         !session.state().is_replica && !session.holds_requests() && !session.is_suspended()) {
    if (session.pending_output_bytes() > unread_bytes_max_) {
      session.input_blocked = true;
      break;
    }
    const std::string_view left = input.substr(used);
    if (session.protocol() == Protocol::kResp) {
      if (const size_t size = batch_->AddCompactResp(session, left); size != 0) [[likely]] {
        used += size;
        if (batch_->full() || batch_->must_run()) RunBatch();
        continue;
      }
      if (!ParseUsualResp(session, left, used, needed)) break;
    } else {
      size_t consumed = 0;
      const auto status = batch_->AddMemcached(session, left, &consumed);
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
    if (batch_->full() || batch_->must_run()) {
      if (batch_->full() && used < input.size()) statistics_.yields.Add(1);
      RunBatch();
    }
  }
  // Requests in the batch point into a session's own memory: run them before it moves.
  if (is_rest || batch_->has_script()) RunRequests();
  parsing_ = nullptr;
  if (const std::string_view kept = session.TakeKept(); !kept.empty()) [[unlikely]] {
    used = static_cast<size_t>(kept.data() - input.data());
    needed = 0;
  }
  session.set_bytes_needed(needed);
  if (is_rest) {
    session.rest().RemovePrefix(used);
  } else if (used < input.size()) {
    session.rest().Append(input.substr(used));
  }
}

// Runs what is in the batch. What was put aside goes back to where its bytes came from; the session
// that is being parsed still has its own.
void EventLoop::RunRequests() {
  DeliverPosted();
  batch_->Run(now_);
  if (is_guarded_ && !context_.commits()) [[unlikely]]
    context_.keyspace.change_log().Wake();  // what replies wait for becomes durable meanwhile
  context_.deliveries.WakePosted();
  SettleSuspended();
}

void EventLoop::SettleSuspended() {
  for (Session* session : batch_->suspended()) {
    NoteSuspended(*session);
    if (session != parsing_ && session->suspension() != Suspension::kBlocked) {
      session->ReturnKept();
    }
  }
  batch_->suspended().clear();
}

void EventLoop::RunBatch() {
  RunRequests();
  if (batch_->output_bytes() > kOutputTurnMax) SendOutput();
}

void EventLoop::SendOutput() {
  SendRanges();
  batch_->ClearOutput();
}

void EventLoop::SendRanges() {
  std::span<wire::OutputBuffer::Insertion> insertions = batch_->insertions();
  if (is_guarded_) [[unlikely]]
    released_ = context_.horizon.durable();
  for (const RequestBatch::Range& range : batch_->ranges()) {
    Session& session = *range.session;
    const std::string_view bytes = batch_->Bytes(range);
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
    bool sent = true;
    if (is_guarded_) [[unlikely]] {
      const auto index = static_cast<size_t>(&range - batch_->ranges().data());
      sent = SendTold(session, batch_->ToldIn(index), bytes, range.begin, own);
    } else {
      sent =
          own.empty() ? session.Send(bytes) : session.SendWithInsertions(bytes, range.begin, own);
    }
    if (!sent) session.doomed = true;
    NotePending(session);
  }
}

// Runs what is in the batch, sends the replies, and frees the receive memory.
void EventLoop::FlushOutput() {
  RunRequests();
  SendOutput();
  arena_used_ = 0;
}

// After its replies were sent: ends the session, hands it over, or remembers that it has more to
// do.
void EventLoop::FinishSession(Session& session) {
  ClientRecord& record = session.record();
  record.last_active_at.store(now_, std::memory_order_relaxed);
  if (record.held_input_bytes.load(std::memory_order_relaxed) != session.rest().size()) {
    record.held_input_bytes.store(session.rest().size(), std::memory_order_relaxed);
    record.is_amid_request.store(!session.rest().empty(), std::memory_order_relaxed);
  }
  if (record.held_output_bytes.load(std::memory_order_relaxed) != session.pending_output_bytes()) {
    record.held_output_bytes.store(session.pending_output_bytes(), std::memory_order_relaxed);
  }
  if (session.source() != nullptr && !session.doomed) [[unlikely]]
    SendFromSource(session);
  ClientState& state = session.state();
  // It was refused when it came again.
  if (state.preparation && !session.is_suspended() && session.rest().empty()) [[unlikely]]
    state.preparation.reset();
  if (state.is_replica && !session.doomed) {
    poller_.Remove(session.fd());
    context_.adopt_replica(std::move(session.socket()), state, std::string(session.rest().view()));
    Remove(&session);
    return;
  }
  if ((session.end_announced || session.peer_closed) && GivesUpWaiting(session)) {
    session.doomed = true;
  }
  const bool all_sent = session.pending_output_bytes() == 0 && !session.holds_requests();
  const bool nothing_left =
      (!session.may_be_readable || session.peer_closed) && !session.is_suspended();
  if (session.doomed || (state.close_after_reply && all_sent) ||
      (session.peer_closed && all_sent && nothing_left)) {
    Remove(&session);
    return;
  }
  if (session.input_blocked || state.close_after_reply || session.is_suspended()) return;
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
  if (!piece.empty() && !SendLate(session, piece)) session.doomed = true;
  if (session.pending_output_bytes() > 0) has_pending_ = true;
  if (!has_more) session.source().reset();
  if (!piece.empty() || !has_more) MarkReady(&session);
}

}  // namespace mikura::engine
