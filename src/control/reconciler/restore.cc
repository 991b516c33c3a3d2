// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/restore.h"

#include <fmt/format.h>

#include "control/metadata/metadata_keys.h"
#include "control/reconciler/event_log.h"

namespace mikura::control {

void EndRestore(CacheCluster& cluster, const Inventory& inventory, std::vector<Write>& writes) {
  cluster.data_source.clear();
  for (const CacheNode& node : cluster.nodes) {
    const auto found = inventory.nodes.find(cluster.NodeId(node));
    if (found == inventory.nodes.end() || found->second.data_source.empty()) continue;
    NodeSpec spec = found->second;
    spec.data_source.clear();
    writes.push_back(Write::Put(NodeSpecKey(spec.id), ToJson(spec)));
  }
}

void EndRestore(ReplicationGroup& group, const std::vector<Loaded<CacheCluster>*>& clusters,
                const Inventory& inventory, std::vector<Compare>& compares,
                std::vector<Write>& writes) {
  if (group.data_source.empty()) return;
  group.data_source.clear();
  for (Loaded<CacheCluster>* cluster : clusters) {
    EndRestore(cluster->record, inventory, writes);
    compares.push_back(cluster->Unchanged());
    writes.push_back(cluster->Put());
  }
}

std::string RestoreFailure(NodeKeeper& keeper, const std::vector<const NodeSpec*>& nodes) {
  for (const NodeSpec* spec : nodes) {
    if (spec->data_source.empty()) continue;
    std::string reason = keeper.FailureOf(*spec);
    if (reason.find(kCannotLoad) != reason.npos) return reason;
  }
  return "";
}

Result<bool> FailRestore(const ReconcilerContext& context, Loaded<ReplicationGroup>* group,
                         const std::vector<Loaded<CacheCluster>*>& clusters,
                         const std::string& reason) {
  std::vector<Compare> compares;
  std::vector<Write> writes;
  for (Loaded<CacheCluster>* cluster : clusters) {
    for (CacheNode& node : cluster->record.nodes) {
      const std::string id = cluster->record.NodeId(node);
      if (!context.runtime.Observe(id).Gone()) context.runtime.Stop(id);
      node.status = kStatusRestoreFailed;
    }
    cluster->record.status = kStatusRestoreFailed;
    compares.push_back(cluster->Unchanged());
    writes.push_back(cluster->Put());
  }
  if (group != nullptr) {
    group->record.status = kStatusCreateFailed;
    compares.push_back(group->Unchanged());
    writes.push_back(group->Put());
    writes.push_back(context.events.Of(
        group->record, fmt::format("Restore from snapshot failed for replication group {}: {}",
                                   group->record.id, reason)));
  } else {
    const CacheCluster& cluster = clusters.front()->record;
    writes.push_back(context.events.Of(
        cluster,
        fmt::format("Restore from snapshot failed for cache cluster {}: {}", cluster.id, reason)));
  }
  ASSIGN_OR_RETURN(const std::optional<Revision> stored, context.store.Transact(compares, writes));
  return stored.has_value();
}

}  // namespace mikura::control
