// SPDX-License-Identifier: Apache-2.0
#include "control/agent/node_supervisor.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "base/logging.h"
#include "base/numbers.h"
#include "control/agent/engine_state.h"
#include "control/agent/node_log_file.h"

namespace mikura::control {
namespace {

using SteadyClock = std::chrono::steady_clock;

bool SameSight(const NodeObservation& a, const NodeObservation& b) {
  return a.process == b.process && a.answering == b.answering && a.is_primary == b.is_primary &&
         a.loading == b.loading && a.follows == b.follows && a.link_up == b.link_up &&
         a.listeners == b.listeners && a.users_hash == b.users_hash && a.tls_mode == b.tls_mode &&
         a.certificate_end == b.certificate_end;
}

// What the engine wrote last, if that is why it ended: ": cannot load ...". Else empty.
std::string LastWords(const std::string& log_file) {
  constexpr std::string_view kMark = "mikura: ";
  constexpr std::streamoff kTail = 4096;
  std::ifstream log(log_file, std::ios::ate);
  if (!log) return "";
  log.seekg(std::max<std::streamoff>(static_cast<std::streamoff>(log.tellg()) - kTail, 0));
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) last = line;
  }
  return last.rfind(kMark, 0) == 0 ? ": " + last.substr(kMark.size()) : "";
}

}  // namespace

NodeSupervisor::NodeSupervisor(std::string node_id, NodePaths paths, ProcessHandle process,
                               const AgentTimings& timings, EndpointSockets& sockets,
                               std::function<void()> changed)
    : node_id_(std::move(node_id)),
      paths_(std::move(paths)),
      process_(std::move(process)),
      timings_(timings),
      sockets_(sockets),
      changed_(std::move(changed)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  observation_.process = NodeObservation::Process::kRunning;
  observation_.process_id = fmt::format("{}-{}", process_.pid, process_.start_time);
  thread_ = std::thread([this] { Run(); });
}

NodeSupervisor::~NodeSupervisor() {
  {
    MutexLock lock(mutex_);
    leave_requested_ = true;
  }
  eventfd_write(wake_.get(), 1);
  thread_.join();
}

NodeObservation NodeSupervisor::Observation() {
  MutexLock lock(mutex_);
  return observation_;
}

void NodeSupervisor::RequestStop() {
  {
    MutexLock lock(mutex_);
    stop_requested_ = true;
  }
  eventfd_write(wake_.get(), 1);
}

bool NodeSupervisor::Wait(SteadyClock::time_point until) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count();
  pollfd waited[] = {{process_.pidfd.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
  poll(waited, 2, static_cast<int>(std::max<int64_t>(left, 0)));
  eventfd_t requests = 0;
  if ((waited[1].revents & POLLIN) != 0) eventfd_read(wake_.get(), &requests);
  return (waited[0].revents & POLLIN) != 0;
}

void NodeSupervisor::Run() {
  const SteadyClock::time_point started = SteadyClock::now();
  SteadyClock::time_point next = started;
  bool answered = false;
  int misses = 0;
  while (!Wait(next)) {
    bool stop = false;
    {
      MutexLock lock(mutex_);
      if (leave_requested_) return;
      stop = stop_requested_;
    }
    if (stop) {
      EndProcess();
      break;
    }
    const SteadyClock::time_point now = SteadyClock::now();
    if (now < next) continue;
    const ProbeOutcome outcome = Probe();
    // Silence is a hang at any time; a refused connection is one only after the start.
    if (outcome == ProbeOutcome::kAnswered) {
      answered = true;
      misses = 0;
      TendLog();
    } else if (answered || outcome == ProbeOutcome::kSilent) {
      ++misses;
    }
    if (Hangs(misses) || (!answered && now - started > timings_.start_timeout)) {
      Log(LogLevel::kWarning, "agent", "node {} (pid {}) does not answer: killing it", node_id_,
          process_.pid);
      Kill();
    }
    next = now + (answered && Settled() ? timings_.probe_interval : timings_.settle_interval);
  }
  NodeObservation gone;
  gone.process = NodeObservation::Process::kExited;
  gone.exit_reason = ExitReason(process_) + LastWords(paths_.log_file);
  Log(LogLevel::kNotice, "agent", "node {} (pid {}): {}", node_id_, process_.pid, gone.exit_reason);
  Publish(std::move(gone));
}

bool NodeSupervisor::Hangs(int misses) const {
  if (misses < timings_.probe_misses_max) return false;
  return misses >= timings_.probe_misses_striving_max || !IsStriving(process_);
}

bool NodeSupervisor::Settled() {
  MutexLock lock(mutex_);
  if (observation_.loading) return false;
  return !observation_.answering || observation_.is_primary || observation_.link_up;
}

NodeSupervisor::ProbeOutcome NodeSupervisor::Probe() {
  MutexLock lock(probe_mutex_);
  auto client = AdminClient::Connect(paths_.admin_socket, timings_.probe_timeout);
  NodeObservation seen = Observation();
  if (seen.Gone()) return ProbeOutcome::kRefused;
  if (!client.ok()) {
    seen.answering = false;
    Publish(std::move(seen));
    return ProbeOutcome::kRefused;
  }
  Result<NodeObservation> answer = Ask(*client);
  if (answer.ok()) {
    answer->process = NodeObservation::Process::kRunning;
    answer->process_id = seen.process_id;
    Publish(std::move(answer).value());
    return ProbeOutcome::kAnswered;
  }
  Log(LogLevel::kDebug, "agent", "node {}: {}", node_id_, answer.error().message);
  seen.answering = false;
  Publish(std::move(seen));
  return ProbeOutcome::kSilent;
}

Result<NodeObservation> NodeSupervisor::Ask(AdminClient& client) {
  RETURN_IF_ERROR(client.Call({"PING"}));
  ASSIGN_OR_RETURN(const AdminReply info, client.Call({"INFO", "replication", "persistence"}));
  ASSIGN_OR_RETURN(const AdminReply listeners, client.Call({"MIKURA", "LISTENERS"}));
  if (!met_) RETURN_IF_ERROR(FirstMeeting(client, listeners.items));
  const EngineState state = ParseReplicationInfo(info.text);
  NodeObservation seen;
  seen.answering = true;
  seen.is_primary = state.is_primary;
  seen.loading = state.reads_file;
  seen.follows = state.follows;
  seen.link_up = state.link_up;
  seen.listeners = listeners.items;
  // Last, because an engine of an earlier version refuses it.
  const auto access = client.Call({"MIKURA", "ACCESS"});
  if (access.ok() && access->items.size() == 3) {
    seen.users_hash = access->items[0];
    seen.tls_mode = access->items[1];
    seen.certificate_end = ParseInt64(access->items[2]).value_or(0);
  }
  return seen;
}

// Is it the node it should be? And what it accepts on is kept by us too, as before we were
// restarted.
Status NodeSupervisor::FirstMeeting(AdminClient& client,
                                    const std::vector<std::string>& listeners) {
  ASSIGN_OR_RETURN(const AdminReply name, client.Call({"MIKURA", "NODE"}));
  if (name.text != node_id_) {
    return Error{fmt::format("its admin socket is that of node {}", name.text)};
  }
  for (const std::string& listener : listeners) {
    RETURN_IF_ERROR(client.Call({"MIKURA", "LISTENER", listener}));
    FileDescriptor socket = client.TakeDescriptor();
    if (socket.valid()) sockets_.Keep(std::move(socket));
  }
  met_ = true;
  return Ok();
}

void NodeSupervisor::Publish(NodeObservation seen) {
  {
    MutexLock lock(mutex_);
    // The end of a process is final: a probe that was under way knows less.
    if (observation_.Gone() || SameSight(seen, observation_)) return;
    observation_ = std::move(seen);
  }
  changed_();
}

void NodeSupervisor::EndProcess() {
  auto client = AdminClient::Connect(paths_.admin_socket, timings_.probe_timeout);
  // An engine that ends at once may not answer any more; what counts is that it ends.
  if (client.ok()) static_cast<void>(client->Call({"SHUTDOWN", "NOSAVE"}).ok());
  const auto grace = client.ok() ? timings_.stop_grace : std::chrono::milliseconds(0);
  if (HasEnded(process_, static_cast<int>(grace.count()))) return;
  Kill();
  HasEnded(process_, -1);
}

void NodeSupervisor::KillNow() const {
  syscall(SYS_pidfd_send_signal, process_.pidfd.get(), SIGKILL, nullptr, 0);
}

void NodeSupervisor::TendLog() const {
  if (!MoveLargeLog(paths_)) return;
  syscall(SYS_pidfd_send_signal, process_.pidfd.get(), SIGHUP, nullptr, 0);
}

void NodeSupervisor::Kill() const {
  constexpr int kUsualEndMillis = 1000;
  KillNow();
  HasEnded(process_, kUsualEndMillis);
}

}  // namespace mikura::control
