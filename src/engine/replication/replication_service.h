// SPDX-License-Identifier: Apache-2.0
// Interim: a node that is always a primary without replicas. Replaced when replication is merged.
#pragma once

#include "base/unique_fd.h"
#include "engine/commands/services.h"
#include "engine/keyspace/keyspace.h"
#include "wire/parameter_set.h"

namespace mikura::engine {

class CommandTable;
struct NodeState;

class ReplicationService {
 public:
  ReplicationService(Keyspace&, const CommandTable&, wire::ParameterSet&, NodeState&,
                     const Clock&) {}
  RoleInfo Role() { return {}; }
  Status ReplicaOf(std::string_view, int) { return Error{"replication is not available yet"}; }
  std::string InfoText() { return "role:master\r\nconnected_slaves:0\r\n"; }
  void Adopt(UniqueFd, const ClientState&, std::string) {}
  void Start() {}
  void Stop() {}
};

}  // namespace mikura::engine
