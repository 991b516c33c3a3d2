// SPDX-License-Identifier: Apache-2.0
// All parts of one node: built in order, taken down in reverse. The only place where they all meet.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/commands/command_table.h"
#include "engine/commands/stream_executor.h"
#include "engine/keyspace/keyspace.h"
#include "engine/messaging/client_tracking.h"
#include "engine/messaging/monitors.h"
#include "engine/messaging/pubsub.h"
#include "engine/persistence/append_log.h"
#include "engine/persistence/asked_snapshot.h"
#include "engine/persistence/snapshot.h"
#include "engine/persistence/snapshot_saver.h"
#include "engine/replication/replication_service.h"
#include "engine/server/admin_server.h"
#include "engine/server/computation_threads.h"
#include "engine/server/engine_control.h"
#include "engine/server/loop_group.h"
#include "engine/server/memcached_udp.h"
#include "engine/server/migration_workers.h"
#include "engine/server/parameter_adapter.h"
#include "engine/server/replica_wait_list.h"
#include "engine/server/reply_guard.h"
#include "wire/parameter_set.h"

namespace mikura::engine {

class Engine {
 public:
  // Starts no thread. `stop` is called, from any thread, when a client asks the process to end;
  // `parameters` outlives the engine.
  Engine(wire::ParameterSet& parameters, const std::string& config_file,
         const MemcachedSettings& memcached_settings, std::unique_ptr<Keyspace> keyspace,
         const std::function<void()>& stop);

  // Errors: a password file cannot be read, the primary's address or the UDP port or the admin
  // socket cannot be used. After an error, too, Stop() must be called.
  Status Start(const std::vector<std::shared_ptr<Listener>>& listeners);

  // Start() returns soon, with an error if it is loading data. From any thread.
  void InterruptLoading() {
    control_.load_progress().is_interrupted.store(true, std::memory_order_relaxed);
  }

  // Reads the password files again; those of before stay when that fails, with a warning logged.
  void ReloadPasswords();

  // As memcached, for start scripts that let it choose: names the ports in the file that
  // MEMCACHED_PORT_FILENAME names. Errors: the file cannot be written.
  Status WritePortFile(const std::vector<std::shared_ptr<Listener>>& listeners) const;

  // Saves a snapshot when the settings ask for one at the end; writes wait from then on. False: it
  // failed, which is logged, and the node goes on.
  bool SaveAtEnd();

  // Ends all threads and closes all connections.
  void Stop();

 private:
  uint32_t ThreadCount() const;
  void UnblockClients();
  Status LoadSnapshot();
  Status LoadAppendLog();
  void ConnectAppendLog();

  wire::ParameterSet& parameters_;
  const std::shared_ptr<const wire::EngineParameters> current_;  // as they were at the start
  const bool has_snapshot_;
  const SystemClock clock_;
  const SystemFenceClock fence_clock_;
  NodeState node_{fence_clock_};
  const std::unique_ptr<Keyspace> keyspace_;
  const CommandTable table_{current_->restricted_commands};
  TlsContexts tls_;
  AccessControl access_{table_};
  Observation observation_;
  Scripts scripts_;
  EngineControl control_;
  ServerClientRegistry clients_;
  ParameterAdapter adapter_;
  DeliveryQueues deliveries_;
  PubSub pubsub_;
  ClientTracking tracking_;
  Monitors monitors_{deliveries_};
  ReplicaWaitList replica_waits_;
  KeyEventPublisher key_events_{pubsub_};
  Services services_;
  Dispatcher dispatcher_;
  MemcachedBackend memcached_;
  const int udp_port_;
  MemcachedUdpServer udp_;
  SnapshotSlots snapshot_slots_;
  SnapshotSaver saver_;
  AskedSnapshot asked_snapshot_;
  StreamExecutor stream_executor_;
  ReplicationService replication_;
  DurableHorizon horizon_;
  AppendLog append_log_;
  LoopContext context_;
  std::unique_ptr<LoopGroup> loops_;
  std::unique_ptr<ReplyGuard> guard_;
  std::unique_ptr<AdminServer> admin_;
  MigrationWorkers migrations_{clock_};
  ComputationThreads computations_;
};

}  // namespace mikura::engine
