// SPDX-License-Identifier: Apache-2.0
// The server as commands see it: INFO, role, authentication, shutdown (commands/services.h).
#pragma once

#include <functional>
#include <string>

#include "base/mutex.h"
#include "engine/commands/command_table.h"
#include "engine/commands/services.h"
#include "engine/keyspace/keyspace.h"
#include "engine/persistence/append_log.h"
#include "engine/persistence/rdb_file.h"
#include "engine/persistence/snapshot_saver.h"
#include "engine/replication/replication_service.h"
#include "engine/server/client_pause.h"
#include "engine/server/loop_group.h"
#include "engine/server/memory_info.h"
#include "engine/server/node_state.h"
#include "wire/parameter_set.h"

namespace mikura::engine {

class EngineControl final : public ServerControl {
 public:
  // `stop` asks the process to end, from any thread.
  EngineControl(const wire::ParameterSet& parameters, Keyspace& keyspace, NodeState& node,
                const Clock& clock, std::string run_id, std::string config_file,
                std::function<void()> stop);

  // Parts that are built later; each is set once, before the loops start.
  void SetLoops(LoopGroup& loops) { loops_ = &loops; }
  void SetReplication(ReplicationService& replication) { replication_ = &replication; }
  void SetScripts(const Scripts& scripts) { scripts_ = &scripts; }
  void SetMessaging(const PubSub& pubsub, const ClientTracking& tracking) {
    pubsub_ = &pubsub;
    tracking_ = &tracking;
  }
  void SetAppendLog(const AppendLog& append_log) { append_log_ = &append_log; }
  void SetSaver(const SnapshotSaver& saver) { saver_ = &saver; }
  // The node's file is being loaded from now on.
  void NoteLoading() { loading_since_.store(clock_.NowMillis(), std::memory_order_relaxed); }
  LoadProgress& load_progress() { return load_progress_; }
  // What the node began with.
  void NoteLoaded(const LoadedCount& loaded) {
    loaded_keys_.store(loaded.keys, std::memory_order_relaxed);
    loaded_expired_.store(loaded.expired, std::memory_order_relaxed);
  }
  // Once, when everything is built and nothing is served yet.
  void NoteStart() { memory_.NoteStart(*loops_, *scripts_); }

  std::string Info(std::span<const std::string_view> sections) override;
  MemoryReport Memory() override;
  RoleInfo Role() override;
  ShownVersion Version() override;
  bool IsPrimary() override { return !node_.is_replica.load(std::memory_order_relaxed); }
  Status ReplicaOf(std::string_view host, int port) override;
  void Stop() override { stop_(); }
  void SetObservation(Observation& observation, const CommandTable& table) {
    observation_ = &observation;
    table_ = &table;
  }
  bool HasRoom(UnixMillis now) override;
  bool IsReadOnly() override;
  bool IsFenced(bool changes) override {
    return node_.IsFenced() && (changes || node_.fences_reads());
  }
  int LogError() override { return node_.log_error.load(std::memory_order_relaxed); }
  bool LacksReplicas() override { return node_.LacksReplicas(); }
  bool CannotSave() override { return node_.cannot_save.load(std::memory_order_relaxed); }
  bool RefusesStale() override { return node_.RefusesStale(); }
  void ResetStatistics() override;
  void Pause(UnixMillis now, UnixMillis end, bool all) override;
  void Unpause() override;
  // Writes wait until the end of a failover. May be called under locks, from any thread.
  void HoldWrites(bool holds);
  int64_t HoldWritesFor(std::chrono::milliseconds time) override;
  Status StepDown(std::string_view host, int port, int64_t position) override;
  Status Failover(const FailoverRequest& request) override;
  Status AbortFailover() override;
  Status TakeOver(std::string_view id) override;
  bool DebugAllowed(const ClientState& client) override;

 private:
  const wire::ParameterSet& parameters_;
  Keyspace& keyspace_;
  NodeState& node_;
  const Clock& clock_;
  const std::string run_id_;
  const std::string config_file_;
  const UnixMillis started_at_;
  std::function<void()> stop_;
  LoopGroup* loops_ = nullptr;
  const SnapshotSaver* saver_ = nullptr;
  const AppendLog* append_log_ = nullptr;
  // Publish nothing but themselves, to Info.
  std::atomic<uint64_t> loaded_keys_{0};
  std::atomic<uint64_t> loaded_expired_{0};
  ClientPause pause_{node_};
  std::atomic<UnixMillis> loading_since_{0};
  LoadProgress load_progress_;
  ReplicationService* replication_ = nullptr;
  const PubSub* pubsub_ = nullptr;
  const Scripts* scripts_ = nullptr;
  const ClientTracking* tracking_ = nullptr;
  MemoryMeter memory_;
  // The keyspace's totals at the last ResetStatistics; publish nothing but themselves, to Info.
  std::atomic<uint64_t> expired_before_{0};
  std::atomic<uint64_t> evicted_before_{0};
  std::atomic<uint64_t> full_syncs_before_{0};
  std::atomic<uint64_t> partial_syncs_before_{0};
  std::atomic<uint64_t> refused_syncs_before_{0};
  Observation* observation_ = nullptr;   // set once, before any client
  const CommandTable* table_ = nullptr;  // set with it
  LoopStatistics base_;  // written by ResetStatistics, read by Info: relaxed counters
};

}  // namespace mikura::engine
