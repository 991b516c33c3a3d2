// SPDX-License-Identifier: Apache-2.0
// One TLS connection on a connected, non-blocking socket. Belongs to the thread that works on the
// socket; never waits.
//
// T1. A call reads a bounded number of bytes off the socket, whatever the peer sends.
// T2. has_more() is false only when the socket had nothing left: then the next readiness of the
//     socket tells of more. Otherwise there may be bytes in here that no readiness tells of.
// T3. What Send() did not take is offered again, from the same byte on, before anything else.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "engine/net/tls_context.h"

struct ssl_st;

namespace mikura::engine {

class TlsStream {
 public:
  // The server's side and the client's; `fd` stays open for longer than the stream. Null: there is
  // no memory.
  static std::unique_ptr<TlsStream> Accept(const TlsContext& context, int fd, TlsClients clients);
  // Verifies the server's certificate by the authorities; it may have any name.
  static std::unique_ptr<TlsStream> Connect(const TlsContext& context, int fd);
  // Says goodbye (close_notify), as far as the socket takes it at once.
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  enum class Progress : uint8_t {
    kDone,
    kWaits,   // for the socket to become readable, or writable: wants_writable()
    kGoesOn,  // T1: call again
    kFailed,
  };
  // Until it is done there is nothing to receive or to send.
  Progress Handshake();
  bool is_established() const { return established_; }
  // Why it failed.
  std::string FailureText() const;

  // As recv() and sendmsg(): bytes, or -1 and errno. Receive() returns 0 at the end of what the
  // peer sends, and EINTR when T1 ended it before it had anything.
  ssize_t Receive(char* out, size_t room);
  ssize_t Send(std::span<const iovec> parts);

  bool has_more() const { return has_more_; }
  // Reading, or the handshake, goes on when the socket has become writable.
  bool wants_writable() const { return wants_writable_; }
  // Sending goes on when the socket has become readable.
  bool wants_readable() const { return wants_readable_; }

 private:
  // What OpenSSL reads from and writes to; functions in tls_stream.cc.
  struct Socket {
    int fd;
    size_t readable_bytes = 0;  // T1: what may still be read in this call
    bool drained = false;       // the last read found nothing
    bool ended = false;         // the peer sends no more
  };
  struct Calls;
  struct Free {
    void operator()(ssl_st* ssl) const;
  };

  explicit TlsStream(int fd) : socket_{fd} {}
  static std::unique_ptr<TlsStream> Make(ssl_ctx_st* context, int fd);
  void BeginReading(size_t bytes_max);
  enum class Blocked : uint8_t { kOnReading, kOnWriting, kBroken };
  // Why a call of OpenSSL gave `result`; sets errno.
  Blocked NoteBlocked(int result);
  // The same for calls that read.
  Blocked NoteReadBlocked(int result);

  Socket socket_;
  std::unique_ptr<ssl_st, Free> ssl_;
  size_t blocked_bytes_ = 0;  // of the record that Send() has given to OpenSSL in vain
  bool established_ = false;
  bool failed_ = false;
  bool has_more_ = true;
  bool wants_writable_ = false;
  bool wants_readable_ = false;
  unsigned long failure_ = 0;  // OpenSSL's code; 0: the socket's end or error
};

}  // namespace mikura::engine
