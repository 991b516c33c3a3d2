// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/parameter_group_use.h"

#include <utility>

#include "base/logging.h"
#include "control/api/elasticache/cache_store.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/node_parameters.h"

namespace mikura::control {
namespace {

constexpr char kInSync[] = "in-sync";
constexpr char kApplying[] = "applying";
constexpr char kPendingReboot[] = "pending-reboot";

}  // namespace

ApiResult<std::string> HoldParameterGroup(const ActionContext& context,
                                          const std::optional<std::string>& name, Change& change) {
  if (!name || name->empty()) return std::string();
  const auto group = CacheStore(context).ParameterGroup(*name);
  if (!group.ok()) {
    if (group.error().code != ApiErrorCode::kCacheParameterGroupNotFound) return group.error();
    return std::string();
  }
  change.Touch(group->kv);
  return group->record.family;
}

ApiResult<std::string> ParameterStatusReader::VersionOf(const std::string& group) {
  const auto known = versions_.find(group);
  if (known != versions_.end()) return known->second;
  std::string version;
  if (const auto standard =
          FindDefaultParameterGroup(context_.account_id, context_.region, group)) {
    version = standard->version;
  } else {
    const auto found = CacheStore(context_).ParameterGroup(group);
    if (found.ok()) {
      version = found->record.version;
    } else if (found.error().code != ApiErrorCode::kCacheParameterGroupNotFound) {
      return found.error();
    }
  }
  versions_[group] = version;
  return version;
}

ApiResult<std::string> ParameterStatusReader::StatusOf(const CacheCluster& cluster,
                                                       const CacheNode& node) {
  ASSIGN_OR_RETURN(const std::string version, VersionOf(cluster.parameter_group));
  const auto stored = context_.store.Get(NodeParametersKey(cluster.NodeId(node)));
  if (!stored.ok()) {
    Log(LogLevel::kError, "api", "{}", stored.error().message);
    return ApiError{ApiErrorCode::kServiceUnavailable, {}};
  }
  if (!stored->has_value()) return std::string(kApplying);
  const auto followed = NodeParametersFromJson((*stored)->value);
  if (!followed.ok() || followed->group != cluster.parameter_group ||
      followed->version != version) {
    return std::string(kApplying);
  }
  return std::string(followed->pending.empty() ? kInSync : kPendingReboot);
}

ApiResult<> ParameterStatusReader::Add(const CacheCluster& cluster,
                                       elasticache::CacheCluster& wire) {
  // What is created starts with the group's values, and what is deleted needs none.
  if (cluster.status == kStatusCreating || cluster.status == kStatusDeleting) return Ok();
  elasticache::CacheParameterGroupStatus status;
  status.cache_parameter_group_name = cluster.parameter_group;
  status.parameter_apply_status = kInSync;
  for (size_t i = 0; i < cluster.nodes.size(); ++i) {
    ASSIGN_OR_RETURN(const std::string of_node, StatusOf(cluster, cluster.nodes[i]));
    if (i < wire.cache_nodes.size()) wire.cache_nodes[i].parameter_group_status = of_node;
    if (of_node == kPendingReboot) {
      status.cache_node_ids_to_reboot.push_back(cluster.nodes[i].id);
    }
    if (of_node != kInSync && status.parameter_apply_status != kApplying) {
      status.parameter_apply_status = of_node;
    }
  }
  wire.cache_parameter_group = std::move(status);
  return Ok();
}

}  // namespace mikura::control
