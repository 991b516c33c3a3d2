// SPDX-License-Identifier: Apache-2.0
#include "control/agent/admin_client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "control/agent/descriptor_passing.h"

namespace mikura::control {
namespace {

Error Failed(const char* doing) {
  return Error{fmt::format("admin socket: {}: {}", doing, std::strerror(errno))};
}

}  // namespace

Result<AdminClient> AdminClient::Connect(const std::string& path,
                                         std::chrono::milliseconds timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{fmt::format("admin socket: the path {} is too long", path)};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return Failed("socket");
  // A full backlog (EAGAIN) means that nobody accepts: no answer, as far as we are concerned.
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Failed("connect");
  }
  return AdminClient(std::move(socket), timeout);
}

Result<AdminReply> AdminClient::Call(const std::vector<std::string>& arguments, int passed) {
  received_.Close();
  RETURN_IF_ERROR(
      Send(EncodeAdminRequest(arguments), passed, std::chrono::steady_clock::now() + timeout_));
  // The clock starts when the request is out: had this thread to wait for a processor before, that
  // is no silence of the engine.
  ASSIGN_OR_RETURN(AdminReply reply, Receive(std::chrono::steady_clock::now() + timeout_));
  if (reply.kind == AdminReply::Kind::kError) return Error{reply.text};
  return reply;
}

Status AdminClient::WaitFor(short events, Deadline deadline) const {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waited{socket_.get(), events, 0};
    const int ready = poll(&waited, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready > 0) return Ok();
    if (ready == 0) return Error{"admin socket: no answer in time"};
    if (errno != EINTR) return Failed("poll");
  }
}

Status AdminClient::Send(const std::string& request, int passed, Deadline deadline) {
  size_t sent = 0;
  while (sent < request.size()) {
    const ssize_t count = SendWithDescriptor(socket_.get(), std::string_view(request).substr(sent),
                                             sent == 0 ? passed : -1);
    if (count > 0) {
      sent += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {
      RETURN_IF_ERROR(WaitFor(POLLOUT, deadline));
    } else if (errno != EINTR) {
      return Failed("send");
    }
  }
  return Ok();
}

Result<AdminReply> AdminClient::Receive(Deadline deadline) {
  std::string answer;
  while (true) {
    const ssize_t count = ReceiveWithDescriptor(socket_.get(), answer, received_);
    if (count == 0) return Error{"admin socket: the engine closed it"};
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return Failed("receive");
      RETURN_IF_ERROR(WaitFor(POLLIN, deadline));
      continue;
    }
    AdminReply reply;
    switch (ParseAdminReply(answer, reply)) {
      case ReplyProgress::kComplete:
        return reply;
      case ReplyProgress::kMalformed:
        return Error{"admin socket: the answer is not RESP"};
      case ReplyProgress::kIncomplete:
        break;
    }
  }
}

}  // namespace mikura::control
