// SPDX-License-Identifier: Apache-2.0
#include "engine/server/engine_control.h"

#include "engine/server/info.h"

namespace mikura::engine {
namespace {

constexpr Counter LoopStatistics::*kResettable[] = {
    &LoopStatistics::commands,      &LoopStatistics::connections_received,
    &LoopStatistics::input_bytes,   &LoopStatistics::output_bytes,
    &LoopStatistics::hits,          &LoopStatistics::misses,
    &LoopStatistics::error_replies, &LoopStatistics::connections_rejected,
    &LoopStatistics::expiry_micros,
};

}  // namespace

EngineControl::EngineControl(const wire::ParameterSet& parameters, Keyspace& keyspace,
                             NodeState& node, const Clock& clock, std::string run_id,
                             std::string config_file, std::function<void()> stop)
    : parameters_(parameters),
      keyspace_(keyspace),
      node_(node),
      clock_(clock),
      run_id_(std::move(run_id)),
      config_file_(std::move(config_file)),
      started_at_(clock.NowMillis()),
      stop_(std::move(stop)),
      memory_(keyspace, node) {}

std::string EngineControl::Info(std::span<const std::string_view> sections) {
  observation_->scale.Refine();
  InfoSources sources{.keyspace = keyspace_,
                      .node = node_,
                      .observation = *observation_,
                      .table = *table_,
                      .pubsub = *pubsub_,
                      .tracking = tracking_->counts(),
                      .base = base_};
  for (const auto& loop : loops_->loops()) sources.loops.push_back(&loop->statistics());
  sources.started_at = started_at_;
  sources.now = clock_.NowMillis();
  sources.run_id = run_id_;
  sources.config_file = config_file_;
  const auto current = parameters_.Current();
  sources.version = current->shown_version;
  sources.valkey_version = current->shown_valkey_version;
  sources.tcp_port = static_cast<int>(current->port != 0 ? current->port : current->tls_port);
  sources.threads = loops_->loops().size();
  sources.replication = replication_->InfoText();
  sources.expired_before = expired_before_.load(std::memory_order_relaxed);
  sources.evicted_before = evicted_before_.load(std::memory_order_relaxed);
  const SyncCounts syncs = replication_->sync_counts();
  sources.syncs = {syncs.full - full_syncs_before_.load(std::memory_order_relaxed),
                   syncs.partial - partial_syncs_before_.load(std::memory_order_relaxed),
                   syncs.partial_refused - refused_syncs_before_.load(std::memory_order_relaxed)};
  sources.memory = Memory();
  sources.saving = saver_->status();
  sources.append_log = append_log_->status();
  sources.loaded = {loaded_keys_.load(std::memory_order_relaxed),
                    loaded_expired_.load(std::memory_order_relaxed)};
  sources.loading_since = loading_since_.load(std::memory_order_relaxed);
  sources.load_bytes_total = load_progress_.bytes_total.load(std::memory_order_relaxed);
  sources.load_bytes_done = load_progress_.bytes_done.load(std::memory_order_relaxed);
  return InfoText(sources, sections);
}

MemoryReport EngineControl::Memory() {
  const ReplicationStatus status = replication_->status();
  return memory_.Read(
      *loops_, *scripts_,
      status.backlog_active ? static_cast<uint64_t>(status.backlog.end - status.backlog.begin) : 0);
}

RoleInfo EngineControl::Role() {
  const ReplicationStatus status = replication_->status();
  RoleInfo role{.is_primary = status.is_primary, .offset = status.offset};
  for (const ReplicaStatus& replica : status.replicas) {
    if (replica.state != "online") continue;
    role.replicas.push_back({replica.host, replica.port, replica.offset});
  }
  role.primary_host = status.primary_host;
  role.primary_port = status.primary_port;
  role.link_state = status.link_state;
  if (!status.is_primary && !status.link_up()) role.offset = -1;
  return role;
}

ShownVersion EngineControl::Version() {
  const auto current = parameters_.Current();
  const bool is_valkey = !current->shown_valkey_version.empty();
  return {is_valkey ? "valkey" : "redis",
          is_valkey ? current->shown_valkey_version : current->shown_version};
}

Status EngineControl::ReplicaOf(std::string_view host, int port) {
  return replication_->ReplicaOf(host, port);
}

bool EngineControl::HasRoom(UnixMillis now) {
  return keyspace_.MakeRoom(node_.maxmemory_bytes.load(std::memory_order_relaxed), {}, now);
}

bool EngineControl::IsReadOnly() {
  return node_.read_only.load(std::memory_order_relaxed) || node_.IsFenced();
}

void EngineControl::ResetStatistics() {
  observation_->ResetStatistics();
  for (Counter LoopStatistics::*counter : kResettable) {
    uint64_t total = 0;
    for (const auto& loop : loops_->loops()) total += (loop->statistics().*counter).Get();
    (base_.*counter).Set(total);
  }
  expired_before_.store(keyspace_.ExpiredTotal(), std::memory_order_relaxed);
  evicted_before_.store(keyspace_.EvictedTotal(), std::memory_order_relaxed);
  const SyncCounts syncs = replication_->sync_counts();
  full_syncs_before_.store(syncs.full, std::memory_order_relaxed);
  partial_syncs_before_.store(syncs.partial, std::memory_order_relaxed);
  refused_syncs_before_.store(syncs.partial_refused, std::memory_order_relaxed);
}

bool EngineControl::DebugAllowed(const ClientState& client) {
  const std::string allowed = parameters_.Current()->enable_debug_command;
  if (allowed == "yes") return true;
  return allowed == "local" &&
         (client.address.starts_with("127.") || client.address.starts_with("[::1]") ||
          client.address.starts_with("/"));
}

void EngineControl::Pause(UnixMillis now, UnixMillis end, bool all) {
  pause_.Begin(now, end, all);
  keyspace_.set_paused(true);
}

void EngineControl::Unpause() {
  pause_.End();
  keyspace_.set_paused(pause_.is_active(clock_.NowMillis()));
  loops_->WakeAll();
}

void EngineControl::HoldWrites(bool holds) {
  if (!pause_.HoldWrites(holds)) return;
  keyspace_.set_paused(pause_.is_active(clock_.NowMillis()));
  if (!holds && loops_ != nullptr) loops_->WakeAll();
}

int64_t EngineControl::HoldWritesFor(std::chrono::milliseconds time) {
  const UnixMillis now = clock_.NowMillis();
  pause_.HoldWritesUntil(time.count() > 0 ? now + time.count() : 0);
  keyspace_.set_paused(pause_.is_active(now));
  if (time.count() <= 0 && loops_ != nullptr) loops_->WakeAll();
  int64_t end = 0;
  keyspace_.WithGate({}, [&] { end = keyspace_.change_log().head(); });
  return end;
}

Status EngineControl::StepDown(std::string_view host, int port, int64_t position) {
  return replication_->StepDown(host, port, position);
}

Status EngineControl::Failover(const FailoverRequest& request) {
  return replication_->StartFailover(request);
}

Status EngineControl::AbortFailover() { return replication_->AbortFailover(); }

Status EngineControl::TakeOver(std::string_view id) { return replication_->TakeOver(id); }

}  // namespace mikura::engine
