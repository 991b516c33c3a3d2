// SPDX-License-Identifier: Apache-2.0
// Ties the replication role to the node: which parameters it reads, what a change of role switches.
#pragma once

#include <functional>

#include "engine/keyspace/keyspace.h"
#include "engine/replication/replication_service.h"
#include "engine/server/node_state.h"
#include "wire/engine_parameters.h"

namespace mikura::engine {

ReplicationSettings ReplicationSettingsOf(const wire::EngineParameters& parameters);

// A replica refuses clients' writes, with replica-read-only, and leaves expiry to its primary;
// while it loads, it answers LOADING. unblock_clients: ends the waits of clients, soon; called with
// locks held, for a node that has become a replica. hold_writes: makes clients' writes wait, or
// ends that; called with locks held too.
ReplicationService::RoleListener SwitchRole(NodeState& node, Keyspace& keyspace,
                                            std::function<void()> unblock_clients,
                                            std::function<void(bool)> hold_writes);

// Follows the primary that `replicaof` names ("host port"); nothing when it is empty.
Status FollowConfiguredPrimary(const wire::EngineParameters& parameters,
                               ReplicationService& replication);

}  // namespace mikura::engine
