// SPDX-License-Identifier: Apache-2.0
#include "engine/server/acceptor.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/logging.h"
#include "engine/net/socket.h"

namespace mikura::engine {
namespace {

constexpr UnixMillis kWarningPeriod = 10'000;

UniqueFd OpenSpare() { return UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

void RefuseConnection(UniqueFd fd, std::string_view words) {
  [[maybe_unused]] const ssize_t sent = send(fd.get(), words.data(), words.size(), MSG_NOSIGNAL);
}

std::string_view TooManyClientsWords(Protocol protocol) {
  return protocol == Protocol::kMemcached ? "ERROR Too many open connections\r\n"
                                          : "-ERR max number of clients reached\r\n";
}

std::string_view ProtectedModeWords(Protocol protocol) {
  return protocol == Protocol::kMemcached
             ? "SERVER_ERROR protected mode: no password is set, so only clients of this machine "
               "are served\r\n"
             : "-DENIED Mikura is running in protected mode: no password is set, so only clients "
               "of this machine are served. Set requirepass, or protected-mode no.\r\n";
}

Acceptor::Acceptor() : spare_(OpenSpare()) {}

Acceptor::Outcome Acceptor::Accept(int listener, std::string_view refusal, UnixMillis now,
                                   UniqueFd* accepted) {
  *accepted = engine::Accept(listener);
  if (accepted->valid()) return Outcome::kAccepted;
  if (errno == ECONNABORTED || errno == EINTR) return Outcome::kAgain;
  if (errno == EMFILE || errno == ENFILE) return RefuseOne(listener, refusal, now);
  return Outcome::kNone;
}

Acceptor::Outcome Acceptor::RefuseOne(int listener, std::string_view refusal, UnixMillis now) {
  if (now >= next_warning_) {
    next_warning_ = now + kWarningPeriod;
    Log(LogLevel::kWarning, "server", "connections are refused: no file descriptor is free");
  }
  if (!spare_.valid()) spare_ = OpenSpare();
  spare_.Reset();
  UniqueFd fd = engine::Accept(listener);
  const bool refused = fd.valid();
  if (refused) RefuseConnection(std::move(fd), refusal);
  spare_ = OpenSpare();
  return refused ? Outcome::kRefused : Outcome::kNone;
}

}  // namespace mikura::engine
