// SPDX-License-Identifier: Apache-2.0
// A host of the imagination: nodes start, copy and die when a test says so.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/model/node_runtime.h"

namespace mikura::control {

struct FakeNode {
  bool running = true;
  bool answering = true;
  bool fails_to_load = false;  // ends at the next Tick()
  bool starting = true;        // until the next Tick()
  int run = 1;
  NodeLaunch launch;
  std::string exit_reason;
  bool is_primary = true;
  Endpoint follows;
  int64_t epoch = 0;
  int64_t offset = 0;          // how much it has seen
  std::set<std::string> data;  // what a client wrote
  std::set<std::string> listeners;
  int64_t config_version = 0;
  std::string config_nodes;
  NodeAccess access;  // that of its start, or set since
  bool holds_writes = false;
  int64_t used_bytes = 1000;
  NodeSettings settings;  // as they are in force
  int configured = 0;     // how often they were changed
};

// Where a simulated kill of the control process strikes: the n-th effect and all later ones do not
// happen.
class CrashPoint {
 public:
  void CrashBefore(int effect) { left_ = effect; }
  void Never() { left_.reset(); }
  bool crashed() const { return left_ && *left_ <= 0; }
  // Whether the next effect happens.
  bool Allow() {
    if (!left_) return true;
    if (*left_ <= 0) return false;
    --*left_;
    return true;
  }

 private:
  std::optional<int> left_;
};

class FakeRuntime final : public NodeRuntime {
 public:
  explicit FakeRuntime(CrashPoint& crash) : crash_(crash) {}

  NodeObservation Observe(const std::string& node_id) override;
  Status Start(const NodeLaunch& launch) override;
  void Stop(const std::string& node_id) override;
  void Kill(const std::string& node_id) override;
  Status Forget(const std::string& node_id) override;
  Result<int64_t> UsedBytes(const std::string& node_id) override;
  Result<ReplicaPosition> Position(const std::string& node_id) override;
  Status Promote(const std::string& node_id, int64_t epoch) override;
  Status Follow(const std::string& node_id, int64_t epoch, const Endpoint& primary) override;
  Result<int64_t> HoldWrites(const std::string& node_id, std::chrono::milliseconds time) override;
  Status StepDown(const std::string& node_id, int64_t epoch, const Endpoint& primary,
                  int64_t position) override;
  Status Listen(const std::string& node_id, const std::string& name, const Endpoint& endpoint,
                ListenerProtocol protocol) override;
  Status Unlisten(const std::string& node_id, const std::string& name) override;
  void CloseEndpoint(const Endpoint& endpoint) override;
  Status SetClusterConfig(const std::string& node_id, int64_t version,
                          const std::string& nodes) override;
  Status Configure(const std::string& node_id, const NodeSettings& settings) override;
  Result<NodeSettings> Configuration(const std::string& node_id,
                                     const std::vector<std::string>& names) override;
  bool HasAccess(const std::string& node_id, const NodeAccess& access) override;
  Status SetAccess(const std::string& node_id, const NodeAccess& access) override;
  std::vector<LogDeliveryState> DeliverLogs(const std::string& node_id,
                                            const std::vector<LogTarget>& targets) override;
  SnapshotFile SaveSnapshot(const std::string& node_id, const std::string& snapshot,
                            int64_t attempt) override;
  SnapshotFile CopySnapshot(const std::string& from, const std::string& to) override;
  SnapshotFile ExportSnapshot(const std::string& snapshot, const std::string& key) override;
  Status RemoveSnapshot(const std::string& snapshot) override;
  bool IsFree(const Endpoint& endpoint) override;
  void OnChange(std::function<void()> changed) override;

  // What a test does.
  FakeNode& node(const std::string& id) { return nodes_.at(id); }
  bool Has(const std::string& id) const { return nodes_.count(id) != 0; }
  size_t size() const { return nodes_.size(); }
  // Time passes on the host: what was started answers from now on.
  void Tick();
  void KillNode(const std::string& id);
  // Dies when the host has been asked so many times more, whatever it was asked.
  void KillAfterCalls(const std::string& id, int calls) { death_ = {id, calls}; }
  bool IsDeathDue() const { return !death_.id.empty(); }
  // A client's write to a primary; replicas that are linked have it at once.
  void Write(const std::string& id, const std::string& value);
  void HoldCopies(bool held) { copies_held_ = held; }
  // Links are up although nothing is copied any more.
  void LinkWithoutCopies(bool on) { links_stay_up_ = on; }
  void RefuseStarts(std::string why) { start_refusal_ = std::move(why); }
  void TakePortEverywhere(bool taken) { port_taken_ = taken; }
  // Who accepts at the endpoint of that name.
  std::vector<std::string> ServersOf(const std::string& listener) const;
  void RefuseAccess(bool refused) { access_refused_ = refused; }
  // Of nodes that follow or led before, which must know who may use them.
  int starts_without_access() const { return starts_without_access_; }
  // Files of snapshots: by incarnation what is in them, by "bucket/key" what was exported.
  std::map<std::string, std::set<std::string>>& snapshots() { return snapshots_; }
  std::map<std::string, std::set<std::string>>& buckets() { return buckets_; }
  // Engines are asked for snapshots and do not get to the end, or fail.
  void HoldSnapshots(bool held) { snapshots_held_ = held; }
  void FailSnapshots(std::string why) { snapshot_failure_ = std::move(why); }
  const std::vector<std::string>& snapshot_requests() const { return snapshot_requests_; }
  int starts() const { return starts_; }
  // Where the logs of the node go, as the host was told last.
  const std::vector<LogTarget>& LogsOf(const std::string& id) { return log_targets_[id]; }
  // Logs are not delivered yet, or cannot be for that reason.
  void HoldLogs(bool held) { logs_held_ = held; }
  void FailLogs(std::string why) { log_failure_ = std::move(why); }

 private:
  FakeNode* At(const Endpoint& endpoint);
  bool Linked(FakeNode& replica);
  Result<FakeNode*> Reach(const std::string& node_id);
  void CountCall();

  struct Death {
    std::string id;
    int calls = 0;
  };

  CrashPoint& crash_;
  Death death_;
  std::map<std::string, FakeNode> nodes_;
  std::map<std::string, int> runs_;
  bool copies_held_ = false;
  bool links_stay_up_ = false;
  bool port_taken_ = false;
  bool access_refused_ = false;
  std::map<std::string, NodeAccess> kept_access_;  // files of the host: also of nodes that are down
  std::string start_refusal_;
  std::map<std::string, std::set<std::string>> snapshots_;
  std::map<std::string, std::set<std::string>> buckets_;
  std::map<std::string, std::set<std::string>> saving_;  // node, snapshot and attempt
  std::vector<std::string> snapshot_requests_;           // nodes that were asked
  std::string snapshot_failure_;
  bool snapshots_held_ = false;
  std::map<std::string, std::vector<LogTarget>> log_targets_;
  std::string log_failure_;
  bool logs_held_ = false;
  int starts_ = 0;
  int starts_without_access_ = 0;
};

}  // namespace mikura::control
