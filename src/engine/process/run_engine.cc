// SPDX-License-Identifier: Apache-2.0
#include "engine/process/run_engine.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>

#include "base/logging.h"
#include "base/unique_fd.h"
#include "engine/keyspace/keyspace.h"
#include "engine/process/engine.h"
#include "engine/server/file_limit.h"
#include "engine/server/listening.h"

namespace mikura::engine {
namespace {

uint64_t RandomNumber() {
  uint64_t number = 0;
  CHECK(getrandom(&number, sizeof(number), 0) == sizeof(number));
  return number;
}

// As Redis: with fewer file descriptors than maxclients asks for, maxclients becomes smaller.
Status FitClientsToFileLimit(wire::ParameterSet& parameters) {
  const int64_t wanted = parameters.Current()->maxclients;
  const int64_t possible = RaiseFileLimit(wanted);
  if (possible >= wanted) return Ok();
  Log(LogLevel::kWarning, "server",
      "maxclients is {} instead of {}: the system allows no more file descriptors", possible,
      wanted);
  const std::vector<std::string> words{std::to_string(possible)};
  return parameters.Load("maxclients", words);
}

Status EnterDirectory(const wire::EngineParameters& current) {
  if (chdir(current.dir.c_str()) != 0) {
    return Error{fmt::format("cannot use the directory {}: {}", current.dir, std::strerror(errno))};
  }
  if (!SetLogFile(current.logfile)) {
    return Error{fmt::format("cannot write the log {}: {}", current.logfile, std::strerror(errno))};
  }
  if (!current.pidfile.empty()) {
    std::ofstream file(current.pidfile);
    file << getpid() << "\n";
    if (!file.flush()) return Error{fmt::format("cannot write the pid file {}", current.pidfile)};
  }
  return Ok();
}

// Waits for SIGINT, SIGTERM, SIGUSR1, or a word from inside that the process is to end; SIGHUP
// meanwhile asks for password files to be read again.
class StopSignal {
 public:
  StopSignal() : event_(eventfd(0, EFD_CLOEXEC)) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);  // memcached's "end gracefully"
    sigaddset(&set, SIGHUP);
    // Blocked before any thread starts: all inherit it, only Wait() sees them.
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_.Reset(signalfd(-1, &set, SFD_CLOEXEC));
    signal(SIGPIPE, SIG_IGN);
  }
  void Raise() { eventfd_write(event_.get(), 1); }
  // Returns when the process is to end: by a signal, or (false) by a word from inside. Calls
  // `reload` for each SIGHUP.
  bool Wait(const std::function<void()>& reload) {
    pollfd waiting[] = {{signals_.get(), POLLIN, 0}, {event_.get(), POLLIN, 0}};
    while (true) {
      if (poll(waiting, 2, -1) < 0) continue;
      if (waiting[1].revents != 0) return false;
      signalfd_siginfo info{};
      if (read(signals_.get(), &info, sizeof info) != sizeof info) continue;
      if (info.ssi_signo != SIGHUP) return true;
      reload();
    }
  }

 private:
  UniqueFd event_;
  UniqueFd signals_;
};

Status OpenMemcachedSockets(const MemcachedSockets& sockets, const wire::EngineParameters& current,
                            std::vector<std::shared_ptr<Listener>>& listeners) {
  if (!sockets.unix_path.empty()) {
    ASSIGN_OR_RETURN(auto listener, OpenMemcachedSocket(sockets.unix_path, sockets.unix_mode));
    listeners.push_back(std::move(listener));
  } else if (sockets.any_port) {
    const std::string first = current.bind.substr(0, current.bind.find(' '));
    ASSIGN_OR_RETURN(auto listener,
                     OpenMemcachedAnyPort(first, static_cast<int>(current.tcp_backlog)));
    listeners.push_back(std::move(listener));
  }
  return Ok();
}

}  // namespace

int Fail(const Error& error) {
  std::fprintf(stderr, "mikura: %s\n", error.message.c_str());
  return 1;
}

int RunEngine(wire::ParameterSet& parameters, const std::string& config_file,
              const MemcachedSettings& memcached_settings, const MemcachedSockets& sockets) {
  const auto current = parameters.Current();
  StopSignal stop;
  if (const Status status = EnterDirectory(*current); !status.ok()) return Fail(status.error());
  if (const Status status = FitClientsToFileLimit(parameters); !status.ok()) {
    return Fail(status.error());
  }
  auto keyspace = Keyspace::Create(
      {.database_count = static_cast<int>(current->databases), .hash_seed = RandomNumber()});
  if (!keyspace.ok()) return Fail(keyspace.error());
  // Listening begins before anything is started, so that a taken port ends the process at once.
  auto listeners = OpenListeners(*current);
  if (!listeners.ok()) return Fail(listeners.error());
  if (const Status status = OpenMemcachedSockets(sockets, *current, *listeners); !status.ok()) {
    return Fail(status.error());
  }
  if (listeners->empty() && current->admin_socket.empty() && !sockets.may_be_none) {
    return Fail(Error{"nothing to listen on: every port and socket is off"});
  }
  Engine engine(parameters, config_file, memcached_settings, std::move(keyspace).value(),
                [&stop] { stop.Raise(); });
  if (const Status status = engine.Start(*listeners); !status.ok()) {
    engine.Stop();
    return Fail(status.error());
  }
  if (const Status status = engine.WritePortFile(*listeners); !status.ok()) {
    engine.Stop();
    return Fail(status.error());
  }
  const auto reload = [&engine] { engine.ReloadPasswords(); };
  while (stop.Wait(reload) && !engine.SaveAtEnd()) {
    Log(LogLevel::kWarning, "server", "not stopping: the snapshot could not be saved");
  }
  Log(LogLevel::kNotice, "server", "stopping");
  engine.Stop();
  return 0;
}

}  // namespace mikura::engine
