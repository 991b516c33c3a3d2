// SPDX-License-Identifier: Apache-2.0
#include "engine/server/session.h"

#include <cerrno>

#include "engine/commands/transaction.h"

namespace mikura::engine {
namespace {

// Bytes of `data` the socket took; -1 when the peer is gone.
ssize_t SendSome(ConnectedSocket& socket, std::string_view data) {
  size_t sent = 0;
  while (sent < data.size()) {
    const ssize_t n = socket.Send(data.substr(sent));
    if (n > 0) {
      sent += static_cast<size_t>(n);
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      break;
    } else {
      return -1;
    }
  }
  return static_cast<ssize_t>(sent);
}

}  // namespace

bool Session::ExceedsOutput(const OutputBounds& bounds, UnixMillis now) {
  const size_t held = pending_output_bytes();
  if (bounds.hard_bytes > 0 && held >= bounds.hard_bytes) return true;
  if (bounds.soft_bytes == 0 || held < bounds.soft_bytes) {
    over_soft_since_ = 0;
    return false;
  }
  if (over_soft_since_ == 0) over_soft_since_ = now;
  return now - over_soft_since_ > bounds.soft_time;
}

void Session::NoteTransaction() {
  const ClientState& client = record_->state;
  const Transaction* const transaction = client.transaction.get();
  had_transaction_ = transaction != nullptr;
  const size_t queued_bytes = transaction != nullptr ? transaction->memory_bytes() : 0;
  queued_.Set(queued_bytes);
  record_->queued_bytes.store(client.in_multi ? queued_bytes : 0, std::memory_order_relaxed);
  record_->queued_commands.store(
      client.in_multi ? static_cast<int>(transaction->commands().size()) : -1,
      std::memory_order_relaxed);
}

void Session::Keep(std::string_view request_bytes) {
  const char* const begin = kept_.empty() ? request_bytes.data() : kept_.data();
  kept_ = {begin, static_cast<size_t>(request_bytes.data() + request_bytes.size() - begin)};
}

void Session::ReturnKept() {
  rest_.Prepend(kept_);
  kept_ = {};
  bytes_needed_ = 0;
}

bool Session::Send(std::string_view bytes) {
  if (!pending_.Flush(socket_)) return false;
  size_t done = 0;
  if (pending_.empty()) {
    const ssize_t sent = SendSome(socket_, bytes);
    if (sent < 0) return false;
    done = static_cast<size_t>(sent);
  }
  if (done < bytes.size()) pending_.Append(bytes.substr(done));
  return true;
}

}  // namespace mikura::engine
