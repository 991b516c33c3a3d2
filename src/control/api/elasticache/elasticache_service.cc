// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/elasticache_service.h"

#include "control/api/action.h"
#include "control/api/elasticache/cache_cluster_actions.h"
#include "control/api/elasticache/elasticache_codec.h"
#include "control/api/elasticache/empty_list_actions.h"
#include "control/api/elasticache/engine_version_actions.h"
#include "control/api/elasticache/node_type_actions.h"
#include "control/api/elasticache/parameter_actions.h"
#include "control/api/elasticache/parameter_group_actions.h"
#include "control/api/elasticache/replication_group_actions.h"
#include "control/api/elasticache/subnet_group_actions.h"
#include "control/api/elasticache/tag_actions.h"

namespace mikura::control {
namespace {

// An operation with no row here is answered as not available yet.
constexpr ActionRow kActions[] = {
    ActionFor<AddTagsToResource>("AddTagsToResource"),
    ActionFor<CreateCacheCluster>("CreateCacheCluster"),
    ActionFor<CreateCacheParameterGroup>("CreateCacheParameterGroup"),
    ActionFor<CreateCacheSubnetGroup>("CreateCacheSubnetGroup"),
    ActionFor<CreateReplicationGroup>("CreateReplicationGroup"),
    ActionFor<DeleteCacheCluster>("DeleteCacheCluster"),
    ActionFor<DeleteCacheParameterGroup>("DeleteCacheParameterGroup"),
    ActionFor<DeleteCacheSubnetGroup>("DeleteCacheSubnetGroup"),
    ActionFor<DeleteReplicationGroup>("DeleteReplicationGroup"),
    ActionFor<DescribeCacheClusters>("DescribeCacheClusters"),
    ActionFor<DescribeCacheEngineVersions>("DescribeCacheEngineVersions"),
    ActionFor<DescribeCacheParameterGroups>("DescribeCacheParameterGroups"),
    ActionFor<DescribeCacheParameters>("DescribeCacheParameters"),
    ActionFor<DescribeCacheSecurityGroups>("DescribeCacheSecurityGroups"),
    ActionFor<DescribeCacheSubnetGroups>("DescribeCacheSubnetGroups"),
    ActionFor<DescribeEngineDefaultParameters>("DescribeEngineDefaultParameters"),
    ActionFor<DescribeGlobalReplicationGroups>("DescribeGlobalReplicationGroups"),
    ActionFor<DescribeReplicationGroups>("DescribeReplicationGroups"),
    ActionFor<DescribeReservedCacheNodes>("DescribeReservedCacheNodes"),
    ActionFor<DescribeReservedCacheNodesOfferings>("DescribeReservedCacheNodesOfferings"),
    ActionFor<DescribeServerlessCacheSnapshots>("DescribeServerlessCacheSnapshots"),
    ActionFor<DescribeServerlessCaches>("DescribeServerlessCaches"),
    ActionFor<DescribeServiceUpdates>("DescribeServiceUpdates"),
    ActionFor<DescribeUpdateActions>("DescribeUpdateActions"),
    ActionFor<ListAllowedNodeTypeModifications>("ListAllowedNodeTypeModifications"),
    ActionFor<ListTagsForResource>("ListTagsForResource"),
    ActionFor<ModifyCacheParameterGroup>("ModifyCacheParameterGroup"),
    ActionFor<ModifyCacheSubnetGroup>("ModifyCacheSubnetGroup"),
    ActionFor<RemoveTagsFromResource>("RemoveTagsFromResource"),
    ActionFor<ResetCacheParameterGroup>("ResetCacheParameterGroup"),
};

}  // namespace

ApiService ElastiCacheService() { return {&elasticache::kDescription, kActions}; }

}  // namespace mikura::control
