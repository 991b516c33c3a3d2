// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/retained_primary.h"

#include <string_view>

#include "base/logging.h"
#include "control/metadata/metadata_keys.h"
#include "control/reconciler/shard_controller.h"

namespace mikura::control {
namespace {

// "<resource>/replicationgroup/demo" as "<resource>/cluster/demo-001": the name may be given to
// another group.
std::string HeldByCluster(std::string_view key, const ReplicationGroup& group,
                          const CacheCluster& cluster) {
  const std::string_view user = "replicationgroup/";
  const size_t at = key.rfind(user);
  if (at == std::string_view::npos || key.substr(at + user.size()) != group.id) {
    return std::string(key);
  }
  return std::string(key.substr(0, at)) + "cluster/" + cluster.id;
}

}  // namespace

const Loaded<CacheCluster>* RetainedOf(const ReplicationGroup& group,
                                       const std::vector<Loaded<CacheCluster>*>& clusters) {
  if (group.retained_cluster.empty()) return nullptr;
  for (const auto* cluster : clusters) {
    if (cluster->record.id == group.retained_cluster) return cluster;
  }
  return nullptr;
}

bool LeaveEndpoints(const ReconcilerContext& context, const std::string& node_id) {
  const NodeObservation seen = context.runtime.Observe(node_id);
  // One that is down is started without them.
  if (seen.Gone()) return true;
  if (!seen.answering) return false;
  for (const char* listener : {kPrimaryListener, kReaderListener}) {
    if (!seen.HasListener(listener)) continue;
    const Status closed = context.runtime.Unlisten(node_id, listener);
    if (closed.ok()) continue;
    Log(LogLevel::kWarning, "reconciler", "node {}: {}", node_id, closed.error().message);
    return false;
  }
  return true;
}

void StandAlone(const ReplicationGroup& group, const Loaded<CacheCluster>& cluster,
                const Inventory& inventory, std::vector<Compare>& compares,
                std::vector<Write>& writes) {
  CacheCluster record = cluster.record;
  record.replication_group.clear();
  record.snapshot_retention_limit = group.snapshot_retention_limit;
  record.snapshot_window = group.snapshot_window;
  record.log_deliveries = group.log_deliveries;
  record.access = group.access.wanted;
  record.auth_token_changed_at = group.access.auth_token_changed_at;
  record.held_keys.clear();
  for (const std::string& key : group.held_keys) {
    record.held_keys.push_back(HeldByCluster(key, group, record));
    writes.push_back(Write::Put(record.held_keys.back(), "{}"));
  }
  const auto found = inventory.nodes.find(record.NodeId(record.nodes.front()));
  if (found != inventory.nodes.end()) {
    NodeSpec spec = found->second;
    spec.shard.clear();
    writes.push_back(Write::Put(NodeSpecKey(spec.id), ToJson(spec)));
  }
  compares.push_back(cluster.Unchanged());
  writes.push_back(Write::Put(cluster.kv.key, ToJson(record)));
}

}  // namespace mikura::control
