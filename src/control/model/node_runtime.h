// SPDX-License-Identifier: Apache-2.0
// What a host does for the reconciler: it runs nodes and says what it sees of them. Implemented by
// the agent, and by a fake in the reconciler's tests.
//
// Every call may be repeated: it looks before it acts. Calls are made by one thread at a time;
// those that speak to an engine wait for it at most the admin timeout.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/model/endpoint.h"
#include "control/model/engine_version.h"

namespace mikura::control {

struct NodeLaunch {
  std::string id;
  EngineKind kind = EngineKind::kRedis;
  Endpoint endpoint;
  int64_t memory_bytes = 0;
  int64_t threads = 1;
  Endpoint primary;  // whom it follows from its start; empty: nobody
  // What it loads at its start: DataOfSnapshot() or DataOfBucket(); empty: nothing.
  std::string data_source;
};

// In the reason of a node that ended, or was not started, because its data_source cannot be loaded.
inline constexpr std::string_view kCannotLoad = "cannot load";

struct NodeObservation {
  enum class Process {
    kAbsent,   // no process of this node exists on the host
    kRunning,  // it exists, whether it answers or not
    kExited,   // the one that was watched is certainly gone: it can serve nobody any more
  };
  Process process = Process::kAbsent;
  std::string process_id;   // names this run of the node; empty when it does not run
  std::string exit_reason;  // kExited: in words
  bool answering = false;   // to the latest probe
  // Of the latest probe that was answered; meaningful while answering.
  bool is_primary = false;
  bool loading = false;  // a primary: its data are not whole yet
  Endpoint follows;      // a replica's primary
  bool link_up = false;  // a replica: connected, and holding a whole copy
  std::vector<std::string> listeners;

  bool Gone() const { return process != Process::kRunning; }
  bool HasListener(const std::string& name) const;
};

// How far a replica has come, asked when a new primary is to be chosen.
struct ReplicaPosition {
  int64_t offset = 0;
  bool loading = false;  // it is taking over a copy: what it holds is not whole
};

// The file of a snapshot that is made, copied or sent away.
struct SnapshotFile {
  enum class State { kWorking, kDone, kFailed };
  State state = State::kWorking;
  int64_t bytes = 0;       // kDone
  UnixMillis made_at = 0;  // kDone: when it was whole
  std::string error;       // kFailed: why, in words
};

enum class ListenerProtocol { kResp, kMemcached };

class NodeRuntime {
 public:
  virtual ~NodeRuntime() = default;

  // What was last seen; does not wait.
  virtual NodeObservation Observe(const std::string& node_id) = 0;

  // Starts the process, unless one of this node runs. Returns before it answers.
  virtual Status Start(const NodeLaunch& launch) = 0;
  // Asks the process to end and makes sure that it does; Observe() tells when it has.
  virtual void Stop(const std::string& node_id) = 0;
  // Removes what the host keeps of a node whose process is gone.
  virtual Status Forget(const std::string& node_id) = 0;

  virtual Result<ReplicaPosition> Position(const std::string& node_id) = 0;
  virtual Status Promote(const std::string& node_id, int64_t epoch) = 0;
  virtual Status Follow(const std::string& node_id, int64_t epoch, const Endpoint& primary) = 0;

  // Lets the node accept at `endpoint`. The host keeps the listening socket too: when the node
  // dies, connections wait there for the next one that gets it.
  virtual Status Listen(const std::string& node_id, const std::string& name,
                        const Endpoint& endpoint, ListenerProtocol protocol) = 0;
  virtual Status Unlisten(const std::string& node_id, const std::string& name) = 0;
  virtual void CloseEndpoint(const Endpoint& endpoint) = 0;

  // What memcached clients get from "config get cluster"; nodes are "host|ip|port host|ip|port".
  virtual Status SetClusterConfig(const std::string& node_id, int64_t version,
                                  const std::string& nodes) = 0;

  // Snapshots, by their incarnations. Each of these begins what is to be done unless it is under
  // way or done, and says how far it is. attempt: another one asks again, after a failure or
  // another node.
  virtual SnapshotFile SaveSnapshot(const std::string& node_id, const std::string& snapshot,
                                    int64_t attempt) = 0;
  virtual SnapshotFile CopySnapshot(const std::string& from, const std::string& to) = 0;
  // key: "bucket/folder/file.rdb"; a file that is there is replaced.
  virtual SnapshotFile ExportSnapshot(const std::string& snapshot, const std::string& key) = 0;
  // All that is kept of it.
  virtual Status RemoveSnapshot(const std::string& snapshot) = 0;

  // Whether something could listen at `endpoint` now.
  virtual bool IsFree(const Endpoint& endpoint) = 0;

  // `changed` is called from any thread after an observation changed. Set once, before the first
  // Start(); the null function ends it and waits for a running call.
  virtual void OnChange(std::function<void()> changed) = 0;
};

}  // namespace mikura::control
