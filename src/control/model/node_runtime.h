// SPDX-License-Identifier: Apache-2.0
// What a host does for the reconciler: it runs nodes and says what it sees of them. Implemented by
// the agent, and by a fake in the reconciler's tests.
//
// Every call may be repeated: it looks before it acts. Calls are made by one thread at a time;
// those that speak to an engine wait for it at most the admin timeout.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/model/endpoint.h"
#include "control/model/engine_version.h"
#include "control/model/log_delivery.h"
#include "control/model/node_access.h"

namespace mikura::control {

// Settings of an engine and their values, as its configuration file and CONFIG have them.
using NodeSettings = std::map<std::string, std::string>;

struct NodeLaunch {
  std::string id;
  EngineKind kind = EngineKind::kRedis;
  std::string engine_version{};  // as clients are told; empty: the engine's own
  Endpoint endpoint;
  int64_t memory_bytes = 0;
  int64_t threads = 1;
  Endpoint primary;  // whom it follows from its start; empty: nobody
  NodeSettings settings{};
  // What it loads at its start: DataOfSnapshot() or DataOfBucket(); empty: nothing.
  std::string data_source;
  bool serves_tls = false;  // memcached: its port speaks TLS alone
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
  // Who may use it: hash of the text that its users came from (empty: they were changed since),
  // "off", "preferred" or "required", and when its certificate ends, in seconds (0: none).
  std::string users_hash;
  std::string tls_mode;
  int64_t certificate_end = 0;

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

// How far the delivery of a log is.
struct LogDeliveryState {
  bool begun = false;  // all that the node had logged before has been delivered
  std::string error;   // why it cannot be delivered, in words

  bool operator==(const LogDeliveryState&) const = default;
};

enum class ListenerProtocol { kResp, kMemcached, kMemcachedTls };

class NodeRuntime {
 public:
  virtual ~NodeRuntime() = default;

  // What was last seen; does not wait.
  virtual NodeObservation Observe(const std::string& node_id) = 0;

  // Starts the process, unless one of this node runs. Returns before it answers.
  virtual Status Start(const NodeLaunch& launch) = 0;
  // Asks the process to end and makes sure that it does; Observe() tells when it has.
  virtual void Stop(const std::string& node_id) = 0;
  // Ends the process as a crash would: at once, without asking it.
  virtual void Kill(const std::string& node_id) = 0;
  // Removes what the host keeps of a node whose process is gone.
  virtual Status Forget(const std::string& node_id) = 0;

  // The memory that counts against the node's limit.
  virtual Result<int64_t> UsedBytes(const std::string& node_id) = 0;
  virtual Result<ReplicaPosition> Position(const std::string& node_id) = 0;
  virtual Status Promote(const std::string& node_id, int64_t epoch) = 0;
  virtual Status Follow(const std::string& node_id, int64_t epoch, const Endpoint& primary) = 0;

  // Holds back the writes of a primary's clients for at most `time` (zero: lets them go on).
  // Returns where its data end, behind every write that was let in before.
  virtual Result<int64_t> HoldWrites(const std::string& node_id,
                                     std::chrono::milliseconds time) = 0;
  // Follow(), if the data of this primary still end at `position`; else an error, and it leads on.
  virtual Status StepDown(const std::string& node_id, int64_t epoch, const Endpoint& primary,
                          int64_t position) = 0;

  // Lets the node accept at `endpoint`. The host keeps the listening socket too: when the node
  // dies, connections wait there for the next one that gets it.
  virtual Status Listen(const std::string& node_id, const std::string& name,
                        const Endpoint& endpoint, ListenerProtocol protocol) = 0;
  virtual Status Unlisten(const std::string& node_id, const std::string& name) = 0;
  virtual void CloseEndpoint(const Endpoint& endpoint) = 0;

  // What memcached clients get from "config get cluster"; nodes are "host|ip|port host|ip|port".
  virtual Status SetClusterConfig(const std::string& node_id, int64_t version,
                                  const std::string& nodes) = 0;

  // Changes settings of the running node: all or none. Errors: also one that needs a new start.
  virtual Status Configure(const std::string& node_id, const NodeSettings& settings) = 0;
  // What the running node has for each of `names`, by the name it was asked for.
  virtual Result<NodeSettings> Configuration(const std::string& node_id,
                                             const std::vector<std::string>& names) = 0;
  // Whether the running node was last seen with exactly this; does not wait.
  virtual bool HasAccess(const std::string& node_id, const NodeAccess& access) = 0;
  // Gives it to the node: at once if it runs, and from its next start on. Clients that are in stay.
  virtual Status SetAccess(const std::string& node_id, const NodeAccess& access) = 0;
  // From now on the node's logs go to these, and to no others: what it logs, and what it still
  // holds of before; no entry twice. One state for each of `targets`; does not wait.
  virtual std::vector<LogDeliveryState> DeliverLogs(const std::string& node_id,
                                                    const std::vector<LogTarget>& targets) = 0;
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
