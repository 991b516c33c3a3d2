// SPDX-License-Identifier: Apache-2.0
// Runs memcached requests: the locks, the admission, and what the protocol needs to know of the node.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "engine/commands/client_state.h"
#include "engine/keyspace/keyspace.h"
#include "engine/server/node_state.h"
#include "engine/server/statistics.h"
#include "wire/memcached_request.h"
#include "wire/output_buffer.h"
#include "wire/parameter_set.h"

namespace mikura::engine {

class LoopGroup;
class ServerClientRegistry;

class MemcachedBackend {
 public:
  MemcachedBackend(Keyspace& keyspace, const wire::ParameterSet& parameters, const NodeState& node,
                   const Clock& clock);

  // Known only after the loops were built; before they start.
  void SetLoops(const LoopGroup& loops, const ServerClientRegistry& clients);

  size_t item_size_max() const;

  // Runs one request and writes its reply. `key` is the hashed key, or null when it has none.
  void Run(const wire::MemcachedRequest& request, const Key* key, ClientState& client,
           UnixMillis now, Effects& effects, wire::OutputBuffer& output,
           LoopStatistics& statistics);

  // What "config get cluster" answers. Called by the admin thread.
  void SetClusterConfiguration(uint64_t version, std::string nodes);

 private:
  Keyspace& keyspace_;
  const wire::ParameterSet& parameters_;
  const NodeState& node_;
  const Clock& clock_;
  const LoopGroup* loops_ = nullptr;
  const ServerClientRegistry* clients_ = nullptr;
};

}  // namespace mikura::engine
