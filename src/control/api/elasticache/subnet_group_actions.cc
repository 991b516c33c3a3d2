// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/subnet_group_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/api/elasticache/answers.h"
#include "control/api/elasticache/cache_store.h"
#include "control/model/identifiers.h"

namespace mikura::control {
namespace {

ApiResult<std::vector<KnownSubnet>> FindSubnets(const ActionContext& context,
                                                const std::vector<std::string>& ids) {
  const NetworkStore networks(context);
  std::vector<KnownSubnet> subnets;
  for (const std::string& id : ids) {
    ASSIGN_OR_RETURN(const auto subnet, networks.FindSubnet(id));
    if (!subnet) {
      return ApiError{ApiErrorCode::kInvalidSubnet,
                      fmt::format("The subnet ID {} does not exist.", id)};
    }
    subnets.push_back({id, subnet->record.vpc_id, subnet->record.zone});
  }
  return subnets;
}

// The clusters whose nodes were placed in the group.
ApiResult<std::vector<CacheCluster>> UsersOf(const ActionContext& context,
                                             const CacheSubnetGroup& group) {
  ASSIGN_OR_RETURN(const auto clusters, CacheStore(context).Clusters());
  std::vector<CacheCluster> users;
  for (const auto& cluster : clusters) {
    if (cluster.record.subnet_group == group.name) users.push_back(cluster.record);
  }
  return users;
}

// A node must keep a subnet in its zone.
ApiResult<> CheckZonesKept(const ActionContext& context, const CacheSubnetGroup& group) {
  const std::vector<std::string> zones = group.Zones();
  ASSIGN_OR_RETURN(const std::vector<CacheCluster> users, UsersOf(context, group));
  for (const CacheCluster& cluster : users) {
    for (const CacheNode& node : cluster.nodes) {
      if (std::find(zones.begin(), zones.end(), node.zone) != zones.end()) continue;
      return ApiError{ApiErrorCode::kSubnetInUse,
                      fmt::format("Cache cluster {} has a node in {}, where the group would have "
                                  "no subnet any more.",
                                  cluster.id, node.zone)};
    }
  }
  return Ok();
}

}  // namespace

ApiResult<elasticache::CreateCacheSubnetGroupResult> CreateCacheSubnetGroup(
    ActionContext& context, const elasticache::CreateCacheSubnetGroupRequest& request) {
  CacheSubnetGroup group;
  ASSIGN_OR_RETURN(group.name, CacheSubnetGroupNameOf(request.cache_subnet_group_name));
  group.account = context.account_id;
  group.region = context.region;
  group.description = request.cache_subnet_group_description;
  ASSIGN_OR_RETURN(group.tags, TagsOf(request.tags));
  ASSIGN_OR_RETURN(const std::vector<KnownSubnet> subnets,
                   FindSubnets(context, request.subnet_ids));
  RETURN_IF_ERROR(SetSubnets(group, subnets));
  Change change;
  change.Create(CacheStore(context).KeyOf(group), ToJson(group));
  ASSIGN_OR_RETURN(const bool created, NetworkStore(context).Apply(change));
  if (!created) {
    return ApiError{ApiErrorCode::kCacheSubnetGroupAlreadyExists,
                    fmt::format("Cache subnet group {} already exists.", group.name)};
  }
  return elasticache::CreateCacheSubnetGroupResult{ToWire(group)};
}

ApiResult<elasticache::DescribeCacheSubnetGroupsResult> DescribeCacheSubnetGroups(
    ActionContext& context, const elasticache::DescribeCacheSubnetGroupsRequest& request) {
  std::vector<Stored<CacheSubnetGroup>> groups;
  if (request.cache_subnet_group_name) {
    ASSIGN_OR_RETURN(auto group, CacheStore(context).SubnetGroup(*request.cache_subnet_group_name));
    groups.push_back(std::move(group));
  } else {
    ASSIGN_OR_RETURN(groups, CacheStore(context).SubnetGroups());
  }
  ASSIGN_OR_RETURN(auto page,
                   PageOf(
                       std::move(groups), [](const auto& group) { return group.record.name; },
                       request.max_records, request.marker));
  elasticache::DescribeCacheSubnetGroupsResult result;
  result.marker = page.next_token;
  for (const auto& group : page.items) result.cache_subnet_groups.push_back(ToWire(group.record));
  return result;
}

ApiResult<elasticache::ModifyCacheSubnetGroupResult> ModifyCacheSubnetGroup(
    ActionContext& context, const elasticache::ModifyCacheSubnetGroupRequest& request) {
  using Result = elasticache::ModifyCacheSubnetGroupResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    ASSIGN_OR_RETURN(auto group, CacheStore(context).SubnetGroup(request.cache_subnet_group_name));
    if (request.cache_subnet_group_description) {
      group.record.description = *request.cache_subnet_group_description;
    }
    if (!request.subnet_ids.empty()) {
      const std::string vpc_id = group.record.vpc_id;
      ASSIGN_OR_RETURN(const std::vector<KnownSubnet> subnets,
                       FindSubnets(context, request.subnet_ids));
      RETURN_IF_ERROR(SetSubnets(group.record, subnets));
      if (group.record.vpc_id != vpc_id) {
        return ApiError{ApiErrorCode::kInvalidSubnet,
                        fmt::format("The subnets are not in {}, the VPC of the group.", vpc_id)};
      }
      RETURN_IF_ERROR(CheckZonesKept(context, group.record));
    }
    Change change;
    change.Replace(group.kv, ToJson(group.record));
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{ToWire(group.record)});
  });
}

ApiResult<elasticache::DeleteCacheSubnetGroupResult> DeleteCacheSubnetGroup(
    ActionContext& context, const elasticache::DeleteCacheSubnetGroupRequest& request) {
  using Result = elasticache::DeleteCacheSubnetGroupResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    ASSIGN_OR_RETURN(const auto group,
                     CacheStore(context).SubnetGroup(request.cache_subnet_group_name));
    ASSIGN_OR_RETURN(const std::vector<CacheCluster> users, UsersOf(context, group.record));
    if (!users.empty()) {
      return ApiError{ApiErrorCode::kCacheSubnetGroupInUse,
                      fmt::format("Cache subnet group {} is currently in use by cache cluster {}.",
                                  group.record.name, users.front().id)};
    }
    Change change;
    change.Delete(group.kv);
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{});
  });
}

}  // namespace mikura::control
