// SPDX-License-Identifier: Apache-2.0
// Runs memcached requests: the locks, the admission, and what the protocol needs to know of the
// node.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/thread_index.h"
#include "engine/commands/memcached_services.h"
#include "engine/keyspace/keyspace.h"
#include "engine/server/client_record.h"
#include "engine/server/memcached_users.h"
#include "engine/server/node_state.h"
#include "engine/server/statistics.h"
#include "wire/memcached_parser.h"
#include "wire/memcached_request.h"
#include "wire/output_buffer.h"
#include "wire/parameter_set.h"

namespace mikura::engine {

class LoopGroup;
class MemcachedUdpServer;
class ServerClientRegistry;

class MemcachedBackend final : public MemcachedServices, public RemovalObserver {
 public:
  // The memcached view is database 0.
  static constexpr int kDatabase = 0;

  MemcachedBackend(Keyspace& keyspace, wire::ParameterSet& parameters, const NodeState& node,
                   const Clock& clock, const MemcachedSettings& settings,
                   std::function<void()> stop);

  // Known only after the loops were built; called once before they start.
  void SetLoops(LoopGroup& loops, ServerClientRegistry& clients);

  // Shown by stats conns. Before clients are served.
  void SetUdp(const MemcachedUdpServer& udp) { udp_ = &udp; }

  // For a client that connects now.
  wire::MemcachedParserOptions ParserOptions() const;

  // Reads the password file, at the start and on SIGHUP; what it said before stays on an error.
  // Errors: the file cannot be read, or is malformed. Does nothing without a file.
  Status LoadUsers() { return users_.Load(); }
  // Whether clients' buffers do not count against the memory limit.
  bool limits_items_only() const { return settings_.limits_items_only; }
  size_t item_size_max() const { return settings_.item_size_max; }
  // Of one connection in a row; 0: as many as a batch holds.
  uint32_t requests_per_event() const { return settings_.requests_per_event; }

  // Runs one request and writes its reply. `key` is the hashed key, or null when it has none.
  void Run(const wire::MemcachedRequest& request, const Key* key, ClientState& client,
           MemcachedConnectionAccess& connection, UnixMillis now, Effects& effects,
           wire::OutputBuffer& out);

  // A connection came or went; `reason` is empty for one that came.
  void NoteConnection(const ClientRecord& record, std::string_view reason);

  // Carries out a planned flush_all whose moment has come. Called by the first event loop.
  void Maintain(UnixMillis now, Effects& effects);

  // Replies wait until what they tell of is durable; for who cannot let them wait.
  bool holds_replies() const { return node_.holds_replies.load(std::memory_order_relaxed); }
  // The node got a fence. It keeps looking at it from then on.
  void BeginFence() { looks_closer_.store(true, std::memory_order_relaxed); }

  // What "config get cluster" answers. Called by the admin thread.
  void SetClusterConfiguration(uint64_t version, std::string nodes) EXCLUDES(mutex_);

  // ---- MemcachedServices
  MemcachedServerInfo Info() override;
  std::vector<MemcachedConnection> Connections(uint64_t asking) override;
  void ResetStatistics() override;
  void SetVerbosity(uint64_t level) override;
  bool SetMemoryLimit(uint64_t bytes) override;
  void PlanFlush(std::optional<UnixMillis> at) override;
  std::string_view RefreshCertificates() override;
  void Shutdown(bool graceful) override;
  std::optional<MemcachedCluster> Cluster() override;
  bool IsPassword(std::string_view user, std::string_view password) override;

  MemcachedTuning& Tuning() override { return tuning_; }
  MemcachedPrefixes& Prefixes() override { return prefixes_; }
  MemcachedClassCounters& ClassCounters() override { return class_counters_; }
  MemcachedExpiredKeys& ExpiredKeys() override { return expired_keys_; }
  MemcachedFlushedKeys& FlushedKeys() override { return flushed_keys_; }
  void EnablePrefixes(bool value) override;
  MemcachedWatchers::Totals Watching() override { return watchers_.totals(); }
  std::unique_ptr<OutputSource> Watch(uint8_t kinds, uint64_t id) override;

  // ---- RemovalObserver
  void OnExpiredEntry(const store::Entry& entry, bool in_background) override;
  void OnEvictedEntry(int database, const store::Entry& entry) override;

 private:
  uint32_t ClassOf(const store::Entry& entry) const;
  std::optional<Fault> Admit(const wire::MemcachedRequest& request, UnixMillis now);
  MemcachedTotals SumTotals() const;
  MemcachedServerInfo InfoSinceStart() const;
  void RunLocked(MemcachedContext& context, const wire::MemcachedRequest& request);
  void Observe(MemcachedContext& context, const wire::MemcachedRequest& request);
  // While a fence is there too: requests take the longer way then, which looks at it.
  bool is_observed() const {
    return looks_closer_.load(std::memory_order_relaxed) ||
           (watchers_.kinds() & (kWatchFetchers | kWatchMutations)) != 0;
  }

  Keyspace& keyspace_;
  wire::ParameterSet& parameters_;
  const NodeState& node_;
  const MemcachedSettings settings_;
  MemcachedUsers users_;
  const Clock& clock_;
  const UnixMillis started_at_;
  std::function<void()> stop_;
  LoopGroup* loops_ = nullptr;
  ServerClientRegistry* clients_ = nullptr;
  const MemcachedUdpServer* udp_ = nullptr;  // null: none is served

  bool IsFencedOff(const wire::MemcachedRequest& request) const;

  // Tells request threads whether to count prefixes; a stale value costs one count.
  std::atomic<bool> counts_prefixes_;
  // Publishes to request threads that prefixes are counted or that there is a fence.
  std::atomic<bool> looks_closer_;
  MemcachedWatchers watchers_;
  MemcachedTuning tuning_;
  MemcachedPrefixes prefixes_;
  const MemcachedClasses classes_;
  MemcachedClassCounters class_counters_;
  MemcachedExpiredKeys expired_keys_;
  MemcachedFlushedKeys flushed_keys_;

  struct alignas(64) CounterRow {
    MemcachedCounters counters;  // written by the thread of this index only
  };
  std::unique_ptr<CounterRow[]> rows_;  // kThreadsMax

  // The moment of a planned flush_all; INT64_MAX: none. Published to the first loop, which looks at
  // it in each turn of its maintenance.
  std::atomic<UnixMillis> flush_at_{INT64_MAX};

  Mutex mutex_;
  std::optional<MemcachedCluster> cluster_ GUARDED_BY(mutex_);
  MemcachedServerInfo mark_ GUARDED_BY(mutex_);  // as it was at the last ResetStatistics
};

}  // namespace mikura::engine
