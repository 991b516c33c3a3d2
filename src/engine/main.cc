// SPDX-License-Identifier: Apache-2.0
// Builds every object of the engine in order and starts it: the only place where all parts meet.
#include "engine/main.h"

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/logging.h"
#include "engine/commands/command_table.h"
#include "engine/commands/stream_executor.h"
#include "engine/keyspace/keyspace.h"
#include "engine/persistence/snapshot.h"
#include "engine/replication/replication_service.h"
#include "engine/server/admin_server.h"
#include "engine/server/engine_control.h"
#include "engine/server/listening.h"
#include "engine/server/loop_group.h"
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

void RaiseFileLimit(int64_t clients) {
  const auto wanted = static_cast<rlim_t>(clients) + 128;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? wanted : std::min(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    Log(LogLevel::kWarning, "server", "only {} file descriptors: fewer than maxclients asks for",
        limit.rlim_cur);
  }
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

// Waits for SIGINT, SIGTERM, or a word from inside that the process is to end.
class StopSignal {
 public:
  StopSignal() : event_(eventfd(0, EFD_CLOEXEC)) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    // Blocked before any thread starts: all inherit it, only Wait() sees them.
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_.Reset(signalfd(-1, &set, SFD_CLOEXEC));
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
  }
  void Raise() { eventfd_write(event_.get(), 1); }
  void Wait() {
    pollfd waiting[] = {{signals_.get(), POLLIN, 0}, {event_.get(), POLLIN, 0}};
    while (poll(waiting, 2, -1) < 0 && errno == EINTR) {
    }
  }

 private:
  UniqueFd event_;
  UniqueFd signals_;
};

int RunEngine(wire::ParameterSet& parameters, const std::string& config_file,
              const MemcachedSettings& memcached_settings) {
  const auto current = parameters.Current();
  StopSignal stop;
  if (const Status status = EnterDirectory(*current); !status.ok()) return Fail(status.error());
  RaiseFileLimit(current->maxclients);

  const SystemClock clock;
  NodeState node;
  BindNodeState(parameters, node);
  auto keyspace_or_error = Keyspace::Create(
      {.database_count = static_cast<int>(current->databases), .hash_seed = RandomNumber()});
  if (!keyspace_or_error.ok()) return Fail(keyspace_or_error.error());
  Keyspace& keyspace = **keyspace_or_error;

  // Listening begins before anything is started, so that a taken port ends the process at once.
  auto listeners = OpenListeners(*current);
  if (!listeners.ok()) return Fail(listeners.error());

  const CommandTable table;
  const std::string run_id =
      fmt::format("{:016x}{:016x}{:08x}", RandomNumber(), RandomNumber(), RandomNumber() >> 32);
  EngineControl control(parameters, keyspace, node, clock, run_id, config_file,
                        [&stop] { stop.Raise(); });
  LoopGroup* loops_for_kill = nullptr;
  ServerClientRegistry clients(
      [&loops_for_kill](uint32_t loop, uint64_t id) { loops_for_kill->KillClient(loop, id); });
  ParameterAdapter adapter(parameters);
  Services services{clients, adapter, control};
  Dispatcher dispatcher(keyspace, table, services, node);
  MemcachedBackend memcached(keyspace, parameters, node, clock, memcached_settings,
                             [&stop] { stop.Raise(); });
  LoopContext context{keyspace, dispatcher, memcached, clients, node, clock};
  context.protected_mode = [&parameters] {
    const auto now = parameters.Current();
    return now->protected_mode && now->requirepass.empty();
  };
  SnapshotSlots snapshot_slots;
  StreamExecutor stream_executor(keyspace, table, services);
  ReplicationService replication(
      keyspace, snapshot_slots, stream_executor,
      [&parameters] { return ReplicationSettingsOf(*parameters.Current()); },
      SwitchRole(node, keyspace));
  control.SetReplication(replication);
  context.adopt_replica = [&replication](UniqueFd fd, const ClientState& client,
                                         std::string received) {
    replication.Adopt(std::move(fd), client.replica, std::move(received));
  };
  const uint32_t threads =
      current->threads > 0 ? static_cast<uint32_t>(current->threads) : AvailableCores();
  LoopGroup loops(threads, context);
  loops_for_kill = &loops;
  control.SetLoops(loops);
  memcached.SetLoops(loops, clients);
  AdminServer admin({control, loops, clients, memcached, current->node_id});

  loops.Start();
  for (auto& listener : *listeners) loops.StartListening(listener);
  if (const Status status = FollowConfiguredPrimary(*current, replication); !status.ok()) {
    return Fail(status.error());
  }
  if (!current->admin_socket.empty()) {
    if (const Status status = admin.Start(current->admin_socket); !status.ok()) {
      return Fail(status.error());
    }
  }
  Log(LogLevel::kNotice, "server", "ready: {} threads, port {}, memcached port {}, pid {}", threads,
      current->port, current->memcached_port, getpid());
  stop.Wait();
  Log(LogLevel::kNotice, "server", "stopping");
  admin.Stop();
  loops.Stop();
  replication.Stop();
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
      {"memcached-port", std::to_string(flags.unix_socket.empty() ? flags.port : 0)},
      {"bind", addresses},
      {"protected-mode", "no"},  // as memcached: -l decides who can reach it
      {"maxmemory", std::to_string(flags.memory_limit_bytes)},
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
  if (!flags->unix_socket.empty()) {
    return Fail(Error{"-s: a Unix socket for the memcached protocol is not available yet"});
  }
  wire::ParameterSet parameters;
  if (const Status status = LoadFlags(*flags, parameters); !status.ok()) {
    return Fail(status.error());
  }
  if (flags->daemon && daemon(1, 0) != 0) {
    return Fail(Error{fmt::format("-d: cannot become a daemon: {}", std::strerror(errno))});
  }
  return RunEngine(parameters, "", SettingsOf(*flags));
}

}  // namespace mikura::engine
