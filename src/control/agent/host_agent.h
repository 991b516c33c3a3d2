// SPDX-License-Identifier: Apache-2.0
// The agent of this host: runs engines as processes that outlive it.
//
// Its state is what the host itself knows: which processes run, found by their command line, and
// which sockets their engines accept on. An agent that begins anew adopts them all, so a kill at
// any moment loses nothing. One agent at a time per data directory (DataDirLock).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "control/agent/certificate_authority.h"
#include "control/agent/endpoint_sockets.h"
#include "control/agent/log_deliverer.h"
#include "control/agent/node_supervisor.h"
#include "control/agent/snapshot_folder.h"
#include "control/model/node_runtime.h"

namespace mikura::control {

struct HostAgentOptions {
  std::string data_dir;       // absolute
  std::string engine_binary;  // run as "<binary> engine <config file>"
  AgentTimings timings;
  std::string bucket_folder;  // absolute; empty: no snapshot is exported or imported
};

class HostAgent final : public NodeRuntime {
 public:
  // Adopts what runs. Errors: the data directory cannot be written, or its path is too long for
  // sockets in it. Cost: a probe of each running engine.
  static Result<std::unique_ptr<HostAgent>> Open(const HostAgentOptions& options);
  // Leaves the engines running.
  ~HostAgent() override;

  // Ends all engines and waits until they have ended: for stopping the service as a whole.
  void StopAll();
  // How many engines run.
  size_t CountRunning();
  // What clients that speak TLS are to trust.
  const std::string& authority_file() const { return authority_.certificate_file(); }

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

 private:
  HostAgent(const HostAgentOptions& options, std::string link_key, CertificateAuthority authority)
      : options_(options),
        link_key_(std::move(link_key)),
        authority_(std::move(authority)),
        snapshots_(options.data_dir, options.bucket_folder),
        logs_(options.data_dir + "/logs", options.timings, [this] { Changed(); }) {}

  void AdoptAll();
  // Supervises the running process of the node, if there is one.
  bool Adopt(const std::string& node_id, const std::map<std::string, pid_t>& engines);
  void Supervise(const std::string& node_id, ProcessHandle process);
  NodeSupervisor* Find(const std::string& node_id);
  Result<AdminReply> Call(const std::string& node_id, const std::vector<std::string>& arguments,
                          int passed = -1);
  // Call(), and a look at what came of it.
  Status Tell(const std::string& node_id, const std::vector<std::string>& arguments,
              int passed = -1);
  void Changed() EXCLUDES(change_mutex_);

  const HostAgentOptions options_;
  const std::string link_key_;
  const CertificateAuthority authority_;
  EndpointSockets sockets_;
  // Nodes whose files do not say who may use them: they must not start. Used as supervisors_ are.
  std::set<std::string> without_access_;
  SnapshotFolder snapshots_;
  Mutex change_mutex_;
  std::function<void()> changed_ GUARDED_BY(change_mutex_);
  LogDeliverer logs_;
  // Used by the one thread that calls us (NodeRuntime); destroyed first, because supervisors use
  // the members above.
  std::map<std::string, std::unique_ptr<NodeSupervisor>> supervisors_;
};

}  // namespace mikura::control
