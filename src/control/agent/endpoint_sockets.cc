// SPDX-License-Identifier: Apache-2.0
#include "control/agent/endpoint_sockets.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace mikura::control {
namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

Result<FileDescriptor> ListenAt(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(endpoint.port));
  if (inet_pton(AF_INET, endpoint.address.c_str(), &address.sin_addr) != 1) {
    return Error{fmt::format("{} is not an IPv4 address", endpoint.address)};
  }
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!socket.valid() || setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(socket.get(), kBacklog) != 0) {
    return Error{fmt::format("cannot listen at {}:{}: {}", endpoint.address, endpoint.port,
                             std::strerror(errno))};
  }
  return socket;
}

}  // namespace

Result<std::shared_ptr<FileDescriptor>> EndpointSockets::Acquire(const Endpoint& endpoint) {
  MutexLock lock(mutex_);
  auto& kept = sockets_[{endpoint.address, endpoint.port}];
  if (kept == nullptr) {
    ASSIGN_OR_RETURN(FileDescriptor socket, ListenAt(endpoint));
    kept = std::make_shared<FileDescriptor>(std::move(socket));
  }
  return kept;
}

void EndpointSockets::Keep(FileDescriptor socket) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
      address.sin_family != AF_INET) {
    return;
  }
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  MutexLock lock(mutex_);
  auto& kept = sockets_[{text, ntohs(address.sin_port)}];
  if (kept == nullptr) kept = std::make_shared<FileDescriptor>(std::move(socket));
}

void EndpointSockets::Close(const Endpoint& endpoint) {
  MutexLock lock(mutex_);
  sockets_.erase({endpoint.address, endpoint.port});
}

bool EndpointSockets::IsFree(const Endpoint& endpoint) { return ListenAt(endpoint).ok(); }

}  // namespace mikura::control
