// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/link_socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/check.h"

namespace mikura::engine {
namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Result<AddressList> Resolve(const std::string& host, int port, int family) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (code != 0) return Error{fmt::format("cannot resolve {}: {}", host, gai_strerror(code))};
  return AddressList(list, &freeaddrinfo);
}

Error SocketError(std::string_view what) {
  return Error{fmt::format("{}: {}", what, std::strerror(errno))};
}

Status BindSource(int fd, const std::string& source, int family) {
  if (source.empty()) return Ok();
  ASSIGN_OR_RETURN(const AddressList address, Resolve(source, 0, family));
  if (bind(fd, address->ai_addr, address->ai_addrlen) != 0) return SocketError("bind " + source);
  return Ok();
}

}  // namespace

LinkSocket::LinkSocket() : wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(wake_.valid()); }

LinkSocket::LinkSocket(ConnectedSocket socket) : LinkSocket() { socket_ = std::move(socket); }

Status LinkSocket::Connect(const std::string& host, int port, const std::string& source,
                           milliseconds timeout) {
  ASSIGN_OR_RETURN(const AddressList address, Resolve(host, port, AF_UNSPEC));
  UniqueFd made(socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made.valid()) return SocketError("socket");
  const int fd = made.get();
  socket_ = ConnectedSocket(std::move(made));
  RETURN_IF_ERROR(BindSource(fd, source, address->ai_family));
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(fd, address->ai_addr, address->ai_addrlen) == 0) return Ok();
  if (errno != EINPROGRESS) return SocketError("connect");
  if (!Poll(POLLOUT, timeout) || interrupted()) return Error{"connect: no answer"};
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  errno = error;
  return error == 0 ? Status() : SocketError("connect");
}

Status LinkSocket::StartTls(const TlsContext& context, milliseconds timeout) {
  socket_.StartTls(TlsStream::Connect(context, socket_.fd()));
  if (socket_.tls() == nullptr) return Error{"TLS: no memory"};
  TlsStream& tls = *socket_.tls();
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (!interrupted()) {
    const TlsStream::Progress progress = tls.Handshake();
    if (progress == TlsStream::Progress::kDone) return Ok();
    if (progress == TlsStream::Progress::kFailed) {
      return Error{"TLS handshake: " + tls.FailureText()};
    }
    if (progress == TlsStream::Progress::kGoesOn) continue;
    const auto left =
        std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !Poll(tls.wants_writable() ? POLLOUT : POLLIN, left)) {
      return Error{"TLS handshake: no answer"};
    }
  }
  return Error{"interrupted"};
}

bool LinkSocket::Poll(int16_t events, milliseconds timeout) {
  pollfd fds[] = {{socket_.fd(), events, 0}, {wake_.get(), POLLIN, 0}};
  return poll(fds, 2, static_cast<int>(timeout.count())) != 0;
}

bool LinkSocket::PollReadable(milliseconds timeout) {
  if (socket_.has_more()) return true;
  const bool turned = socket_.tls() != nullptr && socket_.tls()->wants_writable();
  return Poll(turned ? POLLOUT : POLLIN, timeout);
}

LinkSocket::Readiness LinkSocket::Wait(bool want_write, int extra_fd, milliseconds timeout) {
  // TLS may have to write before it can read on, or to read before it can write on.
  const TlsStream* const tls = socket_.tls();
  const bool reads_by_writing = tls != nullptr && tls->wants_writable();
  const bool writes_by_reading = tls != nullptr && tls->wants_readable();
  const bool has_more = socket_.has_more();
  const auto events = static_cast<int16_t>(POLLIN | (want_write || reads_by_writing ? POLLOUT : 0));
  pollfd fds[] = {{socket_.fd(), events, 0}, {wake_.get(), POLLIN, 0}, {extra_fd, POLLIN, 0}};
  const int ready = poll(fds, 3, has_more ? 0 : static_cast<int>(timeout.count()));
  if (interrupted()) return {};
  if (ready <= 0) return {has_more, false};
  constexpr int16_t kEnded = POLLERR | POLLHUP | POLLNVAL;
  const bool in = (fds[0].revents & (POLLIN | kEnded)) != 0;
  const bool out = (fds[0].revents & (POLLOUT | kEnded)) != 0;
  return {in || has_more || (reads_by_writing && out), out || (writes_by_reading && in)};
}

ssize_t LinkSocket::TrySend(std::span<const iovec> parts) {
  while (true) {
    const ssize_t n = socket_.SendParts(parts);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? kBlocked : kGone;
  }
}

ssize_t LinkSocket::TryReceive(char* out, size_t size) {
  const ssize_t n = socket_.Receive(out, size);
  if (n > 0) return n;
  if (n == 0) return kGone;
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? kBlocked : kGone;
}

Status LinkSocket::SendAll(std::string_view bytes, milliseconds timeout) {
  while (!bytes.empty()) {
    if (interrupted()) return Error{"interrupted"};
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    const ssize_t n = TrySend({&part, 1});
    if (n == kGone) return Error{"the peer closed the connection"};
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
      continue;
    }
    if (!AwaitWritable(timeout) && !interrupted()) {
      return Error{"the peer does not take any data"};
    }
  }
  return Ok();
}

bool LinkSocket::AwaitWritable(milliseconds timeout) {
  const bool turned = socket_.tls() != nullptr && socket_.tls()->wants_readable();
  return Poll(turned ? POLLIN : POLLOUT, timeout) && !interrupted();
}

Result<size_t> LinkSocket::Receive(char* out, size_t size, milliseconds timeout) {
  while (!interrupted()) {
    const ssize_t n = TryReceive(out, size);
    if (n == kGone) return Error{"the peer closed the connection"};
    if (n > 0) return static_cast<size_t>(n);
    if (!PollReadable(timeout)) return Error{"the peer is silent"};
  }
  return Error{"interrupted"};
}

void LinkSocket::Pause(milliseconds time) {
  pollfd wake{wake_.get(), POLLIN, 0};
  poll(&wake, 1, static_cast<int>(time.count()));
}

void LinkSocket::Interrupt() {
  interrupted_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  // Fails only when the counter is full, and then the descriptor is readable already.
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof(one));
}

std::string LinkSocket::PeerHost() const {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getpeername(socket_.fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  char text[NI_MAXHOST];
  if (getnameinfo(reinterpret_cast<sockaddr*>(&address), size, text, sizeof(text), nullptr, 0,
                  NI_NUMERICHOST) != 0) {
    return "";
  }
  return text;
}

}  // namespace mikura::engine
