// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/elasticache_service.h"

#include "control/api/action.h"
#include "control/api/elasticache/cache_cluster_actions.h"
#include "control/api/elasticache/cluster_modification_actions.h"
#include "control/api/elasticache/elasticache_codec.h"
#include "control/api/elasticache/engine_version_actions.h"
#include "control/api/elasticache/event_actions.h"
#include "control/api/elasticache/replication_group_actions.h"
#include "control/api/elasticache/subnet_group_actions.h"
#include "control/api/elasticache/tag_actions.h"

namespace mikura::control {
namespace {

// An operation with no row here is answered as not available yet.
constexpr ActionRow kActions[] = {
    ActionFor<AddTagsToResource>("AddTagsToResource"),
    ActionFor<CreateCacheCluster>("CreateCacheCluster"),
    ActionFor<CreateCacheSubnetGroup>("CreateCacheSubnetGroup"),
    ActionFor<CreateReplicationGroup>("CreateReplicationGroup"),
    ActionFor<DeleteCacheCluster>("DeleteCacheCluster"),
    ActionFor<DeleteCacheSubnetGroup>("DeleteCacheSubnetGroup"),
    ActionFor<DeleteReplicationGroup>("DeleteReplicationGroup"),
    ActionFor<DescribeCacheClusters>("DescribeCacheClusters"),
    ActionFor<DescribeCacheEngineVersions>("DescribeCacheEngineVersions"),
    ActionFor<DescribeCacheSubnetGroups>("DescribeCacheSubnetGroups"),
    ActionFor<DescribeEvents>("DescribeEvents"),
    ActionFor<DescribeReplicationGroups>("DescribeReplicationGroups"),
    ActionFor<ListTagsForResource>("ListTagsForResource"),
    ActionFor<ModifyCacheCluster>("ModifyCacheCluster"),
    ActionFor<ModifyCacheSubnetGroup>("ModifyCacheSubnetGroup"),
    ActionFor<RebootCacheCluster>("RebootCacheCluster"),
    ActionFor<RemoveTagsFromResource>("RemoveTagsFromResource"),
};

}  // namespace

ApiService ElastiCacheService() { return {&elasticache::kDescription, kActions}; }

}  // namespace mikura::control
