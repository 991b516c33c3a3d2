// SPDX-License-Identifier: Apache-2.0
// From a cache cluster's record to its nodes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/metadata/metadata_store.h"
#include "control/model/cache_cluster.h"
#include "control/model/node.h"

namespace mikura::control {

// The spec of one node of the cluster; `node.endpoint` has been given out.
NodeSpec SpecOf(const CacheCluster& cluster, const CacheNode& node, std::string shard);

// What a node's status is, given what is seen of it now and what was shown before. A node that
// was never available goes on being created.
std::string StatusOfNode(std::string_view before, bool answering, bool settled);

// Sets a cluster's nodes to `status` and the cluster to what follows. Returns whether anything
// changed.
bool SetStatuses(CacheCluster& cluster, const std::vector<std::string>& node_statuses);

// The writes that remove all that a node has in the store, its address included.
std::vector<Write> RemovalOf(const std::string& node_id, const Endpoint& endpoint);

}  // namespace mikura::control
