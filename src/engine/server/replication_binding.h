// SPDX-License-Identifier: Apache-2.0
// Ties the replication role to the node: which parameters it reads, what a change of role switches.
#pragma once

#include "engine/keyspace/keyspace.h"
#include "engine/replication/replication_service.h"
#include "engine/server/node_state.h"
#include "wire/engine_parameters.h"

namespace mikura::engine {

ReplicationSettings ReplicationSettingsOf(const wire::EngineParameters& parameters);

// A replica refuses clients' writes and leaves expiry to its primary; while it loads, it answers
// LOADING.
ReplicationService::RoleListener SwitchRole(NodeState& node, Keyspace& keyspace);

// Follows the primary that `replicaof` names ("host port"); nothing when it is empty.
Status FollowConfiguredPrimary(const wire::EngineParameters& parameters,
                               ReplicationService& replication);

}  // namespace mikura::engine
