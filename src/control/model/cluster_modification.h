// SPDX-License-Identifier: Apache-2.0
// What ModifyCacheCluster and RebootCacheCluster change of a cluster that stands alone.
//
//   M1. A change of nodes is pending until it is applied: at once, or in the maintenance window.
//   M2. A node that was added has status creating, one that leaves has status deleting: the
//       reconciler makes them so. Nothing else is modified meanwhile.
//   M3. membership_version rises when nodes begin to leave, and when those that were added or
//       replaced answer.
//   M4. Another engine version, engine or node type is marked in the nodes. A cluster of redis or
//       valkey has it once its node was ended (reconciler/version_change.h), one of memcached when
//       all its nodes were replaced, batch by batch (reconciler/node_batches.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "control/model/api_error.h"
#include "control/model/cache_cluster.h"

namespace mikura::control {

// Empty and nullopt mean "not given".
struct ClusterModification {
  std::optional<int64_t> node_count;
  std::vector<std::string> removed_nodes;
  std::vector<std::string> new_zones;
  std::string az_mode;
  std::string engine;
  std::string engine_version;
  std::string node_type;
  std::optional<int64_t> scale_percentage;
  std::optional<int64_t> scale_interval_minutes;
  std::string parameter_group;
  std::string parameter_family;  // of that group when it is a user's
  std::string maintenance_window;
  std::string snapshot_window;
  std::optional<int64_t> snapshot_retention_limit;
  std::optional<bool> auto_minor_version_upgrade;
  std::vector<AskedLogDelivery> log_deliveries;
  AskedTopic topic;
  bool immediately = false;
};

// zones: of the subnet group, else of the region.
// Errors: kInvalidCacheClusterState unless the cluster is available and stands alone;
// kInvalidParameterValue, kInvalidParameterCombination.
ApiResult<> ModifyCluster(const ClusterModification& asked, const std::vector<std::string>& zones,
                          UnixMillis now, CacheCluster& cluster);

// Makes what is pending the desired state (M1). Nothing pending: nothing happens.
void ApplyPendingNodes(CacheCluster& cluster, UnixMillis now);

// All that is pending: M1, and M4.
void ApplyPending(CacheCluster& cluster, UnixMillis now);
// The cluster has the version, engine and type that were pending, and the parameter group that came
// with them.
void TakePendingChange(CacheCluster& cluster);

// Errors: as above; kInvalidParameterValue for a node that there is none of.
ApiResult<> RebootNodes(const std::vector<std::string>& nodes, CacheCluster& cluster);

}  // namespace mikura::control
