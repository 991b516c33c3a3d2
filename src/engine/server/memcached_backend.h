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
#include "engine/commands/client_state.h"
#include "engine/commands/memcached_services.h"
#include "engine/keyspace/keyspace.h"
#include "engine/server/memcached_users.h"
#include "engine/server/node_state.h"
#include "engine/server/statistics.h"
#include "wire/memcached_parser.h"
#include "wire/memcached_request.h"
#include "wire/output_buffer.h"
#include "wire/parameter_set.h"

namespace mikura::engine {

class LoopGroup;
class ServerClientRegistry;

class MemcachedBackend final : public MemcachedServices {
 public:
  // The memcached view is database 0.
  static constexpr int kDatabase = 0;

  MemcachedBackend(Keyspace& keyspace, wire::ParameterSet& parameters, const NodeState& node,
                   const Clock& clock, const MemcachedSettings& settings,
                   std::function<void()> stop);

  // Known only after the loops were built; called once before they start.
  void SetLoops(const LoopGroup& loops, ServerClientRegistry& clients);

  // For a client that connects now.
  wire::MemcachedParserOptions ParserOptions() const;

  // Reads the password file, at the start and on SIGHUP; what it said before stays on an error.
  // Errors: the file cannot be read, or is malformed. Does nothing without a file.
  Status LoadUsers() { return users_.Load(); }

  // Runs one request and writes its reply. `key` is the hashed key, or null when it has none.
  void Run(const wire::MemcachedRequest& request, const Key* key, ClientState& client,
           UnixMillis now, Effects& effects, wire::OutputBuffer& out);

  // Carries out a planned flush_all whose moment has come. Called by the first event loop.
  void Maintain(UnixMillis now, Effects& effects);

  // What "config get cluster" answers. Called by the admin thread.
  void SetClusterConfiguration(uint64_t version, std::string nodes) EXCLUDES(mutex_);

  // ---- MemcachedServices
  MemcachedServerInfo Info() override;
  std::vector<MemcachedConnection> Connections() override;
  void ResetStatistics() override;
  void SetVerbosity(uint64_t level) override;
  bool SetMemoryLimit(uint64_t bytes) override;
  void PlanFlush(std::optional<UnixMillis> at) override;
  void Shutdown(bool graceful) override;
  std::optional<MemcachedCluster> Cluster() override;
  bool IsPassword(std::string_view user, std::string_view password) override;

 private:
  std::optional<Fault> Admit(const wire::MemcachedRequest& request, UnixMillis now) const;
  MemcachedTotals SumTotals() const;

  Keyspace& keyspace_;
  wire::ParameterSet& parameters_;
  const NodeState& node_;
  const MemcachedSettings settings_;
  MemcachedUsers users_;
  const UnixMillis started_at_;
  std::function<void()> stop_;
  const LoopGroup* loops_ = nullptr;
  ServerClientRegistry* clients_ = nullptr;

  struct alignas(64) CounterRow {
    MemcachedCounters counters;  // written by the thread of this index only
  };
  std::unique_ptr<CounterRow[]> rows_;  // kThreadsMax

  // The moment of a planned flush_all; INT64_MAX: none. Published to the first loop, which looks at
  // it in each turn of its maintenance.
  std::atomic<UnixMillis> flush_at_{INT64_MAX};

  Mutex mutex_;
  std::optional<MemcachedCluster> cluster_ GUARDED_BY(mutex_);
  MemcachedTotals mark_ GUARDED_BY(mutex_);  // totals at the last ResetStatistics
};

}  // namespace mikura::engine
