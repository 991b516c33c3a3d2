// SPDX-License-Identifier: Apache-2.0
// What commands need of the server around them: clients, parameters, statistics, role, shutdown.
// Declared here, implemented in engine/server, so that commands know no socket and no thread.
// All functions are called with no shard lock held, unless they say otherwise, and are thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/commands/access_control.h"
#include "engine/commands/client_state.h"
#include "engine/commands/encoding_limits.h"
#include "engine/commands/memory_report.h"
#include "engine/commands/script_state.h"
#include "engine/observation/observation.h"
#include "engine/replication/failover_request.h"

namespace mikura::engine {

class AppendLog;
class ClientTracking;
class Computation;
class Migration;
class Monitors;
class PubSub;
class SnapshotSaver;

// A copy of what CLIENT LIST shows of one client; as of its last batch of commands.
struct ClientInfo {
  ClientState state;
  int fd = -1;
  int queued_commands = -1;      // -1: not in MULTI
  bool is_blocked = false;       // it waits for a key, or for the end of a pause
  bool is_amid_request = false;  // part of a request has arrived
  UnixMillis last_active_at = 0;
  std::string last_command;  // lower case, "client|list"
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;
  uint64_t commands_total = 0;
  uint64_t held_input_bytes = 0;   // of requests that have not run
  uint64_t argument_bytes = 0;     // of the running request; known of the calling client only
  uint64_t queued_bytes = 0;       // of its transaction
  uint64_t held_output_bytes = 0;  // replies that it has not taken
};

// All conditions that are present must hold.
struct ClientFilter {
  std::optional<uint64_t> id;
  std::optional<std::string> address;
  std::optional<std::string> local_address;
  std::optional<std::string> user;
  std::optional<std::string> type;  // normal, master, replica, pubsub
  std::optional<uint64_t> skip_id;  // never this one (SKIPME yes)
};

class ClientRegistry {
 public:
  virtual ~ClientRegistry() = default;
  virtual std::vector<ClientInfo> List() = 0;
  // The text of CLIENT LIST for one client, without the line end.
  virtual std::string Describe(const ClientInfo& info, UnixMillis now) = 0;
  // The same for the calling client itself.
  virtual std::string DescribeOwn(const ClientState& state, UnixMillis now) = 0;
  // Makes name, library and flags of `state` visible to List() of other threads.
  virtual void Publish(const ClientState& state) = 0;
  // The event loop that serves the client; nothing when it is gone.
  virtual std::optional<uint32_t> LoopOf(uint64_t id) const = 0;
  // Ends matching clients (each on its own thread, soon); returns how many.
  virtual size_t Kill(const ClientFilter& filter) = 0;
  // Lets a client that waited for keys, and waits no longer, have its reply. Does not wait.
  virtual void Answer(const std::shared_ptr<BlockedClient>& client) = 0;
  // Ends the waiting of a client, as if its time were up or with an error. False when it waits for
  // no key.
  virtual bool Unblock(uint64_t id, bool with_error) = 0;
};

class Parameters {
 public:
  virtual ~Parameters() = default;
  // Name and current value of every parameter that matches one of the glob patterns.
  virtual std::vector<std::pair<std::string, std::string>> Get(
      std::span<const std::string_view> patterns) = 0;
  // Sets all or none. The error is the text behind "ERR ", as CONFIG SET of Redis words it.
  virtual Status Set(std::span<const std::pair<std::string_view, std::string_view>> changes) = 0;
};

// The replication role, for ROLE, INFO and the write check.
struct RoleInfo {
  struct Replica {
    std::string host;
    int port = 0;
    int64_t offset = 0;
  };
  bool is_primary = true;
  int64_t offset = 0;
  std::vector<Replica> replicas;  // of a primary
  std::string primary_host;       // of a replica
  int primary_port = 0;
  std::string link_state;  // connect, connecting, sync, connected
};

// What HELLO says that the server is.
struct ShownVersion {
  std::string server;
  std::string version;
};

class ServerControl {
 public:
  virtual ~ServerControl() = default;
  virtual ShownVersion Version() = 0;
  // Text of INFO for the named sections ("default", "all", "everything" included), lower case.
  virtual std::string Info(std::span<const std::string_view> sections) = 0;
  virtual MemoryReport Memory() = 0;
  virtual RoleInfo Role() = 0;
  // May be called under locks.
  virtual bool IsPrimary() = 0;
  // REPLICAOF host port, or NO ONE when `host` is empty. Asynchronous, as in Redis.
  virtual Status ReplicaOf(std::string_view host, int port) = 0;
  // FAILOVER: begins, or ends, a planned change of roles. Errors: the text for the client.
  virtual Status Failover(const FailoverRequest& request) = 0;
  virtual Status AbortFailover() = 0;
  // PSYNC ... FAILOVER: the primary, whose replication id that is, hands over its role.
  virtual Status TakeOver(std::string_view id) = 0;
  // Clients' writes wait for at most that long from now (zero: no longer) or until they are told
  // that this is a replica; they must be held again to wait longer. Returns the end of the log,
  // behind every write that was let in before.
  virtual int64_t HoldWritesFor(std::chrono::milliseconds time) = 0;
  // ReplicaOf(), if the log still ends at `position` when the last write has ended. Errors: it goes
  // on beyond; as ReplicaOf().
  virtual Status StepDown(std::string_view host, int port, int64_t position) = 0;
  // Ends the process soon, after the running commands, without saving anything.
  virtual void Stop() = 0;
  virtual void ResetStatistics() = 0;
  // Whether memory is below its limit, or could be brought below it. May evict.
  virtual bool HasRoom(UnixMillis now) = 0;
  // Of a replica, or a node behind its fence: clients' writes are refused.
  virtual bool IsReadOnly() = 0;
  // Of a primary with fewer replicas than min-replicas-to-write: the same.
  virtual bool LacksReplicas() = 0;
  // The node may not be the primary any more: what changes something is refused, or (changes:
  // false) what reads. Asks a clock when there is a deadline.
  virtual bool IsFenced(bool /*changes*/) { return false; }
  // The number of the error because of which the append log cannot be written; 0: none. Writes are
  // refused then.
  virtual int LogError() { return 0; }
  // The last snapshot could not be saved, and save points and stop-writes-on-bgsave-error are set:
  // the same, and PING says so.
  virtual bool CannotSave() = 0;
  // Of a replica without its primary: only commands with kStaleOk are answered.
  virtual bool RefusesStale() = 0;
  // CLIENT PAUSE: until `end` no client's request runs that may write, or none at all. With a pause
  // that goes on already, the later end and the stricter kind hold. May be called under locks.
  virtual void Pause(UnixMillis now, UnixMillis end, bool all) = 0;
  virtual void Unpause() = 0;
  // DEBUG commands are allowed for this client (enable-debug-command).
  virtual bool DebugAllowed(const ClientState& client) = 0;
};

// Does what MIGRATE has begun.
class Migrations {
 public:
  virtual ~Migrations() = default;
  // Hands it to a thread of its own kind. Does not wait; may be called under shard locks.
  virtual void Start(std::shared_ptr<Migration> migration) = 0;
};

// Does what takes long (computation.h).
class Computations {
 public:
  virtual ~Computations() = default;
  // Runs it soon, on a thread of its own kind, and tells the loop of the client then. Does not
  // wait; may be called under shard locks.
  virtual void Start(std::shared_ptr<Computation> computation, uint64_t client_id) = 0;
};

// Clients that wait until replicas have what was logged (WAIT), or until they and this node have it
// on disk (WAITAOF). A position is one of the log.
class ReplicaWaits {
 public:
  enum class Where { kMemory, kDisk };

  virtual ~ReplicaWaits() = default;
  virtual int64_t LogEnd() = 0;  // may be called under locks
  // How many replicas have everything before the position.
  virtual int64_t CountAt(int64_t position, Where where) = 0;
  // Whether this node has everything before the position on disk. False without an append log.
  virtual bool IsOnDiskHere(int64_t position) = 0;
  struct Goal {
    int64_t position = 0;
    Where where = Where::kMemory;
    int64_t replicas = 0;  // so many have it there
    bool on_disk_here = false;
  };
  bool IsReached(const Goal& goal) {
    return CountAt(goal.position, goal.where) >= goal.replicas &&
           (!goal.on_disk_here || IsOnDiskHere(goal.position));
  }
  // Ends the client's wait when that is so, and makes the replicas say what they have.
  virtual void Add(std::shared_ptr<BlockedClient> client, const Goal& goal) = 0;
};

struct Services {
  ClientRegistry& clients;
  Parameters& parameters;
  ServerControl& control;
  AccessControl& access;
  Observation& observation;
  Scripts& scripts;
  PubSub& pubsub;  // may be used under locks
  ClientTracking& tracking;
  Monitors& monitors;
  // proto-max-bulk-len: no string becomes longer. Publishes nothing but itself, from CONFIG SET to
  // the event loops; relaxed.
  std::atomic<uint64_t> string_bytes_max = 512ULL << 20;
  EncodingLimits encoding_limits = {};
  // Null: not on this node; set once, before any command runs.
  Migrations* migrations = nullptr;
  Computations* computations = nullptr;  // without: commands compute by themselves
  SnapshotSaver* saver = nullptr;
  AppendLog* append_log = nullptr;
  ReplicaWaits* replica_waits = nullptr;
};

}  // namespace mikura::engine
