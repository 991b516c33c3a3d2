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
#include <thread>

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

// Whoever keeps logs short has moved the file (SIGHUP): it begins anew.
void ReopenLog(const wire::EngineParameters& current) {
  if (current.logfile.empty() || SetLogFile(current.logfile)) return;
  Log(LogLevel::kWarning, "server", "cannot write the log {}: {}", current.logfile,
      std::strerror(errno));
}

// Waits for SIGINT, SIGTERM, SIGUSR1, or a word from inside that the process is to end; SIGHUP
// meanwhile asks for the log file to be opened and password files to be read again.
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
  enum class Reason : uint8_t { kSignal, kWord, kNone };
  // Returns when the process is to end: by a signal, or by a word from inside. Calls `reload` for
  // each SIGHUP. kNone: `until` became readable.
  Reason Wait(const std::function<void()>& reload, int until = -1) {
    pollfd waiting[] = {{signals_.get(), POLLIN, 0}, {event_.get(), POLLIN, 0}, {until, POLLIN, 0}};
    while (true) {
      if (poll(waiting, 3, -1) < 0) continue;
      if (waiting[1].revents != 0) return Reason::kWord;
      if (waiting[0].revents == 0) return Reason::kNone;
      signalfd_siginfo info{};
      if (read(signals_.get(), &info, sizeof info) != sizeof info) continue;
      if (info.ssi_signo != SIGHUP) return Reason::kSignal;
      reload();
    }
  }

 private:
  UniqueFd event_;
  UniqueFd signals_;
};

// Starts the engine; who asks the process to end meanwhile (`reason`) does not wait until the data
// are loaded.
Status StartUnlessStopped(Engine& engine, const wire::EngineParameters& current, StopSignal& stop,
                          StopSignal::Reason& reason,
                          const std::vector<std::shared_ptr<Listener>>& listeners) {
  const UniqueFd started(eventfd(0, EFD_CLOEXEC));
  bool must_reload = false;
  std::thread watch([&] {
    const auto reload = [&] {
      ReopenLog(current);
      must_reload = true;
    };
    reason = stop.Wait(reload, started.get());
    if (reason != StopSignal::Reason::kNone) engine.InterruptLoading();
  });
  Status status = engine.Start(listeners);
  eventfd_write(started.get(), 1);
  watch.join();
  if (must_reload && status.ok()) engine.ReloadPasswords();
  return status;
}

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
  auto reason = StopSignal::Reason::kNone;
  if (const Status status = StartUnlessStopped(engine, *current, stop, reason, *listeners);
      !status.ok()) {
    engine.Stop();
    if (reason == StopSignal::Reason::kNone) return Fail(status.error());
    Log(LogLevel::kNotice, "server", "stopped before it was ready: {}", status.error().message);
    return 0;
  }
  if (const Status status = engine.WritePortFile(*listeners); !status.ok()) {
    engine.Stop();
    return Fail(status.error());
  }
  const auto reload = [&engine, &current] {
    ReopenLog(*current);
    engine.ReloadPasswords();
  };
  if (reason == StopSignal::Reason::kNone) reason = stop.Wait(reload);
  while (reason == StopSignal::Reason::kSignal && !engine.SaveAtEnd()) {
    Log(LogLevel::kWarning, "server", "not stopping: the snapshot could not be saved");
    reason = stop.Wait(reload);
  }
  Log(LogLevel::kNotice, "server", "stopping");
  engine.Stop();
  return 0;
}

}  // namespace mikura::engine
