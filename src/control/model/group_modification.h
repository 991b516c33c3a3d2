// SPDX-License-Identifier: Apache-2.0
// Rules of ModifyReplicationGroup. Pure.
//
// Attributes that concern the record alone take effect with the call. The size and version of the
// nodes, who leads and automatic failover are pending changes, made at once or in the maintenance
// window.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/model/api_error.h"
#include "control/model/cache_cluster.h"
#include "control/model/replication_group.h"

namespace mikura::control {

// What was asked for; nullopt means "not given".
struct GroupModification {
  std::optional<std::string> description;
  std::optional<std::string> primary_cluster;
  std::optional<bool> automatic_failover;
  std::optional<bool> multi_az;
  std::optional<std::vector<std::string>> security_groups;  // which exist
  std::optional<std::string> maintenance_window;
  std::optional<std::string> snapshot_window;
  std::optional<int64_t> snapshot_retention_limit;
  std::optional<std::string> snapshotting_cluster;
  std::optional<bool> auto_minor_version_upgrade;
  std::optional<std::string> parameter_group;
  std::string parameter_family;  // of that group when it is a user's
  std::optional<std::string> node_type;
  std::optional<std::string> engine;
  std::optional<std::string> engine_version;
  std::vector<AskedLogDelivery> log_deliveries;
  AskedTopic topic;
  bool apply_immediately = false;

  bool Empty() const;
};

// Changes the records as was asked; what takes more than that is in `group.pending`, and with
// apply_immediately `group.applying` is set and the status is modifying.
// Errors: kInvalidParameterValue, kInvalidParameterCombination, kCacheParameterGroupNotFound; the
// records may then be half changed.
ApiResult<> Modify(const GroupModification& asked, ReplicationGroup& group,
                   std::vector<CacheCluster>& clusters, const std::string& primary);

}  // namespace mikura::control
