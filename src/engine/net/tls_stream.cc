// SPDX-License-Identifier: Apache-2.0
#include "engine/net/tls_stream.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/check.h"

namespace mikura::engine {
namespace {

constexpr size_t kRecordBytes = 16 << 10;  // the longest that one record holds
constexpr size_t kHandshakeTurnBytes = 64 << 10;
constexpr size_t kReadSlackBytes = 64 << 10;

// The next bytes for one record: from one part when they lie there together, else copied to
// `gathered`.
std::string_view NextRecord(std::span<const iovec> parts, size_t skipped, size_t size_max,
                            char* gathered) {
  size_t size = 0;
  for (const iovec& part : parts) {
    const size_t here = std::min(part.iov_len - skipped, size_max - size);
    const char* const from = static_cast<const char*>(part.iov_base) + skipped;
    skipped = 0;
    if (size == 0 && (here == size_max || &part == &parts.back())) return {from, here};
    std::memcpy(gathered + size, from, here);
    size += here;
    if (size == size_max) break;
  }
  return {gathered, size};
}

}  // namespace

// OpenSSL's own kind of socket raises SIGPIPE and reads as long as there is something.
struct TlsStream::Calls {
  static int Read(BIO* bio, char* out, int size) {
    auto& socket = *static_cast<Socket*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const size_t room = std::min(static_cast<size_t>(size), socket.readable_bytes);
    if (room == 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    ssize_t received = 0;
    do {
      received = recv(socket.fd, out, room, 0);
    } while (received < 0 && errno == EINTR);
    socket.drained = received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (socket.drained) BIO_set_retry_read(bio);
    if (received == 0) socket.ended = true;
    if (received > 0) socket.readable_bytes -= static_cast<size_t>(received);
    return static_cast<int>(received);
  }

  static int Write(BIO* bio, const char* bytes, int size) {
    auto& socket = *static_cast<Socket*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    ssize_t sent = 0;
    do {
      sent = send(socket.fd, bytes, static_cast<size_t>(size), MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
  }

  static long Control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_EOF) return static_cast<Socket*>(BIO_get_data(bio))->ended ? 1 : 0;
    return 0;
  }

  static const BIO_METHOD* Methods() {
    static const BIO_METHOD* const methods = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
      CHECK(made != nullptr);
      BIO_meth_set_read(made, Read);
      BIO_meth_set_write(made, Write);
      BIO_meth_set_ctrl(made, Control);
      return made;
    }();
    return methods;
  }
};

void TlsStream::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

std::unique_ptr<TlsStream> TlsStream::Make(ssl_ctx_st* context, int fd) {
  std::unique_ptr<TlsStream> stream(new TlsStream(fd));
  stream->ssl_.reset(SSL_new(context));
  BIO* const bio = BIO_new(Calls::Methods());
  if (stream->ssl_ == nullptr || bio == nullptr) {
    BIO_free(bio);
    ERR_clear_error();
    return nullptr;
  }
  BIO_set_data(bio, &stream->socket_);
  BIO_set_init(bio, 1);
  SSL_set_bio(stream->ssl_.get(), bio, bio);
  return stream;
}

std::unique_ptr<TlsStream> TlsStream::Accept(const TlsContext& context, int fd,
                                             TlsClients clients) {
  std::unique_ptr<TlsStream> stream = Make(context.server(), fd);
  if (stream == nullptr) return nullptr;
  SSL* const ssl = stream->ssl_.get();
  int verify = SSL_VERIFY_NONE;
  if (clients != TlsClients::kUnknown) verify = SSL_VERIFY_PEER;
  if (clients == TlsClients::kVerified) verify |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_set_verify(ssl, verify, nullptr);
  // A session that began without a certificate is not resumed where one is required.
  const auto name = static_cast<unsigned char>('0' + static_cast<int>(clients));
  SSL_set_session_id_context(ssl, &name, 1);
  SSL_set_accept_state(ssl);
  return stream;
}

std::unique_ptr<TlsStream> TlsStream::Connect(const TlsContext& context, int fd) {
  std::unique_ptr<TlsStream> stream = Make(context.client(), fd);
  if (stream == nullptr) return nullptr;
  SSL_set_verify(stream->ssl_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_set_connect_state(stream->ssl_.get());
  return stream;
}

TlsStream::~TlsStream() {
  ERR_clear_error();
  if (established_ && !failed_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsStream::BeginReading(size_t bytes_max) {
  socket_.readable_bytes = bytes_max;
  socket_.drained = false;
  wants_writable_ = false;
  has_more_ = true;
  ERR_clear_error();
}

TlsStream::Blocked TlsStream::NoteBlocked(int result) {
  const int system_error = errno;
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    errno = EAGAIN;
    return error == SSL_ERROR_WANT_READ ? Blocked::kOnReading : Blocked::kOnWriting;
  }
  failed_ = true;
  failure_ = error == SSL_ERROR_SSL ? ERR_peek_error() : 0;
  ERR_clear_error();
  errno = error == SSL_ERROR_SYSCALL && system_error != 0 ? system_error : EPROTO;
  return Blocked::kBroken;
}

TlsStream::Blocked TlsStream::NoteReadBlocked(int result) {
  const Blocked blocked = NoteBlocked(result);
  wants_writable_ = blocked == Blocked::kOnWriting;
  has_more_ = blocked == Blocked::kBroken || (!wants_writable_ && !socket_.drained);
  return blocked;
}

TlsStream::Progress TlsStream::Handshake() {
  BeginReading(kHandshakeTurnBytes);
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    established_ = true;
    return Progress::kDone;
  }
  if (NoteReadBlocked(result) == Blocked::kBroken) return Progress::kFailed;
  return has_more_ ? Progress::kGoesOn : Progress::kWaits;
}

std::string TlsStream::FailureText() const {
  if (failure_ == 0) return "the connection ended";
  const char* const reason = ERR_reason_error_string(failure_);
  return reason != nullptr ? reason : fmt::format("OpenSSL error {:x}", failure_);
}

ssize_t TlsStream::Receive(char* out, size_t room) {
  DCHECK(established_);
  // Records may be short: their heads come on top of what they hold.
  BeginReading(room + room / 8 + kReadSlackBytes);
  size_t received = 0;
  while (received < room) {
    size_t taken = 0;
    const int result = SSL_read_ex(ssl_.get(), out + received, room - received, &taken);
    received += taken;
    if (result == 1) continue;
    if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) break;
    const Blocked blocked = NoteReadBlocked(result);
    if (received > 0) break;
    if (blocked == Blocked::kOnReading && has_more_) errno = EINTR;
    return -1;
  }
  return static_cast<ssize_t>(received);
}

ssize_t TlsStream::Send(std::span<const iovec> parts) {
  DCHECK(established_);
  char gathered[kRecordBytes];
  wants_readable_ = false;
  size_t sent = 0;
  size_t skipped = 0;  // of parts.front()
  while (!parts.empty()) {
    const std::string_view record =
        NextRecord(parts, skipped, blocked_bytes_ > 0 ? blocked_bytes_ : kRecordBytes, gathered);
    if (record.empty()) return static_cast<ssize_t>(sent);
    DCHECK(record.size() >= blocked_bytes_);  // T3
    ERR_clear_error();
    size_t taken = 0;
    const int result = SSL_write_ex(ssl_.get(), record.data(), record.size(), &taken);
    if (result != 1) {
      const Blocked blocked = NoteBlocked(result);
      wants_readable_ = blocked == Blocked::kOnReading;
      blocked_bytes_ = record.size();
      return sent > 0 ? static_cast<ssize_t>(sent) : -1;
    }
    blocked_bytes_ = 0;
    sent += taken;
    skipped += taken;
    while (!parts.empty() && skipped >= parts.front().iov_len) {
      skipped -= parts.front().iov_len;
      parts = parts.subspan(1);
    }
  }
  return static_cast<ssize_t>(sent);
}

}  // namespace mikura::engine
