// SPDX-License-Identifier: Apache-2.0
// TLS connections of an event loop until they are established. From then on a session receives and
// sends as any other (ConnectedSocket).
//
// A client that has not finished its handshake holds what OpenSSL's limits on messages allow, some
// 200 KB, for kHandshakeTime. Its bytes are read in the turns of the loop, a few handshakes in
// each: their arithmetic takes longer than any request.
#include <sys/socket.h>

#include <cerrno>

#include "base/logging.h"
#include "engine/server/event_loop.h"

namespace mikura::engine {
namespace {

constexpr UnixMillis kHandshakeTime = 10'000;
// With which a TLS client begins (the type "handshake" of a record); no request does.
constexpr char kClientHello = 0x16;
// What an established stream has been measured to hold (docs/architecture.md).
constexpr int64_t kStreamBytes = 16 << 10;

}  // namespace

// What a client begins with that came through a listener for whoever comes.
void EventLoop::BeginByMode(Session& session) {
  switch (context_.tls.mode()) {
    case TlsMode::kOff:
      return;
    case TlsMode::kPreferred:
      session.is_handshaking = true;  // its first byte tells: ShakeHands()
      return;
    case TlsMode::kRequired:
      BeginHandshake(session, "");
      return;
  }
}

// Looks at the first byte, and leaves it there. True when it is known what the client speaks.
bool EventLoop::RecognizeTls(Session& session) {
  char first = 0;
  const ssize_t received = recv(session.fd(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
  if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    session.may_be_readable = errno == EINTR;
    return false;
  }
  session.is_handshaking = false;
  // An end or an error is seen by whoever reads.
  if (received == 1 && first == kClientHello) BeginHandshake(session, "");
  return true;
}

// The mode is kRequired from now on: those that came before it go.
void EventLoop::EndPlainClients() {
  for (auto& [id, session] : sessions_) {
    const bool is_local = session->state().address.starts_with("/");
    if (session->protocol() != Protocol::kResp || session->socket().tls() != nullptr || is_local) {
      continue;
    }
    session->doomed = true;
    session->end_reason = "error";
    MarkReady(session.get());
  }
}

// refusal: what the client is told instead of being served; empty when it is served.
void EventLoop::BeginHandshake(Session& session, std::string_view refusal) {
  const auto context = context_.tls.Current();
  auto tls = context == nullptr ? nullptr
                                : TlsStream::Accept(*context, session.fd(), context_.tls.clients());
  if (tls == nullptr) {
    session.doomed = true;
    MarkReady(&session);
    return;
  }
  session.socket().StartTls(std::move(tls));
  session.is_handshaking = true;
  session.refusal = refusal;
  session.CountOtherMemory(kStreamBytes);
  handshake_ends_.emplace_back(now_ + kHandshakeTime, session.state().id);
}

// True when the session may receive now.
bool EventLoop::ShakeHands(Session& session) {
  if (!session.may_be_readable) return false;
  if (session.socket().tls() == nullptr) {
    if (!RecognizeTls(session) || session.doomed) return false;
    if (!session.is_handshaking) return true;
  }
  // Who has to wait for another turn is still readable, and comes again.
  if (handshakes_left_ == 0) return false;
  --handshakes_left_;
  TlsStream& tls = *session.socket().tls();
  switch (tls.Handshake()) {
    case TlsStream::Progress::kGoesOn:
      return false;
    case TlsStream::Progress::kWaits:
      session.may_be_readable = false;
      return false;
    case TlsStream::Progress::kFailed:
      Log(LogLevel::kInfo, "server", "TLS handshake with {} failed: {}", session.state().address,
          tls.FailureText());
      session.doomed = true;
      session.end_reason = "error";
      return false;
    case TlsStream::Progress::kDone:
      break;
  }
  session.is_handshaking = false;
  if (session.refusal.empty()) return true;
  if (!session.Send(session.refusal)) session.doomed = true;
  session.state().close_after_reply = true;
  return false;
}

// The socket became ready in a direction that TLS asked for: reading may have to wait for writing,
// and the other way round.
void EventLoop::NoteTlsEvent(Session& session, uint32_t events) {
  const TlsStream& tls = *session.socket().tls();
  if ((events & EPOLLOUT) != 0 && tls.wants_writable()) {
    session.may_be_readable = true;
    MarkReady(&session);
  }
  if ((events & EPOLLIN) != 0 && tls.wants_readable()) FlushWaiting(session);
}

void EventLoop::EndLateHandshakes() {
  while (!handshake_ends_.empty() && handshake_ends_.front().first <= now_) {
    const auto found = sessions_.find(handshake_ends_.front().second);
    handshake_ends_.pop_front();
    if (found == sessions_.end() || !found->second->is_handshaking) continue;
    Session& session = *found->second;
    Log(LogLevel::kInfo, "server", "TLS handshake with {} took too long", session.state().address);
    session.doomed = true;
    session.end_reason = "error";
    MarkReady(&session);
  }
}

}  // namespace mikura::engine
