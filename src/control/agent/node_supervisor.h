// SPDX-License-Identifier: Apache-2.0
// Watches one run of one node: a thread that probes the engine, sees its end at once, and ends it
// when it hangs or is to stop. Ending the supervision leaves the process alone.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "control/agent/admin_client.h"
#include "control/agent/endpoint_sockets.h"
#include "control/agent/engine_config.h"
#include "control/agent/process_table.h"
#include "control/model/node_runtime.h"

namespace mikura::control {

struct AgentTimings {
  // A settled engine is probed once per interval. One that misses three probes in a row, each
  // waited for as long as the timeout, is killed: a hang becomes an end, which is certain. One that
  // still strives for a processor or a disk is given five times as many: a host that is overloaded
  // for a moment must not cost it its data.
  std::chrono::milliseconds probe_interval{400};
  std::chrono::milliseconds probe_timeout{400};
  int probe_misses_max = 3;
  int probe_misses_striving_max = 15;
  // Until it has started, and while it is no settled replica.
  std::chrono::milliseconds settle_interval{20};
  // To answer for the first time.
  std::chrono::milliseconds start_timeout{15'000};
  // For each command of the reconciler.
  std::chrono::milliseconds admin_timeout{300};
  // From the request to shut down to the kill.
  std::chrono::milliseconds stop_grace{3'000};
  // How often nodes are asked for what they have logged, for those whose logs are delivered.
  std::chrono::milliseconds log_interval{1'000};
  // How long a node's certificate is valid, and from when on before its end it gets another.
  std::chrono::seconds certificate_life = std::chrono::hours(24) * 90;
  std::chrono::seconds certificate_left_min = std::chrono::hours(24) * 30;
};

class NodeSupervisor {
 public:
  // `changed` is called from the supervisor's thread, and from that of a caller of Refresh(), with
  // no lock held.
  NodeSupervisor(std::string node_id, NodePaths paths, ProcessHandle process,
                 const AgentTimings& timings, EndpointSockets& sockets,
                 std::function<void()> changed);
  ~NodeSupervisor();

  NodeObservation Observation() EXCLUDES(mutex_);
  // The process is asked to end, then killed; returns at once.
  void RequestStop() EXCLUDES(mutex_);
  // Kills the process; its end is seen as any other.
  void KillNow() const;
  // Probes now; waits for the answer.
  void Refresh() EXCLUDES(probe_mutex_, mutex_) { Probe(); }
  // Waits until the process has ended.
  void AwaitEnd() { HasEnded(process_, -1); }

 private:
  enum class ProbeOutcome { kAnswered, kRefused, kSilent };

  void Run();
  ProbeOutcome Probe() EXCLUDES(probe_mutex_, mutex_);
  Result<NodeObservation> Ask(AdminClient& client) REQUIRES(probe_mutex_);
  Status FirstMeeting(AdminClient& client, const std::vector<std::string>& listeners)
      REQUIRES(probe_mutex_);
  void Publish(NodeObservation seen) EXCLUDES(mutex_);
  // Whether so many probes missed in a row mean that the engine hangs.
  bool Hangs(int misses) const;
  void EndProcess();
  // Kills the process and waits a while for its end.
  void Kill() const;
  bool Settled() EXCLUDES(mutex_);
  // Keeps the log file of an engine that answers within its bounds.
  void TendLog() const;
  // Waits for the end of the process, a request or `until`; returns whether the process has ended.
  bool Wait(std::chrono::steady_clock::time_point until);

  const std::string node_id_;
  const NodePaths paths_;
  const ProcessHandle process_;
  const AgentTimings timings_;
  EndpointSockets& sockets_;
  const std::function<void()> changed_;
  const FileDescriptor wake_;  // an eventfd: a request was made

  Mutex probe_mutex_;  // one probe at a time, so that the later one is published later
  bool met_ GUARDED_BY(probe_mutex_) = false;
  Mutex mutex_;
  NodeObservation observation_ GUARDED_BY(mutex_);
  bool stop_requested_ GUARDED_BY(mutex_) = false;
  bool leave_requested_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace mikura::control
