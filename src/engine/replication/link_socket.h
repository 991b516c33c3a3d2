// SPDX-License-Identifier: Apache-2.0
// A TCP connection that one replication thread works on: every wait has a timeout, and ends at once
// when another thread interrupts it.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/net/connected_socket.h"

namespace mikura::engine {

using std::chrono::milliseconds;

class LinkSocket {
 public:
  LinkSocket();
  // Takes over a connected, non-blocking socket.
  explicit LinkSocket(ConnectedSocket socket);

  // Connects to a name or an address; `source` (may be empty) is the address to come from.
  Status Connect(const std::string& host, int port, const std::string& source,
                 milliseconds timeout);

  // Goes on in TLS, as its client: the peer's certificate is verified, its name is not.
  Status StartTls(const TlsContext& context, milliseconds timeout);

  // Sends everything. Errors: interrupted, the peer is gone, no byte was taken for `timeout`.
  Status SendAll(std::string_view bytes, milliseconds timeout);
  // Receives at least one byte. Errors: interrupted, the peer is gone, nothing came for `timeout`.
  Result<size_t> Receive(char* out, size_t size, milliseconds timeout);

  // ---- Without waiting. kBlocked: not now; kGone: the peer is.
  static constexpr ssize_t kBlocked = -1;
  static constexpr ssize_t kGone = -2;
  ssize_t TrySend(std::span<const iovec> parts);
  ssize_t TryReceive(char* out, size_t size);

  struct Readiness {
    bool readable = false;  // or the peer is gone
    bool writable = false;
  };
  // Waits until the socket can be read (or, when `want_write`, written), `extra_fd` (-1: none) is
  // readable, an interruption, or `timeout`.
  Readiness Wait(bool want_write, int extra_fd, milliseconds timeout);

  // Before more can be sent; false: not within `timeout`, or interrupted.
  bool AwaitWritable(milliseconds timeout);
  // Waits for an interruption only.
  void Pause(milliseconds time);
  void Close() { socket_.Close(); }

  // From any thread: every wait, now and later, ends.
  void Interrupt();
  bool interrupted() const { return interrupted_.load(std::memory_order_acquire); }

  bool valid() const { return socket_.valid(); }
  bool is_tls() const { return socket_.tls() != nullptr; }
  std::string PeerHost() const;

 private:
  // Waits for one of `events`. False: interrupted, or `timeout`.
  bool Poll(int16_t events, milliseconds timeout);
  bool PollReadable(milliseconds timeout);

  ConnectedSocket socket_;
  UniqueFd wake_;  // an eventfd that Interrupt() makes readable for good
  // Publishes the wish to end to the thread that works on the socket.
  std::atomic<bool> interrupted_{false};
};

}  // namespace mikura::engine
