// SPDX-License-Identifier: Apache-2.0
#include "engine/server/memcached_backend.h"

#include "base/logging.h"
#include "engine/commands/memcached_commands.h"
#include "engine/server/client_registry.h"
#include "engine/server/loop_group.h"

namespace mikura::engine {

MemcachedBackend::MemcachedBackend(Keyspace& keyspace, wire::ParameterSet& parameters,
                                   const NodeState& node, const Clock& clock,
                                   const MemcachedSettings& settings, std::function<void()> stop)
    : keyspace_(keyspace),
      parameters_(parameters),
      node_(node),
      settings_(settings),
      started_at_(clock.NowMillis()),
      stop_(std::move(stop)),
      rows_(new CounterRow[kThreadsMax]) {}

void MemcachedBackend::SetLoops(const LoopGroup& loops, ServerClientRegistry& clients) {
  loops_ = &loops;
  clients_ = &clients;
}

std::optional<Fault> MemcachedBackend::Admit(const wire::MemcachedRequest& request) const {
  if (node_.loading.load(std::memory_order_relaxed)) return Fault::kLoading;
  const uint64_t limit = node_.maxmemory_bytes.load(std::memory_order_relaxed);
  const bool read_only = node_.read_only.load(std::memory_order_relaxed);
  if (!read_only && limit == 0) return std::nullopt;
  const MemcachedDemand demand = DemandOf(request);
  if (demand.writes && read_only) return Fault::kReadOnlyReplica;
  if (demand.grows && keyspace_.IsOverLimit(limit)) return Fault::kOutOfMemory;
  return std::nullopt;
}

void MemcachedBackend::Run(const wire::MemcachedRequest& request, const Key* key,
                           ClientState& client, UnixMillis now, Effects& effects,
                           wire::OutputBuffer& out) {
  if (const auto fault = Admit(request)) {
    RefuseMemcached(request, *fault, out);
    return;
  }
  KeyAccess keys(keyspace_, effects, kDatabase, keyspace_.AccessAt(now));
  MemcachedContext context{keys,
                           key,
                           out,
                           keyspace_,
                           *this,
                           settings_,
                           rows_[ThreadIndex()].counters,
                           node_.read_only.load(std::memory_order_relaxed),
                           client.close_after_reply};
  if (key == nullptr) {
    effects.Begin(keyspace_.change_log().active());
    RunMemcached(context, request);
    return;
  }
  keyspace_.RunLocked(key->shard(), effects, [&] {
    RunMemcached(context, request);
    return Unit{};
  });
}

void MemcachedBackend::Maintain(UnixMillis now, Effects& effects) {
  UnixMillis planned = flush_at_.load(std::memory_order_relaxed);
  if (now < planned) return;
  // A plan made meanwhile stays.
  if (flush_at_.compare_exchange_strong(planned, INT64_MAX, std::memory_order_relaxed)) {
    keyspace_.FlushAll(effects);
  }
}

void MemcachedBackend::SetClusterConfiguration(uint64_t version, std::string nodes) {
  MutexLock lock(mutex_);
  cluster_ = MemcachedCluster{version, std::move(nodes)};
}

MemcachedTotals MemcachedBackend::SumTotals() const {
  MemcachedTotals totals;
  for (uint32_t i = 0; i < kThreadsMax; ++i) totals.Add(rows_[i].counters);
  return totals;
}

MemcachedServerInfo MemcachedBackend::Info() {
  MemcachedServerInfo info;
  info.started_at = started_at_;
  for (const auto& loop : loops_->loops()) {
    const LoopStatistics& statistics = loop->statistics();
    info.connections_current += statistics.connected_clients.Get();
    info.connections_total += statistics.connections_received.Get();
    info.connections_rejected += statistics.connections_rejected.Get();
    info.bytes_read += statistics.input_bytes.Get();
    info.bytes_written += statistics.output_bytes.Get();
  }
  info.memory_limit_bytes = node_.maxmemory_bytes.load(std::memory_order_relaxed);
  MutexLock lock(mutex_);
  info.totals = SumTotals().Since(mark_);
  return info;
}

std::vector<MemcachedConnection> MemcachedBackend::Connections() {
  std::vector<MemcachedConnection> connections;
  for (const ClientInfo& client : clients_->List()) {
    connections.push_back(
        {client.fd, client.state.address, client.state.local_address, client.last_active_at});
  }
  return connections;
}

void MemcachedBackend::ResetStatistics() {
  MutexLock lock(mutex_);
  mark_ = SumTotals();
}

void MemcachedBackend::SetVerbosity(uint64_t level) {
  SetLogLevel(level == 0 ? LogLevel::kNotice : level == 1 ? LogLevel::kInfo : LogLevel::kDebug);
}

bool MemcachedBackend::SetMemoryLimit(uint64_t bytes) {
  const std::string text = std::to_string(bytes);
  const std::pair<std::string_view, std::string_view> change{"maxmemory", text};
  return parameters_.Set({&change, 1}).ok();
}

void MemcachedBackend::PlanFlush(std::optional<UnixMillis> at) {
  flush_at_.store(at.value_or(INT64_MAX), std::memory_order_relaxed);
}

void MemcachedBackend::Shutdown(bool) { stop_(); }

std::optional<MemcachedCluster> MemcachedBackend::Cluster() {
  MutexLock lock(mutex_);
  return cluster_;
}

}  // namespace mikura::engine
