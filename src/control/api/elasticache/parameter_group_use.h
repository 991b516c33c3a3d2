// SPDX-License-Identifier: Apache-2.0
// What caches have to do with parameter groups: they begin to use one, and show how far their nodes
// have taken it over.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"
#include "control/api/network_store.h"
#include "control/model/cache_cluster.h"

namespace mikura::control {

// The family of the user's group that a new or changed cache names; empty for a default group and
// for one that does not exist, which ParameterGroupOf() of the model tells apart. Adds to `change`
// that the group must not be deleted meanwhile.
ApiResult<std::string> HoldParameterGroup(const ActionContext& context,
                                          const std::optional<std::string>& name, Change& change);

// Shows of clusters whether their nodes follow their parameter groups; reads each group once.
class ParameterStatusReader {
 public:
  explicit ParameterStatusReader(const ActionContext& context) : context_(context) {}

  ApiResult<> Add(const CacheCluster& cluster, elasticache::CacheCluster& wire);

 private:
  // "in-sync", "applying" or "pending-reboot".
  ApiResult<std::string> StatusOf(const CacheCluster& cluster, const CacheNode& node);
  ApiResult<std::string> VersionOf(const std::string& group);

  const ActionContext& context_;
  std::map<std::string, std::string> versions_;  // of groups, by name
};

}  // namespace mikura::control
