// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/fake_runtime.h"

#include "wire/engine_parameters.h"

namespace mikura::control {
namespace {

bool Answers(const FakeNode& node) { return node.running && node.answering && !node.starting; }

}  // namespace

FakeNode* FakeRuntime::At(const Endpoint& endpoint) {
  for (auto& [id, node] : nodes_) {
    if (Answers(node) && node.launch.endpoint == endpoint) return &node;
  }
  return nullptr;
}

// A replica copies from its primary when it first reaches it, and has all it has from then on.
bool FakeRuntime::Linked(FakeNode& replica) {
  if (replica.is_primary || copies_held_) return links_stay_up_ && !replica.is_primary;
  const FakeNode* primary = At(replica.follows);
  if (primary == nullptr || !primary->is_primary) return false;
  replica.data = primary->data;
  replica.offset = primary->offset;
  return true;
}

NodeObservation FakeRuntime::Observe(const std::string& node_id) {
  CountCall();
  NodeObservation seen;
  const auto found = nodes_.find(node_id);
  if (found == nodes_.end()) return seen;
  FakeNode& node = found->second;
  if (!node.running) {
    seen.process = NodeObservation::Process::kExited;
    seen.exit_reason = node.exit_reason;
    return seen;
  }
  seen.process = NodeObservation::Process::kRunning;
  seen.process_id = std::to_string(node.run);
  seen.answering = Answers(node);
  seen.is_primary = node.is_primary;
  seen.follows = node.follows;
  seen.link_up = Answers(node) && Linked(node);
  seen.listeners.assign(node.listeners.begin(), node.listeners.end());
  return seen;
}

Status FakeRuntime::Start(const NodeLaunch& launch) {
  if (!crash_.Allow()) return Error{"crashed"};
  if (!start_refusal_.empty()) return Error{start_refusal_};
  if (const auto found = nodes_.find(launch.id); found != nodes_.end() && found->second.running) {
    return Ok();
  }
  FakeNode node;
  node.launch = launch;
  node.settings = launch.settings;
  node.settings["maxmemory"] = std::to_string(launch.memory_bytes);
  node.access = kept_access_[launch.id];
  if (node.access.users.empty()) ++starts_without_access_;
  node.run = ++runs_[launch.id];
  node.is_primary = launch.primary.empty();
  node.follows = launch.primary;
  if (launch.primary.empty() && !launch.data_source.empty()) {
    const bool of_snapshot = launch.data_source.rfind("snapshot:", 0) == 0;
    auto& files = of_snapshot ? snapshots_ : buckets_;
    const auto file = files.find(launch.data_source.substr(launch.data_source.find(':') + 1));
    if (file == files.end()) return Error{"cannot load: there is no file"};
    node.fails_to_load = file->second.count("damaged") != 0;
    node.data = file->second;
  }
  nodes_[launch.id] = node;
  ++starts_;
  return Ok();
}

void FakeRuntime::Stop(const std::string& node_id) {
  if (crash_.Allow()) KillNode(node_id);
}

void FakeRuntime::Kill(const std::string& node_id) {
  if (crash_.Allow()) KillNode(node_id);
}

Status FakeRuntime::Forget(const std::string& node_id) {
  if (!crash_.Allow()) return Error{"crashed"};
  nodes_.erase(node_id);
  kept_access_.erase(node_id);
  log_targets_.erase(node_id);
  return Ok();
}

std::vector<LogDeliveryState> FakeRuntime::DeliverLogs(const std::string& node_id,
                                                       const std::vector<LogTarget>& targets) {
  std::vector<LogTarget>& now = log_targets_[node_id];
  if (now != targets && crash_.Allow()) now = targets;
  const LogDeliveryState state{!logs_held_, logs_held_ ? "" : log_failure_};
  return std::vector<LogDeliveryState>(targets.size(), state);
}

void FakeRuntime::CountCall() {
  if (death_.id.empty() || death_.calls-- > 0) return;
  if (Has(death_.id)) KillNode(death_.id);
  death_ = {};
}

Result<FakeNode*> FakeRuntime::Reach(const std::string& node_id) {
  CountCall();
  const auto found = nodes_.find(node_id);
  if (found == nodes_.end() || !Answers(found->second)) {
    return Error{"no answer"};
  }
  return &found->second;
}

Result<int64_t> FakeRuntime::UsedBytes(const std::string& node_id) {
  ASSIGN_OR_RETURN(const FakeNode* node, Reach(node_id));
  return node->used_bytes;
}

Result<ReplicaPosition> FakeRuntime::Position(const std::string& node_id) {
  ASSIGN_OR_RETURN(FakeNode * node, Reach(node_id));
  return ReplicaPosition{node->offset, false};
}

Status FakeRuntime::Promote(const std::string& node_id, int64_t epoch) {
  if (!crash_.Allow()) return Error{"crashed"};
  ASSIGN_OR_RETURN(FakeNode * node, Reach(node_id));
  if (epoch < node->epoch) return Error{"STALEEPOCH"};
  node->epoch = epoch;
  node->is_primary = true;
  node->follows = {};
  return Ok();
}

Status FakeRuntime::Follow(const std::string& node_id, int64_t epoch, const Endpoint& primary) {
  if (!crash_.Allow()) return Error{"crashed"};
  ASSIGN_OR_RETURN(FakeNode * node, Reach(node_id));
  if (epoch < node->epoch) return Error{"STALEEPOCH"};
  node->epoch = epoch;
  node->is_primary = false;
  node->follows = primary;
  return Ok();
}

Result<int64_t> FakeRuntime::HoldWrites(const std::string& node_id,
                                        std::chrono::milliseconds time) {
  if (!crash_.Allow()) return Error{"crashed"};
  ASSIGN_OR_RETURN(FakeNode * node, Reach(node_id));
  node->holds_writes = time.count() > 0;
  return node->offset;
}

Status FakeRuntime::StepDown(const std::string& node_id, int64_t epoch, const Endpoint& primary,
                             int64_t position) {
  ASSIGN_OR_RETURN(const FakeNode* node, Reach(node_id));
  if (node->is_primary && node->offset != position) return Error{"the log goes on"};
  return Follow(node_id, epoch, primary);
}

Status FakeRuntime::Listen(const std::string& node_id, const std::string& name, const Endpoint&,
                           ListenerProtocol) {
  if (!crash_.Allow()) return Error{"crashed"};
  ASSIGN_OR_RETURN(FakeNode * node, Reach(node_id));
  node->listeners.insert(name);
  return Ok();
}

Status FakeRuntime::Unlisten(const std::string& node_id, const std::string& name) {
  if (!crash_.Allow()) return Error{"crashed"};
  ASSIGN_OR_RETURN(FakeNode * node, Reach(node_id));
  node->listeners.erase(name);
  return Ok();
}

void FakeRuntime::CloseEndpoint(const Endpoint&) {
  [[maybe_unused]] const bool done = crash_.Allow();
}

Status FakeRuntime::SetClusterConfig(const std::string& node_id, int64_t version,
                                     const std::string& nodes) {
  if (!crash_.Allow()) return Error{"crashed"};
  ASSIGN_OR_RETURN(FakeNode * node, Reach(node_id));
  node->config_version = version;
  node->config_nodes = nodes;
  return Ok();
}

Status FakeRuntime::Configure(const std::string& node_id, const NodeSettings& settings) {
  if (!crash_.Allow()) return Error{"crashed"};
  ASSIGN_OR_RETURN(FakeNode * node, Reach(node_id));
  for (const auto& [name, value] : settings) {
    const wire::ParameterSpec* spec = wire::FindParameter(name);
    if (spec == nullptr || !spec->runtime) return Error{name + " cannot change"};
  }
  for (const auto& [name, value] : settings) node->settings[name] = value;
  ++node->configured;
  return Ok();
}

Result<NodeSettings> FakeRuntime::Configuration(const std::string& node_id,
                                                const std::vector<std::string>& names) {
  ASSIGN_OR_RETURN(FakeNode * node, Reach(node_id));
  NodeSettings settings;
  for (const std::string& name : names) {
    const auto found = node->settings.find(name);
    const wire::ParameterSpec* spec = wire::FindParameter(name);
    if (found != node->settings.end()) {
      settings[name] = found->second;
    } else if (spec != nullptr) {
      settings[name] = wire::ParameterText(*spec, wire::EngineParameters());
    }
  }
  return settings;
}

bool FakeRuntime::HasAccess(const std::string& node_id, const NodeAccess& access) {
  const auto node = Reach(node_id);
  return node.ok() && (*node)->access == access;
}

Status FakeRuntime::SetAccess(const std::string& node_id, const NodeAccess& access) {
  if (!crash_.Allow()) return Error{"crashed"};
  if (access_refused_) return Error{"refused"};
  kept_access_[node_id] = access;
  if (const auto node = Reach(node_id); node.ok()) (*node)->access = access;
  return Ok();
}

SnapshotFile FakeRuntime::SaveSnapshot(const std::string& node_id, const std::string& snapshot,
                                       int64_t attempt) {
  if (snapshots_.count(snapshot) != 0) {
    return {.state = SnapshotFile::State::kDone, .bytes = 9, .made_at = 1};
  }
  if (!crash_.Allow()) return {};
  const auto node = Reach(node_id);
  if (!node.ok()) return {};
  const std::string name = node_id + " " + snapshot + " " + std::to_string(attempt);
  if (saving_.count(name) == 0) {
    // What it holds at this moment.
    saving_[name] = (*node)->data;
    snapshot_requests_.push_back(node_id);
    return {};
  }
  if (snapshots_held_) return {};
  if (!snapshot_failure_.empty()) {
    return {.state = SnapshotFile::State::kFailed, .error = snapshot_failure_};
  }
  snapshots_[snapshot] = saving_[name];
  return {.state = SnapshotFile::State::kDone, .bytes = 9, .made_at = 1};
}

SnapshotFile FakeRuntime::CopySnapshot(const std::string& from, const std::string& to) {
  if (!crash_.Allow()) return {};
  if (snapshots_.count(to) == 0) snapshots_[to] = snapshots_.at(from);
  return {.state = SnapshotFile::State::kDone, .bytes = 9, .made_at = 1};
}

SnapshotFile FakeRuntime::ExportSnapshot(const std::string& snapshot, const std::string& key) {
  if (!crash_.Allow()) return {};
  if (!snapshot_failure_.empty()) {
    return {.state = SnapshotFile::State::kFailed, .error = snapshot_failure_};
  }
  buckets_[key] = snapshots_.at(snapshot);
  return {.state = SnapshotFile::State::kDone};
}

Status FakeRuntime::RemoveSnapshot(const std::string& snapshot) {
  if (!crash_.Allow()) return Error{"crashed"};
  snapshots_.erase(snapshot);
  return Ok();
}

bool FakeRuntime::IsFree(const Endpoint& endpoint) {
  if (port_taken_) return false;
  for (const auto& [id, node] : nodes_) {
    if (node.running && node.launch.endpoint == endpoint) return false;
  }
  return true;
}

void FakeRuntime::OnChange(std::function<void()>) {}

void FakeRuntime::Tick() {
  for (auto& [id, node] : nodes_) {
    node.starting = false;
    if (node.running && node.fails_to_load) {
      Kill(id);
      node.exit_reason = "cannot load the file: it is damaged";
    }
  }
}

void FakeRuntime::KillNode(const std::string& id) {
  FakeNode& node = nodes_.at(id);
  node.running = false;
  node.exit_reason = "killed by signal 9";
  node.data.clear();
  node.listeners.clear();
  std::erase_if(saving_, [&](const auto& each) { return each.first.rfind(id + " ", 0) == 0; });
  node.offset = 0;
}

void FakeRuntime::Write(const std::string& id, const std::string& value) {
  FakeNode& primary = nodes_.at(id);
  primary.data.insert(value);
  ++primary.offset;
  for (auto& [other_id, other] : nodes_) {
    if (Answers(other)) Linked(other);
  }
}

std::vector<std::string> FakeRuntime::ServersOf(const std::string& listener) const {
  std::vector<std::string> servers;
  for (const auto& [id, node] : nodes_) {
    if (node.running && node.listeners.count(listener) != 0) servers.push_back(id);
  }
  return servers;
}

}  // namespace mikura::control
