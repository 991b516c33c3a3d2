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

LinkSocket::LinkSocket(UniqueFd fd) : LinkSocket() { fd_ = std::move(fd); }

Status LinkSocket::Connect(const std::string& host, int port, const std::string& source,
                           milliseconds timeout) {
  ASSIGN_OR_RETURN(const AddressList address, Resolve(host, port, AF_UNSPEC));
  fd_.Reset(socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_.valid()) return SocketError("socket");
  RETURN_IF_ERROR(BindSource(fd_.get(), source, address->ai_family));
  const int on = 1;
  setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(fd_.get(), address->ai_addr, address->ai_addrlen) == 0) return Ok();
  if (errno != EINPROGRESS) return SocketError("connect");
  if (!Wait(true, -1, timeout).writable) return Error{"connect: no answer"};
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  errno = error;
  return error == 0 ? Status() : SocketError("connect");
}

LinkSocket::Readiness LinkSocket::Wait(bool want_write, int extra_fd, milliseconds timeout) {
  const auto events = static_cast<int16_t>(POLLIN | (want_write ? POLLOUT : 0));
  pollfd fds[] = {{fd_.get(), events, 0}, {wake_.get(), POLLIN, 0}, {extra_fd, POLLIN, 0}};
  const int ready = poll(fds, 3, static_cast<int>(timeout.count()));
  if (ready <= 0 || interrupted()) return {};
  constexpr int16_t kEnded = POLLERR | POLLHUP | POLLNVAL;
  return {(fds[0].revents & (POLLIN | kEnded)) != 0, (fds[0].revents & (POLLOUT | kEnded)) != 0};
}

ssize_t LinkSocket::TrySend(std::span<const iovec> parts) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  while (true) {
    const ssize_t n = sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? kBlocked : kGone;
  }
}

ssize_t LinkSocket::TryReceive(char* out, size_t size) {
  while (true) {
    const ssize_t n = recv(fd_.get(), out, size, 0);
    if (n > 0) return n;
    if (n == 0) return kGone;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? kBlocked : kGone;
  }
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
    pollfd fds[] = {{fd_.get(), POLLOUT, 0}, {wake_.get(), POLLIN, 0}};
    if (poll(fds, 2, static_cast<int>(timeout.count())) == 0) {
      return Error{"the peer does not take any data"};
    }
  }
  return Ok();
}

Result<size_t> LinkSocket::Receive(char* out, size_t size, milliseconds timeout) {
  while (!interrupted()) {
    const ssize_t n = TryReceive(out, size);
    if (n == kGone) return Error{"the peer closed the connection"};
    if (n > 0) return static_cast<size_t>(n);
    pollfd fds[] = {{fd_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    if (poll(fds, 2, static_cast<int>(timeout.count())) == 0) {
      return Error{"the peer is silent"};
    }
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
  if (getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  char text[NI_MAXHOST];
  if (getnameinfo(reinterpret_cast<sockaddr*>(&address), size, text, sizeof(text), nullptr, 0,
                  NI_NUMERICHOST) != 0) {
    return "";
  }
  return text;
}

}  // namespace mikura::engine
