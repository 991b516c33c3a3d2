// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/elasticache_service.h"

#include "control/api/action.h"
#include "control/api/elasticache/cache_cluster_actions.h"
#include "control/api/elasticache/cluster_modification_actions.h"
#include "control/api/elasticache/elasticache_codec.h"
#include "control/api/elasticache/empty_list_actions.h"
#include "control/api/elasticache/engine_version_actions.h"
#include "control/api/elasticache/event_actions.h"
#include "control/api/elasticache/group_modification_actions.h"
#include "control/api/elasticache/node_type_actions.h"
#include "control/api/elasticache/parameter_actions.h"
#include "control/api/elasticache/parameter_group_actions.h"
#include "control/api/elasticache/replica_count_actions.h"
#include "control/api/elasticache/replication_group_actions.h"
#include "control/api/elasticache/snapshot_actions.h"
#include "control/api/elasticache/subnet_group_actions.h"
#include "control/api/elasticache/tag_actions.h"
#include "control/api/elasticache/test_failover_actions.h"
#include "control/api/elasticache/user_actions.h"
#include "control/api/elasticache/user_group_actions.h"

namespace mikura::control {
namespace {

// An operation with no row here is answered as not available yet.
constexpr ActionRow kActions[] = {
    ActionFor<AddTagsToResource>("AddTagsToResource"),
    ActionFor<CopySnapshot>("CopySnapshot"),
    ActionFor<CreateCacheCluster>("CreateCacheCluster"),
    ActionFor<CreateCacheParameterGroup>("CreateCacheParameterGroup"),
    ActionFor<CreateCacheSubnetGroup>("CreateCacheSubnetGroup"),
    ActionFor<CreateReplicationGroup>("CreateReplicationGroup"),
    ActionFor<CreateSnapshot>("CreateSnapshot"),
    ActionFor<CreateUser>("CreateUser"),
    ActionFor<CreateUserGroup>("CreateUserGroup"),
    ActionFor<DecreaseReplicaCount>("DecreaseReplicaCount"),
    ActionFor<DeleteCacheCluster>("DeleteCacheCluster"),
    ActionFor<DeleteCacheParameterGroup>("DeleteCacheParameterGroup"),
    ActionFor<DeleteCacheSubnetGroup>("DeleteCacheSubnetGroup"),
    ActionFor<DeleteReplicationGroup>("DeleteReplicationGroup"),
    ActionFor<DeleteSnapshot>("DeleteSnapshot"),
    ActionFor<DeleteUser>("DeleteUser"),
    ActionFor<DeleteUserGroup>("DeleteUserGroup"),
    ActionFor<DescribeCacheClusters>("DescribeCacheClusters"),
    ActionFor<DescribeCacheEngineVersions>("DescribeCacheEngineVersions"),
    ActionFor<DescribeCacheParameterGroups>("DescribeCacheParameterGroups"),
    ActionFor<DescribeCacheParameters>("DescribeCacheParameters"),
    ActionFor<DescribeCacheSecurityGroups>("DescribeCacheSecurityGroups"),
    ActionFor<DescribeCacheSubnetGroups>("DescribeCacheSubnetGroups"),
    ActionFor<DescribeEngineDefaultParameters>("DescribeEngineDefaultParameters"),
    ActionFor<DescribeEvents>("DescribeEvents"),
    ActionFor<DescribeGlobalReplicationGroups>("DescribeGlobalReplicationGroups"),
    ActionFor<DescribeReplicationGroups>("DescribeReplicationGroups"),
    ActionFor<DescribeReservedCacheNodes>("DescribeReservedCacheNodes"),
    ActionFor<DescribeReservedCacheNodesOfferings>("DescribeReservedCacheNodesOfferings"),
    ActionFor<DescribeServerlessCacheSnapshots>("DescribeServerlessCacheSnapshots"),
    ActionFor<DescribeServerlessCaches>("DescribeServerlessCaches"),
    ActionFor<DescribeServiceUpdates>("DescribeServiceUpdates"),
    ActionFor<DescribeSnapshots>("DescribeSnapshots"),
    ActionFor<DescribeUpdateActions>("DescribeUpdateActions"),
    ActionFor<DescribeUserGroups>("DescribeUserGroups"),
    ActionFor<DescribeUsers>("DescribeUsers"),
    ActionFor<IncreaseReplicaCount>("IncreaseReplicaCount"),
    ActionFor<ListAllowedNodeTypeModifications>("ListAllowedNodeTypeModifications"),
    ActionFor<ListTagsForResource>("ListTagsForResource"),
    ActionFor<ModifyCacheCluster>("ModifyCacheCluster"),
    ActionFor<ModifyCacheParameterGroup>("ModifyCacheParameterGroup"),
    ActionFor<ModifyCacheSubnetGroup>("ModifyCacheSubnetGroup"),
    ActionFor<ModifyReplicationGroup>("ModifyReplicationGroup"),
    ActionFor<ModifyUser>("ModifyUser"),
    ActionFor<ModifyUserGroup>("ModifyUserGroup"),
    ActionFor<RebootCacheCluster>("RebootCacheCluster"),
    ActionFor<RemoveTagsFromResource>("RemoveTagsFromResource"),
    ActionFor<ResetCacheParameterGroup>("ResetCacheParameterGroup"),
    ActionFor<TestFailover>("TestFailover"),
};

}  // namespace

ApiService ElastiCacheService() { return {&elasticache::kDescription, kActions}; }

}  // namespace mikura::control
