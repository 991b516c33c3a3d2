// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/replica_changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/api/elasticache/capacity.h"

namespace mikura::control {
namespace {

ApiResult<> HoldFor(const ActionContext& context, const CacheNetwork& network,
                    const std::vector<CacheCluster>& joining, ReplicationGroup& group,
                    Change& change) {
  std::vector<std::string> zones;
  for (const CacheCluster& cluster : joining) zones.push_back(cluster.nodes.front().zone);
  ASSIGN_OR_RETURN(const std::vector<std::string> held,
                   HoldNetwork(context, network, zones, "replicationgroup/" + group.id, change));
  for (const std::string& key : held) {
    if (std::find(group.held_keys.begin(), group.held_keys.end(), key) == group.held_keys.end()) {
      group.held_keys.push_back(key);
    }
  }
  return Ok();
}

}  // namespace

ApiResult<CacheNetwork> NetworkOf(const ActionContext& context, const WholeGroup& whole) {
  const CacheCluster& member = whole.clusters.front().record;
  std::optional<std::string> subnet_group;
  if (!member.subnet_group.empty()) subnet_group = member.subnet_group;
  return FindNetwork(context, subnet_group, member.security_groups);
}

ApiResult<bool> StoreJoining(const ActionContext& context, const CacheNetwork& network,
                             const std::vector<CacheCluster>& joining, WholeGroup& whole) {
  const CacheStore store(context);
  ReplicationGroup& group = whole.group.record;
  Change change;
  for (const CacheCluster& cluster : joining) {
    ASSIGN_OR_RETURN(const bool exists, store.Exists(store.KeyOf(cluster)));
    if (exists) {
      return ApiError{ApiErrorCode::kInvalidParameterValue,
                      fmt::format("A new member would be named {}, and a cache cluster of that "
                                  "name already exists.",
                                  cluster.id)};
    }
    change.Create(store.KeyOf(cluster), ToJson(cluster));
    group.member_clusters.push_back(cluster.id);
    whole.clusters.push_back({cluster, {}});
  }
  RETURN_IF_ERROR(
      HoldCapacity(context, group.node_type, static_cast<int64_t>(joining.size()), change));
  RETURN_IF_ERROR(HoldFor(context, network, joining, group, change));
  group.status = kStatusModifying;
  change.Replace(whole.group.kv, ToJson(group));
  return NetworkStore(context).Apply(change);
}

ApiResult<bool> StoreLeaving(const ActionContext& context, const std::vector<std::string>& leaving,
                             WholeGroup& whole) {
  ReplicationGroup& group = whole.group.record;
  Change change;
  for (Stored<CacheCluster>& cluster : whole.clusters) {
    if (std::find(leaving.begin(), leaving.end(), cluster.record.id) == leaving.end()) continue;
    cluster.record.status = kStatusDeleting;
    for (CacheNode& node : cluster.record.nodes) node.status = kStatusDeleting;
    change.Replace(cluster.kv, ToJson(cluster.record));
  }
  group.status = kStatusModifying;
  change.Replace(whole.group.kv, ToJson(group));
  return NetworkStore(context).Apply(change);
}

}  // namespace mikura::control
