// SPDX-License-Identifier: Apache-2.0
// A connected, non-blocking socket, with a TLS stream on it or without: one place where bytes are
// received and sent. Plain bytes cost one test of a pointer.
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/unique_fd.h"
#include "engine/net/tls_stream.h"

namespace mikura::engine {

class ConnectedSocket {
 public:
  ConnectedSocket() = default;
  explicit ConnectedSocket(UniqueFd fd, std::unique_ptr<TlsStream> tls = nullptr)
      : fd_(std::move(fd)), tls_(std::move(tls)) {}
  ConnectedSocket(ConnectedSocket&&) = default;
  ConnectedSocket& operator=(ConnectedSocket&& other) noexcept {
    Close();
    fd_ = std::move(other.fd_);
    tls_ = std::move(other.tls_);
    return *this;
  }

  int fd() const { return fd_.get(); }
  bool valid() const { return fd_.valid(); }
  TlsStream* tls() const { return tls_.get(); }  // null: plain bytes
  void StartTls(std::unique_ptr<TlsStream> tls) { tls_ = std::move(tls); }
  // The stream says goodbye while there is a descriptor.
  void Close() {
    tls_.reset();
    fd_.Reset();
  }

  // As recv(), send() and sendmsg(). The first two are called once for each request: without the C
  // library, which in a process of several threads makes each a point where the thread may be
  // cancelled, at the price of two atomic exchanges.
  ssize_t Receive(char* out, size_t room) {
    if (tls_ != nullptr) [[unlikely]] {
      return tls_->Receive(out, room);
    }
    return syscall(SYS_recvfrom, fd_.get(), out, room, 0, nullptr, nullptr);
  }
  ssize_t Send(std::string_view bytes) {
    if (tls_ != nullptr) [[unlikely]] {
      const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
      return tls_->Send({&part, 1});
    }
    return syscall(SYS_sendto, fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL, nullptr, 0);
  }
  ssize_t SendParts(std::span<const iovec> parts) {
    if (tls_ != nullptr) [[unlikely]] {
      return tls_->Send(parts);
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data());
    message.msg_iovlen = parts.size();
    return sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
  }

  // Whether bytes may be left that no readiness of the descriptor tells of.
  bool has_more() const { return tls_ != nullptr && tls_->has_more(); }

 private:
  UniqueFd fd_;
  std::unique_ptr<TlsStream> tls_;  // ends before the descriptor
};

}  // namespace mikura::engine
