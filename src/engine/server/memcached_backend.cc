// SPDX-License-Identifier: Apache-2.0
#include "engine/server/memcached_backend.h"

#include "base/constant_time.h"
#include "base/logging.h"
#include "engine/commands/memcached_commands.h"
#include "engine/server/client_registry.h"
#include "engine/server/loop_group.h"
#include "engine/server/memcached_report.h"
#include "engine/server/tls_binding.h"

namespace mikura::engine {

MemcachedBackend::MemcachedBackend(Keyspace& keyspace, wire::ParameterSet& parameters,
                                   const NodeState& node, const Clock& clock,
                                   const MemcachedSettings& settings, std::function<void()> stop)
    : keyspace_(keyspace),
      parameters_(parameters),
      node_(node),
      settings_(settings),
      users_(settings.auth_file.empty()
                 ? MemcachedUsers(settings.sasl_file, MemcachedUsers::Form::kSasl)
                 : MemcachedUsers(settings.auth_file, MemcachedUsers::Form::kAuthFile)),
      clock_(clock),
      started_at_(clock.NowMillis()),
      stop_(std::move(stop)),
      counts_prefixes_(settings.detail_enabled),
      looks_closer_(settings.detail_enabled),
      watchers_(settings.watcher_buffer_bytes),
      tuning_(settings.shown),
      prefixes_(settings.prefix_delimiter, settings.detail_enabled),
      classes_(tuning_.MakeClasses()),
      rows_(new CounterRow[kThreadsMax]) {
  keyspace.SetRemovalObserver(this);
}

void MemcachedBackend::SetLoops(LoopGroup& loops, ServerClientRegistry& clients) {
  loops_ = &loops;
  clients_ = &clients;
}

wire::MemcachedParserOptions MemcachedBackend::ParserOptions() const {
  wire::MemcachedParserOptions options;
  options.item_size_max = settings_.item_size_max;
  options.protocol = settings_.protocol;
  options.must_authenticate =
      users_.has_file() || node_.has_password.load(std::memory_order_relaxed);
  return options;
}

// With requirepass, Redis' default user is a memcached user too.
bool MemcachedBackend::IsPassword(std::string_view user, std::string_view password) {
  if (users_.IsPassword(user, password)) return true;
  const std::string required = parameters_.Current()->requirepass;
  return !required.empty() && user == "default" && EqualInConstantTime(password, required);
}

std::optional<Fault> MemcachedBackend::Admit(const wire::MemcachedRequest& request,
                                             UnixMillis now) {
  if (node_.loading.load(std::memory_order_relaxed)) return Fault::kLoading;
  if (node_.RefusesStale()) return Fault::kMasterDown;
  const uint64_t limit = node_.maxmemory_bytes.load(std::memory_order_relaxed);
  const bool read_only = node_.read_only.load(std::memory_order_relaxed);
  const bool lacks_replicas = node_.LacksReplicas();
  const bool log_failed = node_.log_error.load(std::memory_order_relaxed) != 0;
  const bool cannot_save = node_.cannot_save.load(std::memory_order_relaxed);
  if (!read_only && !lacks_replicas && !log_failed && !cannot_save && limit == 0) {
    return std::nullopt;
  }
  const MemcachedDemand demand = DemandOf(request);
  if (demand.writes && cannot_save) return Fault::kCannotSave;
  if (demand.writes && log_failed) return Fault::kLogFailed;
  if (demand.writes && read_only) return Fault::kReadOnlyReplica;
  if (demand.writes && lacks_replicas) return Fault::kTooFewReplicas;
  if (!demand.grows) return std::nullopt;
  const bool has_room = keyspace_.MakeRoom(limit, {&request.data, 1}, now);
  watchers_.WakeWaiting();
  if (has_room) return std::nullopt;
  rows_[ThreadIndex()].counters.store_no_memory.Add();
  const uint32_t id = classes_.ClassOf(
      MemcachedEntryBytes(request.key.size(), request.data.size(), request.client_flags));
  class_counters_.Add(id, MemcachedRemoval::kOutOfMemory);
  return Fault::kOutOfMemory;
}

bool MemcachedBackend::IsFencedOff(const wire::MemcachedRequest& request) const {
  const bool is_concerned = DemandOf(request).writes || (request.has_key() && node_.fences_reads());
  return is_concerned && node_.IsFenced();
}

void MemcachedBackend::Run(const wire::MemcachedRequest& request, const Key* key,
                           ClientState& client, MemcachedConnectionAccess& connection,
                           UnixMillis now, Effects& effects, wire::OutputBuffer& out) {
  if (const auto fault = Admit(request, now)) {
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
                           client,
                           connection};
  if (key == nullptr) {
    if (is_observed() && IsFencedOff(request)) [[unlikely]]
      return RefuseMemcached(request, Fault::kFenced, out);
    effects.Begin(keyspace_.change_log().active());
    RunMemcached(context, request);
  } else if (is_observed()) [[unlikely]] {
    Observe(context, request);
  } else {
    RunLocked(context, request);
  }
}

void MemcachedBackend::RunLocked(MemcachedContext& context, const wire::MemcachedRequest& request) {
  keyspace_.RunLocked(*context.key, context.keys.now(), context.keys.effects(), [&] {
    // The node may have become a replica while the shard was waited for.
    if (node_.read_only.load(std::memory_order_relaxed) && DemandOf(request).writes) [[unlikely]] {
      RefuseMemcached(request, Fault::kReadOnlyReplica, context.out);
      return Unit{};
    }
    if (context.observation != nullptr) [[unlikely]] {
      // It may have waited for the lock.
      if (IsFencedOff(request)) {
        RefuseMemcached(request, Fault::kFenced, context.out);
        return Unit{};
      }
      NoteOldEntry(context);
    }
    RunMemcached(context, request);
    return Unit{};
  });
}

// Runs a request with a key and tells those who watch, and the prefixes, when the lock is free
// again.
void MemcachedBackend::Observe(MemcachedContext& context, const wire::MemcachedRequest& request) {
  if (IsFencedOff(request)) return RefuseMemcached(request, Fault::kFenced, context.out);
  MemcachedObservation observation;
  context.observation = &observation;
  RunLocked(context, request);
  if (counts_prefixes_.load(std::memory_order_relaxed)) {
    CountPrefix(request, observation, prefixes_);
  }
  ReportRequest(request, observation, context.connection.fd, watchers_);
}

void MemcachedBackend::Maintain(UnixMillis now, Effects& effects) {
  watchers_.WakeWaiting();
  UnixMillis planned = flush_at_.load(std::memory_order_relaxed);
  if (now < planned) return;
  // A plan made meanwhile stays. One of before the node became a replica is dropped.
  if (flush_at_.compare_exchange_strong(planned, INT64_MAX, std::memory_order_relaxed) &&
      !node_.read_only.load(std::memory_order_relaxed)) {
    rows_[ThreadIndex()].counters.flushed.Add(
        flushed_keys_.Flush(keyspace_, kDatabase, now, effects));
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

MemcachedServerInfo MemcachedBackend::InfoSinceStart() const {
  MemcachedServerInfo info;
  info.started_at = started_at_;
  for (const auto& loop : loops_->loops()) {
    const LoopStatistics& statistics = loop->statistics();
    info.connections_current += statistics.connected_clients.Get();
    info.connections_total += statistics.connections_received.Get();
    info.connections_rejected += statistics.connections_rejected.Get();
    info.bytes_read += statistics.input_bytes.Get();
    info.bytes_written += statistics.output_bytes.Get();
    info.idle_kicks += statistics.idle_closed.Get();
    info.yields += statistics.yields.Get();
  }
  info.memory_limit_bytes = node_.maxmemory_bytes.load(std::memory_order_relaxed);
  info.expired = keyspace_.ExpiredTotal();
  info.evictions = keyspace_.EvictedTotal();
  info.evicted_unfetched = keyspace_.evictor().unfetched_total();
  info.totals = SumTotals();
  return info;
}

MemcachedServerInfo MemcachedBackend::Info() {
  MemcachedServerInfo info = InfoSinceStart();
  constexpr uint64_t MemcachedServerInfo::*kCounts[] = {
      &MemcachedServerInfo::connections_total,
      &MemcachedServerInfo::connections_rejected,
      &MemcachedServerInfo::bytes_read,
      &MemcachedServerInfo::bytes_written,
      &MemcachedServerInfo::expired,
      &MemcachedServerInfo::evictions,
      &MemcachedServerInfo::evicted_unfetched,
      &MemcachedServerInfo::idle_kicks,
      &MemcachedServerInfo::yields,
  };
  MutexLock lock(mutex_);
  for (const auto count : kCounts) info.*count -= mark_.*count;
  info.totals = info.totals.Since(mark_.totals);
  return info;
}

void MemcachedBackend::EnablePrefixes(bool value) {
  prefixes_.Enable(value);
  counts_prefixes_.store(value, std::memory_order_relaxed);
  if (value || !node_.fence.is_set()) looks_closer_.store(value, std::memory_order_relaxed);
}

void MemcachedBackend::ResetStatistics() {
  MutexLock lock(mutex_);
  mark_ = InfoSinceStart();
  watchers_.ResetTotals();
}

void MemcachedBackend::SetVerbosity(uint64_t level) {
  SetLogLevel(level == 0 ? LogLevel::kNotice : level == 1 ? LogLevel::kInfo : LogLevel::kDebug);
}

bool MemcachedBackend::SetMemoryLimit(uint64_t bytes) {
  const std::string text = std::to_string(bytes);
  const std::pair<std::string_view, std::string_view> change{"maxmemory", text};
  return parameters_.Set({&change, 1}).ok();
}

std::string_view MemcachedBackend::RefreshCertificates() {
  const auto current = parameters_.Current();
  if (!UsesTls(*current)) return "Error TLS not enabled\r\n";
  const std::pair<std::string_view, std::string_view> same{"tls-cert-file", current->tls_cert_file};
  if (parameters_.Set({&same, 1}).ok()) return "OK\r\n";
  return "Error loading the certificates: the log says why\r\n";
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
