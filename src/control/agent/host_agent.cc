// SPDX-License-Identifier: Apache-2.0
#include "control/agent/host_agent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "base/logging.h"
#include "base/numbers.h"
#include "control/agent/access_files.h"
#include "control/agent/engine_process.h"
#include "control/agent/engine_state.h"
#include "control/model/secret_hash.h"

namespace mikura::control {
namespace {

// Whether some process holds the node's lock.
bool IsLocked(const std::string& path) {
  const FileDescriptor lock(open(path.c_str(), O_RDWR | O_CLOEXEC));
  return lock.valid() && flock(lock.get(), LOCK_EX | LOCK_NB) != 0;
}

}  // namespace

Result<std::unique_ptr<HostAgent>> HostAgent::Open(const HostAgentOptions& options) {
  if (options.data_dir.size() > DataDirBytesMax()) {
    return Error{
        fmt::format("the data directory {} has a path of more than {} bytes, which is "
                    "too long for the sockets in it",
                    options.data_dir, DataDirBytesMax())};
  }
  for (const char* folder : {"/nodes", "/run", "/snapshots"}) {
    std::error_code failure;
    std::filesystem::create_directories(options.data_dir + folder, failure);
    if (failure) {
      return Error{
          fmt::format("cannot create {}{}: {}", options.data_dir, folder, failure.message())};
    }
  }
  ASSIGN_OR_RETURN(std::string link_key, LoadLinkKey(options.data_dir + "/link.key"));
  ASSIGN_OR_RETURN(CertificateAuthority authority,
                   CertificateAuthority::Open(options.data_dir + "/tls"));
  std::unique_ptr<HostAgent> agent(
      new HostAgent(options, std::move(link_key), std::move(authority)));
  agent->AdoptAll();
  return agent;
}

HostAgent::~HostAgent() { supervisors_.clear(); }

void HostAgent::AdoptAll() {
  const std::map<std::string, pid_t> engines = FindEngines();
  std::error_code failure;
  std::filesystem::directory_iterator entry(options_.data_dir + "/nodes", failure);
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    const std::string node_id = entry->path().filename();
    if (!Adopt(node_id, engines)) continue;
    // Fetches the sockets it accepts on: from here on its end closes none of them.
    Find(node_id)->Refresh();
    Log(LogLevel::kInfo, "agent", "adopted the running node {}", node_id);
  }
}

bool HostAgent::Adopt(const std::string& node_id, const std::map<std::string, pid_t>& engines) {
  const NodePaths paths = PathsOf(options_.data_dir, node_id);
  const auto found = engines.find(paths.config_file);
  if (found == engines.end()) return false;
  auto process = HoldEngine(found->second, paths.config_file);
  if (!process) return false;
  Supervise(node_id, std::move(*process));
  return true;
}

void HostAgent::Supervise(const std::string& node_id, ProcessHandle process) {
  supervisors_[node_id] = std::make_unique<NodeSupervisor>(
      node_id, PathsOf(options_.data_dir, node_id), std::move(process), options_.timings, sockets_,
      [this] { Changed(); });
}

NodeSupervisor* HostAgent::Find(const std::string& node_id) {
  const auto found = supervisors_.find(node_id);
  return found == supervisors_.end() ? nullptr : found->second.get();
}

void HostAgent::StopAll() {
  for (auto& [id, supervisor] : supervisors_) supervisor->RequestStop();
  for (auto& [id, supervisor] : supervisors_) supervisor->AwaitEnd();
}

size_t HostAgent::CountRunning() {
  return static_cast<size_t>(
      std::count_if(supervisors_.begin(), supervisors_.end(),
                    [](const auto& entry) { return !entry.second->Observation().Gone(); }));
}

NodeObservation HostAgent::Observe(const std::string& node_id) {
  NodeSupervisor* supervisor = Find(node_id);
  return supervisor == nullptr ? NodeObservation() : supervisor->Observation();
}

Status HostAgent::Start(const NodeLaunch& launch) {
  if (!Observe(launch.id).Gone()) return Ok();
  if (without_access_.count(launch.id) != 0) return Error{"it cannot be told who may use it"};
  const NodePaths paths = PathsOf(options_.data_dir, launch.id);
  // A process we do not know: started by an agent that was killed before it was seen.
  if (IsLocked(paths.lock_file) && Adopt(launch.id, FindEngines())) return Ok();
  NodeLaunch fitted = launch;
  const int64_t processors = std::max<int64_t>(1, std::thread::hardware_concurrency());
  fitted.threads = std::clamp<int64_t>(launch.threads, 1, processors);
  if (!launch.data_source.empty() && launch.primary.empty()) {
    const auto file = snapshots_.FileOf(launch.data_source);
    if (!file.ok()) return Error{fmt::format("{}: {}", kCannotLoad, file.error().message)};
    fitted.data_source = *file;
  }
  ASSIGN_OR_RETURN(ProcessHandle process, StartEngine(options_.engine_binary, fitted, paths));
  Log(LogLevel::kInfo, "agent", "started node {} (pid {}) at {}:{}", launch.id, process.pid,
      launch.endpoint.address, launch.endpoint.port);
  Supervise(launch.id, std::move(process));
  return Ok();
}

void HostAgent::Stop(const std::string& node_id) {
  if (NodeSupervisor* supervisor = Find(node_id)) supervisor->RequestStop();
}

void HostAgent::Kill(const std::string& node_id) {
  if (NodeSupervisor* supervisor = Find(node_id)) supervisor->KillNow();
}

Status HostAgent::Forget(const std::string& node_id) {
  if (!Observe(node_id).Gone()) return Error{"node " + node_id + " is still running"};
  const NodePaths paths = PathsOf(options_.data_dir, node_id);
  if (IsLocked(paths.lock_file)) {
    Adopt(node_id, FindEngines());
    return Error{"node " + node_id + " is still running"};
  }
  supervisors_.erase(node_id);
  logs_.Finish(node_id);
  without_access_.erase(node_id);
  unlink(paths.admin_socket.c_str());
  std::error_code failure;
  std::filesystem::remove_all(paths.directory, failure);
  if (failure) {
    return Error{fmt::format("cannot remove {}: {}", paths.directory, failure.message())};
  }
  return Ok();
}

Result<AdminReply> HostAgent::Call(const std::string& node_id,
                                   const std::vector<std::string>& arguments, int passed) {
  const NodePaths paths = PathsOf(options_.data_dir, node_id);
  ASSIGN_OR_RETURN(AdminClient client,
                   AdminClient::Connect(paths.admin_socket, options_.timings.admin_timeout));
  return client.Call(arguments, passed);
}

Status HostAgent::Tell(const std::string& node_id, const std::vector<std::string>& arguments,
                       int passed) {
  RETURN_IF_ERROR(Call(node_id, arguments, passed));
  if (NodeSupervisor* supervisor = Find(node_id)) supervisor->Refresh();
  return Ok();
}

Result<int64_t> HostAgent::UsedBytes(const std::string& node_id) {
  ASSIGN_OR_RETURN(const AdminReply info, Call(node_id, {"INFO", "memory"}));
  const auto used = ParseUsedMemory(info.text);
  if (!used) return Error{"INFO memory names no used_memory"};
  return *used;
}

Result<ReplicaPosition> HostAgent::Position(const std::string& node_id) {
  ASSIGN_OR_RETURN(const AdminReply info, Call(node_id, {"INFO", "replication"}));
  const EngineState state = ParseReplicationInfo(info.text);
  return ReplicaPosition{state.offset, state.loading};
}

Status HostAgent::Promote(const std::string& node_id, int64_t epoch) {
  return Tell(node_id, {"MIKURA", "PROMOTE", std::to_string(epoch)});
}

Status HostAgent::Follow(const std::string& node_id, int64_t epoch, const Endpoint& primary) {
  return Tell(node_id, {"MIKURA", "FOLLOW", std::to_string(epoch), primary.address,
                        std::to_string(primary.port)});
}

Result<int64_t> HostAgent::HoldWrites(const std::string& node_id, std::chrono::milliseconds time) {
  ASSIGN_OR_RETURN(const AdminReply reply,
                   Call(node_id, {"MIKURA", "HOLD", std::to_string(time.count())}));
  const auto end = ParseInt64(reply.text);
  if (!end) return Error{"admin socket: HOLD was answered with " + reply.text};
  return *end;
}

Status HostAgent::StepDown(const std::string& node_id, int64_t epoch, const Endpoint& primary,
                           int64_t position) {
  return Tell(node_id, {"MIKURA", "STEPDOWN", std::to_string(epoch), primary.address,
                        std::to_string(primary.port), std::to_string(position)});
}

Status HostAgent::Listen(const std::string& node_id, const std::string& name,
                         const Endpoint& endpoint, ListenerProtocol protocol) {
  ASSIGN_OR_RETURN(const std::shared_ptr<FileDescriptor> socket, sockets_.Acquire(endpoint));
  const char* spoken = protocol == ListenerProtocol::kResp        ? "resp"
                       : protocol == ListenerProtocol::kMemcached ? "memcached"
                                                                  : "memcached-tls";
  return Tell(node_id, {"MIKURA", "LISTEN", name, spoken}, socket->get());
}

Status HostAgent::Unlisten(const std::string& node_id, const std::string& name) {
  return Tell(node_id, {"MIKURA", "UNLISTEN", name});
}

void HostAgent::CloseEndpoint(const Endpoint& endpoint) { sockets_.Close(endpoint); }

Status HostAgent::SetClusterConfig(const std::string& node_id, int64_t version,
                                   const std::string& nodes) {
  return Tell(node_id, {"MIKURA", "CLUSTERCONFIG", std::to_string(version), nodes});
}

Status HostAgent::Configure(const std::string& node_id, const NodeSettings& settings) {
  std::vector<std::string> words = {"CONFIG", "SET"};
  for (const auto& [name, value] : settings) {
    words.push_back(name);
    words.push_back(value);
  }
  RETURN_IF_ERROR(Call(node_id, words));
  return Ok();
}

Result<NodeSettings> HostAgent::Configuration(const std::string& node_id,
                                              const std::vector<std::string>& names) {
  std::vector<std::string> words = {"CONFIG", "GET"};
  words.insert(words.end(), names.begin(), names.end());
  ASSIGN_OR_RETURN(const AdminReply reply, Call(node_id, words));
  if (reply.items.size() % 2 != 0) return Error{"node " + node_id + " answered nonsense"};
  NodeSettings settings;
  for (size_t i = 0; i < reply.items.size(); i += 2) {
    settings[reply.items[i]] = reply.items[i + 1];
  }
  return settings;
}

bool HostAgent::HasAccess(const std::string& node_id, const NodeAccess& access) {
  const NodeObservation seen = Observe(node_id);
  if (seen.Gone() || !seen.answering) return false;
  const AccessFiles wanted = AccessFilesOf(access, PathsOf(options_.data_dir, node_id), link_key_,
                                           authority_.certificate_file());
  if (seen.users_hash != HashSecret(wanted.users)) return false;
  if (!wanted.has_tls) return seen.tls_mode == "off";
  const auto left = std::chrono::seconds(seen.certificate_end - std::time(nullptr));
  return seen.tls_mode == access.tls_mode && left > options_.timings.certificate_left_min;
}

Status HostAgent::SetAccess(const std::string& node_id, const NodeAccess& access) {
  const NodePaths paths = PathsOf(options_.data_dir, node_id);
  const AccessFiles files = AccessFilesOf(access, paths, link_key_, authority_.certificate_file());
  without_access_.insert(node_id);
  RETURN_IF_ERROR(WriteAccessFiles(files, paths));
  if (files.has_tls) {
    RETURN_IF_ERROR(authority_.Provide(access.addresses, files.cert_file, files.key_file,
                                       options_.timings.certificate_life,
                                       options_.timings.certificate_left_min));
  }
  without_access_.erase(node_id);
  if (Observe(node_id).Gone()) return Ok();
  std::vector<std::string> settings = {"CONFIG", "SET"};
  for (const auto& [name, value] : files.settings) {
    settings.push_back(name);
    settings.push_back(value);
  }
  RETURN_IF_ERROR(Call(node_id, settings));
  return Tell(node_id, {"MIKURA", "USERS", files.users});
}

std::vector<LogDeliveryState> HostAgent::DeliverLogs(const std::string& node_id,
                                                     const std::vector<LogTarget>& targets) {
  return logs_.Deliver(node_id, PathsOf(options_.data_dir, node_id), targets);
}

SnapshotFile HostAgent::SaveSnapshot(const std::string& node_id, const std::string& snapshot,
                                     int64_t attempt) {
  const auto failed = [](const std::string& why) {
    return SnapshotFile{.state = SnapshotFile::State::kFailed, .error = why};
  };
  if (const auto done = snapshots_.Find(snapshot)) return *done;
  const auto path = snapshots_.PathForAttempt(snapshot, attempt);
  if (!path.ok()) return failed(path.error().message);
  std::error_code ignored;
  if (std::filesystem::exists(*path, ignored)) return snapshots_.Accept(snapshot, attempt);
  // No answer is no failure: whether the engine still runs is told by Observe().
  const auto status = Call(node_id, {"MIKURA", "SNAPSHOTSTATUS"});
  if (!status.ok() || status->items.size() != 3) return {};
  if (status->items[1] == *path) {
    if (status->items[0] == "saving") return {};
    if (status->items[0] == "done") return snapshots_.Accept(snapshot, attempt);
    return failed(status->items[2]);
  }
  const auto begun = Call(node_id, {"MIKURA", "SNAPSHOT", *path});
  if (!begun.ok() && begun.error().message.rfind("LOADING", 0) == 0) {
    return failed(begun.error().message);
  }
  return {};
}

SnapshotFile HostAgent::CopySnapshot(const std::string& from, const std::string& to) {
  return snapshots_.Copy(from, to);
}

SnapshotFile HostAgent::ExportSnapshot(const std::string& snapshot, const std::string& key) {
  return snapshots_.Export(snapshot, key);
}

Status HostAgent::RemoveSnapshot(const std::string& snapshot) {
  return snapshots_.Remove(snapshot);
}

bool HostAgent::IsFree(const Endpoint& endpoint) { return EndpointSockets::IsFree(endpoint); }

void HostAgent::OnChange(std::function<void()> changed) {
  MutexLock lock(change_mutex_);
  changed_ = std::move(changed);
}

void HostAgent::Changed() {
  MutexLock lock(change_mutex_);
  if (changed_) changed_();
}

}  // namespace mikura::control
