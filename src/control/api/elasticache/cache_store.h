// SPDX-License-Identifier: Apache-2.0
// Replication groups, cache clusters and subnet groups of one account and region in the store, and
// the helpers that all actions on them share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"
#include "control/api/network_store.h"
#include "control/model/cache_cluster.h"
#include "control/model/cache_parameter_group.h"
#include "control/model/cache_subnet_group.h"
#include "control/model/node.h"
#include "control/model/pagination.h"
#include "control/model/replication_group.h"
#include "control/model/snapshot.h"
#include "control/model/tags.h"

namespace mikura::control {

// What a describe says of the page that it wants.
struct AskedPage {
  const std::optional<int32_t>& max_records;
  const std::optional<std::string>& marker;
};

class CacheStore {
 public:
  explicit CacheStore(const ActionContext& context) : context_(context) {}

  // Sorted by id. Errors: kServiceUnavailable, kInternalFailure (a damaged record), also below.
  ApiResult<std::vector<Stored<ReplicationGroup>>> Groups() const;
  ApiResult<std::vector<Stored<CacheCluster>>> Clusters() const;
  // As PageOf() below.
  ApiResult<Page<Stored<ReplicationGroup>>> GroupPage(const AskedPage& asked) const;
  ApiResult<Page<Stored<CacheCluster>>> ClusterPage(const AskedPage& asked) const;
  ApiResult<std::vector<Stored<CacheSubnetGroup>>> SubnetGroups() const;
  // Those of users; default groups are not stored.
  ApiResult<std::vector<Stored<CacheParameterGroup>>> ParameterGroups() const;

  ApiResult<std::vector<Stored<Snapshot>>> Snapshots() const;

  // Names are taken in any case of letters.
  // Errors: also kReplicationGroupNotFoundFault, kCacheClusterNotFound,
  // kCacheSubnetGroupNotFoundFault, kCacheParameterGroupNotFound, kSnapshotNotFoundFault.
  ApiResult<Stored<ReplicationGroup>> Group(std::string_view id) const;
  ApiResult<Stored<CacheCluster>> Cluster(std::string_view id) const;
  ApiResult<Stored<CacheSubnetGroup>> SubnetGroup(std::string_view name) const;
  // A user's group.
  ApiResult<Stored<CacheParameterGroup>> ParameterGroup(std::string_view name) const;
  ApiResult<Stored<Snapshot>> FindSnapshot(std::string_view name) const;

  // Of a group that is being created there may be none yet.
  ApiResult<std::optional<ShardState>> Shard(const ReplicationGroup& group) const;

  std::string KeyOf(const ReplicationGroup& group) const;
  std::string KeyOf(const CacheCluster& cluster) const;
  std::string KeyOf(const CacheSubnetGroup& group) const;
  std::string KeyOf(const CacheParameterGroup& group) const;
  std::string KeyOf(const Snapshot& snapshot) const;
  ApiResult<bool> Exists(std::string_view key) const;

 private:
  const ActionContext& context_;
};

// The subnet group and the security groups that a new cache names.
struct CacheNetwork {
  std::optional<Stored<CacheSubnetGroup>> subnet_group;
  std::vector<Stored<SecurityGroup>> security_groups;
  std::vector<std::string> zones;  // of the subnet group, else of the region
};

// Errors: kCacheSubnetGroupNotFoundFault; kInvalidParameterValue for a security group that is
// unknown or of another VPC than the subnet group.
ApiResult<CacheNetwork> FindNetwork(const ActionContext& context,
                                    const std::optional<std::string>& subnet_group,
                                    const std::vector<std::string>& security_groups);

// Adds to `change` that `user` ("replicationgroup/demo") holds what it uses of the network, so
// that it is not deleted under it. Returns the keys to remove with the user.
ApiResult<std::vector<std::string>> HoldNetwork(const ActionContext& context,
                                                const CacheNetwork& network,
                                                const std::vector<std::string>& zones,
                                                std::string_view user, Change& change);

// Errors: kInvalidParameterValue, kTagQuotaPerResourceExceeded.
ApiResult<Tags> TagsOf(const std::vector<elasticache::Tag>& tags);

// One page of a describe. Errors: kInvalidParameterValue for MaxRecords outside 20 to 100 and a
// Marker that is not ours.
template <typename T, typename KeyOf>
ApiResult<Page<T>> PageOf(std::vector<T> items, KeyOf key_of,
                          const std::optional<int32_t>& max_records,
                          const std::optional<std::string>& marker) {
  ASSIGN_OR_RETURN(const size_t size, PageSize(max_records, 20, 100, "MaxRecords"));
  auto page = Paginate(std::move(items), key_of, marker, size);
  if (page) return std::move(*page);
  return ApiError{ApiErrorCode::kInvalidParameterValue, "The Marker is not valid."};
}

}  // namespace mikura::control
