// SPDX-License-Identifier: Apache-2.0
// Builds every object of the engine in order and starts it: the only place where all parts meet.
#include "engine/main.h"

#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "base/logging.h"
#include "engine/commands/command_table.h"
#include "engine/commands/stream_executor.h"
#include "engine/keyspace/keyspace.h"
#include "engine/net/socket.h"
#include "engine/persistence/snapshot.h"
#include "engine/replication/replication_service.h"
#include "engine/server/admin_server.h"
#include "engine/server/engine_control.h"
#include "engine/server/file_limit.h"
#include "engine/server/listening.h"
#include "engine/server/loop_group.h"
#include "engine/server/memcached_udp.h"
#include "engine/server/parameter_adapter.h"
#include "engine/server/replication_binding.h"
#include "wire/memcached_flags.h"
#include "wire/parameter_set.h"

namespace mikura::engine {
namespace {

int Fail(const Error& error) {
  std::fprintf(stderr, "mikura: %s\n", error.message.c_str());
  return 1;
}

uint64_t RandomNumber() {
  uint64_t number = 0;
  CHECK(getrandom(&number, sizeof(number), 0) == sizeof(number));
  return number;
}

// Cores this process may run on.
uint32_t AvailableCores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return static_cast<uint32_t>(std::max(1, CPU_COUNT(&cores)));
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

// Waits for SIGINT, SIGTERM, or a word from inside that the process is to end; SIGHUP meanwhile
// asks for password files to be read again.
class StopSignal {
 public:
  StopSignal() : event_(eventfd(0, EFD_CLOEXEC)) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    // Blocked before any thread starts: all inherit it, only Wait() sees them.
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_.Reset(signalfd(-1, &set, SFD_CLOEXEC));
    signal(SIGPIPE, SIG_IGN);
  }
  void Raise() { eventfd_write(event_.get(), 1); }
  // Returns when the process is to end; calls `reload` for each SIGHUP.
  void Wait(const std::function<void()>& reload) {
    pollfd waiting[] = {{signals_.get(), POLLIN, 0}, {event_.get(), POLLIN, 0}};
    while (true) {
      if (poll(waiting, 2, -1) < 0) continue;
      if (waiting[1].revents != 0) return;
      signalfd_siginfo info{};
      if (read(signals_.get(), &info, sizeof info) != sizeof info) continue;
      if (info.ssi_signo != SIGHUP) return;
      reload();
    }
  }

 private:
  UniqueFd event_;
  UniqueFd signals_;
};

// All parts of one node, in the order in which they are built and, backwards, taken down.
class Engine {
 public:
  Engine(wire::ParameterSet& parameters, const std::string& config_file,
         const MemcachedSettings& memcached_settings, std::unique_ptr<Keyspace> keyspace,
         StopSignal& stop)
      : parameters_(parameters),
        current_(parameters.Current()),
        keyspace_(std::move(keyspace)),
        control_(parameters, *keyspace_, node_, clock_, NewRunId(), config_file,
                 [&stop] { stop.Raise(); }),
        clients_([this](uint32_t loop, uint64_t id) { loops_->KillClient(loop, id); }),
        adapter_(parameters),
        services_{clients_, adapter_, control_},
        dispatcher_(*keyspace_, table_, services_, node_),
        memcached_(*keyspace_, parameters, node_, clock_, memcached_settings,
                   [&stop] { stop.Raise(); }),
        udp_port_(memcached_settings.udp_port),
        udp_(*keyspace_, memcached_, clock_),
        stream_executor_(*keyspace_, table_, services_),
        replication_(
            *keyspace_, snapshot_slots_, stream_executor_,
            [&parameters] { return ReplicationSettingsOf(*parameters.Current()); },
            SwitchRole(node_, *keyspace_)),
        context_{*keyspace_, dispatcher_, memcached_, clients_, node_, clock_} {
    BindNodeState(parameters_, node_, services_);
    BindEviction(parameters_, *keyspace_);
    BindDefragmentation(parameters_, *keyspace_);
    context_.protected_mode = [this] {
      const auto now = parameters_.Current();
      return now->protected_mode && now->requirepass.empty();
    };
    context_.adopt_replica = [this](UniqueFd fd, const ClientState& client, std::string received) {
      replication_.Adopt(std::move(fd), client.replica, std::move(received));
    };
    loops_ = std::make_unique<LoopGroup>(ThreadCount(), context_);
    control_.SetLoops(*loops_);
    control_.SetReplication(replication_);
    control_.NoteStart();
    memcached_.SetLoops(*loops_, clients_);
    admin_ = std::make_unique<AdminServer>(
        AdminServer::Parts{control_, *loops_, clients_, memcached_, current_->node_id});
  }

  Status Start(const std::vector<std::shared_ptr<Listener>>& listeners) {
    RETURN_IF_ERROR(memcached_.LoadUsers());
    // The role comes first: a replica must not take a write while it finds its primary.
    RETURN_IF_ERROR(FollowConfiguredPrimary(*current_, replication_));
    if (udp_port_ != 0) {
      std::istringstream addresses(current_->bind);
      std::string first;
      addresses >> first;
      RETURN_IF_ERROR(udp_.Start(first, std::max(udp_port_, 0)));
      memcached_.SetUdp(udp_);
    }
    loops_->Start();
    for (const auto& listener : listeners) loops_->StartListening(listener);
    if (!current_->admin_socket.empty()) {
      RETURN_IF_ERROR(admin_->Start(current_->admin_socket));
    }
    Log(LogLevel::kNotice, "server", "ready: {} threads, port {}, memcached port {}, pid {}",
        ThreadCount(), current_->port, current_->memcached_port, getpid());
    return Ok();
  }

  void ReloadPasswords() {
    const Status status = memcached_.LoadUsers();
    if (!status.ok()) {
      Log(LogLevel::kWarning, "server", "the passwords stay as they were: {}",
          status.error().message);
    }
  }

  // As memcached, for start scripts that let it choose: names the ports in the file that
  // MEMCACHED_PORT_FILENAME names.
  Status WritePortFile(const std::vector<std::shared_ptr<Listener>>& listeners) const {
    const char* name = std::getenv("MEMCACHED_PORT_FILENAME");
    if (name == nullptr || *name == '\0') return Ok();
    std::string text;
    for (const auto& listener : listeners) {
      const int port = LocalPort(listener->fd.get());
      if (listener->protocol != Protocol::kMemcached || port == 0) continue;
      const bool is_v6 = LocalAddress(listener->fd.get()).starts_with("[");
      text += fmt::format("TCP INET{}: {}\n", is_v6 ? "6" : "", port);
    }
    if (udp_port_ != 0) text += fmt::format("UDP INET: {}\n", LocalPort(udp_.fd()));
    // Complete before it has its name: whoever waits for the file may read it at once.
    const std::string temporary = std::string(name) + ".lck";
    std::ofstream file(temporary);
    file << text;
    file.close();
    if (!file || std::rename(temporary.c_str(), name) != 0) {
      return Error{fmt::format("cannot write the port file {}", name)};
    }
    return Ok();
  }

  void Stop() {
    admin_->Stop();
    loops_->Stop();
    udp_.Stop();
    replication_.Stop();
  }

 private:
  static std::string NewRunId() {
    return fmt::format("{:016x}{:016x}{:08x}", RandomNumber(), RandomNumber(),
                       RandomNumber() >> 32);
  }
  uint32_t ThreadCount() const {
    return current_->threads > 0 ? static_cast<uint32_t>(current_->threads) : AvailableCores();
  }

  wire::ParameterSet& parameters_;
  const std::shared_ptr<const wire::EngineParameters> current_;  // as they were at the start
  const SystemClock clock_;
  NodeState node_;
  const std::unique_ptr<Keyspace> keyspace_;
  const CommandTable table_;
  EngineControl control_;
  ServerClientRegistry clients_;
  ParameterAdapter adapter_;
  Services services_;
  Dispatcher dispatcher_;
  MemcachedBackend memcached_;
  const int udp_port_;
  MemcachedUdpServer udp_;
  SnapshotSlots snapshot_slots_;
  StreamExecutor stream_executor_;
  ReplicationService replication_;
  LoopContext context_;
  std::unique_ptr<LoopGroup> loops_;
  std::unique_ptr<AdminServer> admin_;
};

// Sockets of `mikura memcached` that parameters do not name.
struct MemcachedSockets {
  std::string unix_path;  // -s; empty: none
  unsigned unix_mode = 0700;
  bool any_port = false;     // -p -1
  bool may_be_none = false;  // memcached runs without any, as -p 0 asks
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

int RunEngine(wire::ParameterSet& parameters, const std::string& config_file,
              const MemcachedSettings& memcached_settings, const MemcachedSockets& sockets = {}) {
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
  Engine engine(parameters, config_file, memcached_settings, std::move(keyspace).value(), stop);
  if (const Status status = engine.Start(*listeners); !status.ok()) {
    engine.Stop();
    return Fail(status.error());
  }
  if (const Status status = engine.WritePortFile(*listeners); !status.ok()) {
    engine.Stop();
    return Fail(status.error());
  }
  stop.Wait([&engine] { engine.ReloadPasswords(); });
  Log(LogLevel::kNotice, "server", "stopping");
  engine.Stop();
  return 0;
}

Status LoadConfigFile(const std::string& path, wire::ParameterSet& parameters) {
  std::ostringstream text;
  if (path == "-") {
    text << std::ifstream("/dev/stdin").rdbuf();
  } else {
    std::ifstream file(path);
    if (!file) {
      return Error{fmt::format("cannot read the configuration {}: {}", path, std::strerror(errno))};
    }
    text << file.rdbuf();
  }
  return parameters.LoadText(text.str(), path);
}

// Memcached's flags as parameters of an engine without a RESP port.
Status LoadFlags(const wire::MemcachedFlags& flags, wire::ParameterSet& parameters) {
  std::string addresses;
  for (const std::string& address : flags.addresses) addresses += address + " ";
  if (addresses.empty()) addresses = "* -::*";
  const std::pair<std::string_view, std::string> settings[] = {
      {"port", "0"},
      {"memcached-port", std::to_string(flags.unix_socket.empty() ? std::max(flags.port, 0) : 0)},
      {"bind", addresses},
      {"protected-mode", "no"},  // as memcached: -l decides who can reach it
      {"maxmemory", std::to_string(flags.memory_limit_bytes)},
      {"maxmemory-policy", flags.evictions ? "allkeys-s3fifo" : "noeviction"},
      {"maxclients", std::to_string(flags.connections_max)},
      {"threads", std::to_string(flags.threads)},
      {"tcp-backlog", std::to_string(flags.backlog)},
      {"timeout", std::to_string(flags.idle_timeout_seconds)},
      {"pidfile", flags.pid_file},
  };
  for (const auto& [name, value] : settings) {
    const std::vector<std::string> words =
        name == "bind" ? wire::SplitWords(value).value() : std::vector<std::string>{value};
    RETURN_IF_ERROR(parameters.Load(name, words));
  }
  return Ok();
}

// -r and -u. Before anything is opened, as memcached.
Status BecomeUser(const wire::MemcachedFlags& flags) {
  if (flags.core_dumps) {
    rlimit limit{};
    getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_CORE, &limit) != 0) return Error{"-r: core files cannot be allowed"};
  }
  if (flags.user.empty() || geteuid() != 0) return Ok();
  const passwd* entry = getpwnam(flags.user.c_str());
  if (entry == nullptr) return Error{fmt::format("-u: there is no user {}", flags.user)};
  if (setgroups(0, nullptr) != 0 || setgid(entry->pw_gid) != 0 || setuid(entry->pw_uid) != 0) {
    return Error{fmt::format("-u: cannot become {}: {}", flags.user, std::strerror(errno))};
  }
  return Ok();
}

// -k. After the fork of -d: a child does not inherit locked memory. Pages are locked when they are
// first used: the region of entries is reserved far larger than it is.
Status LockMemory(const wire::MemcachedFlags& flags) {
  if (!flags.lock_memory || mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) return Ok();
  return Error{fmt::format("-k: memory cannot be locked: {}", std::strerror(errno))};
}

MemcachedSettings SettingsOf(const wire::MemcachedFlags& flags) {
  MemcachedSettings settings;
  settings.item_size_max = flags.item_size_max;
  settings.flush_all_enabled = flags.flush_all_enabled;
  settings.shutdown_enabled = flags.shutdown_enabled;
  settings.evictions = flags.evictions;
  settings.port = flags.port;
  settings.backlog = flags.backlog;
  settings.threads = static_cast<int>(flags.threads);
  settings.verbosity = flags.verbosity;
  settings.connections_max = flags.connections_max;
  settings.protocol = flags.protocol;
  settings.auth_file = flags.auth_file;
  if (flags.sasl) settings.sasl_file = std::getenv("MEMCACHED_SASL_PWDB");
  settings.cas_enabled = flags.cas_enabled;
  settings.dump_enabled = flags.dump_enabled;
  settings.watch_enabled = flags.watch_enabled;
  settings.detail_enabled = flags.detail_enabled;
  settings.prefix_delimiter = flags.prefix_delimiter;
  settings.maxconns_fast = flags.maxconns_fast;
  settings.requests_per_event = flags.requests_per_event;
  settings.udp_port = flags.udp_port;
  settings.idle_timeout_seconds = flags.idle_timeout_seconds;
  settings.watcher_buffer_bytes = flags.watcher_buffer_bytes;
  settings.unix_mask = static_cast<unsigned>(flags.unix_mask);
  settings.unix_socket = flags.unix_socket;
  settings.shown = flags.shown;
  for (const std::string& address : flags.addresses) {
    settings.interface += (settings.interface.empty() ? "" : ",") + address;
  }
  return settings;
}

}  // namespace

int EngineMain(std::span<const std::string_view> arguments) {
  const auto line = wire::ParseEngineCommandLine(arguments);
  if (!line.ok()) return Fail(line.error());
  wire::ParameterSet parameters;
  if (!line->config_file.empty()) {
    const Status status = LoadConfigFile(line->config_file, parameters);
    if (!status.ok()) return Fail(status.error());
  }
  for (const auto& option : line->options) {
    const Status status = parameters.Load(option.name, option.words);
    if (!status.ok()) return Fail(status.error());
  }
  MemcachedSettings memcached_settings;
  memcached_settings.item_size_max = parameters.Current()->memcached_max_item_size_bytes;
  memcached_settings.port = static_cast<int>(parameters.Current()->memcached_port);
  return RunEngine(parameters, line->config_file, memcached_settings);
}

int MemcachedMain(std::span<const std::string_view> arguments) {
  const auto flags = wire::ParseMemcachedFlags(arguments);
  if (!flags.ok()) return Fail(flags.error());
  if (flags->show == wire::MemcachedFlags::Show::kHelp) {
    std::fputs(wire::MemcachedHelp().c_str(), stdout);
    return 0;
  }
  if (flags->show != wire::MemcachedFlags::Show::kNothing) {
    std::puts("memcached 1.6.18 (mikura 0.1.0), Apache License 2.0");
    return 0;
  }
  const char* const sasl_file = std::getenv("MEMCACHED_SASL_PWDB");
  if (flags->sasl && (sasl_file == nullptr || *sasl_file == '\0')) {
    return Fail(
        Error{"-S (--enable-sasl): set MEMCACHED_SASL_PWDB to a file with a line user:password for "
              "each"});
  }
  wire::ParameterSet parameters;
  if (const Status status = LoadFlags(*flags, parameters); !status.ok()) {
    return Fail(status.error());
  }
  if (const Status status = BecomeUser(*flags); !status.ok()) return Fail(status.error());
  if (flags->daemon && daemon(1, 0) != 0) {
    return Fail(Error{fmt::format("-d: cannot become a daemon: {}", std::strerror(errno))});
  }
  if (const Status status = LockMemory(*flags); !status.ok()) return Fail(status.error());
  return RunEngine(
      parameters, "", SettingsOf(*flags),
      {flags->unix_socket, static_cast<unsigned>(flags->unix_mask), flags->port == -1, true});
}

}  // namespace mikura::engine
