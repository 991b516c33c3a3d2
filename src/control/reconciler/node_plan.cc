// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/node_plan.h"

#include <algorithm>
#include <utility>

#include "control/metadata/metadata_keys.h"
#include "control/model/node_type.h"
#include "control/reconciler/address_pool.h"

namespace mikura::control {

NodeSpec SpecOf(const CacheCluster& cluster, const CacheNode& node, std::string shard) {
  NodeSpec spec;
  spec.id = cluster.NodeId(node);
  spec.account = cluster.account;
  spec.region = cluster.region;
  spec.cluster_id = cluster.id;
  spec.cache_node_id = node.id;
  spec.shard = std::move(shard);
  spec.engine = cluster.engine;
  spec.engine_version = cluster.engine_version;
  spec.zone = node.zone;
  spec.data_source = cluster.data_source;
  spec.endpoint = node.endpoint;
  spec.serves_tls = cluster.serves_tls;
  // The type was checked when the cluster was created.
  const auto type = NodeTypeOf(cluster.node_type);
  if (type.ok()) {
    spec.memory_bytes = type->memory_bytes;
    spec.threads = type->virtual_cpus;
  }
  return spec;
}

std::string StatusOfNode(std::string_view before, bool answering, bool settled) {
  if (settled) return std::string(kStatusAvailable);
  if (before == kStatusCreating) return std::string(kStatusCreating);
  return std::string(answering ? kStatusModifying : kStatusRebooting);
}

bool SetStatuses(CacheCluster& cluster, const std::vector<std::string>& node_statuses) {
  bool changed = false;
  const auto set = [&](std::string& status, std::string_view now) {
    if (status == now) return;
    status = now;
    changed = true;
  };
  const auto any = [&](std::string_view status) {
    return std::find(node_statuses.begin(), node_statuses.end(), status) != node_statuses.end();
  };
  for (size_t i = 0; i < cluster.nodes.size(); ++i) set(cluster.nodes[i].status, node_statuses[i]);
  const bool creating = cluster.status == kStatusCreating;
  if (any(kStatusCreating) || any(kStatusRebooting) || any(kStatusModifying) ||
      any(kStatusDeleting)) {
    if (!creating) set(cluster.status, any(kStatusRebooting) ? kStatusRebooting : kStatusModifying);
  } else {
    set(cluster.status, cluster.active_snapshot.empty() ? kStatusAvailable : kStatusSnapshotting);
  }
  return changed;
}

std::vector<Write> RemovalOf(const std::string& node_id, const Endpoint& endpoint) {
  std::vector<Write> writes = {Write::DeletePrefix(NodePrefix(node_id))};
  if (!endpoint.empty()) writes.push_back(ReleaseAddress(endpoint.address));
  return writes;
}

}  // namespace mikura::control
