// SPDX-License-Identifier: Apache-2.0
// Describes of what there is none of here: tools ask, and get an empty list. One that names what
// it looks for gets AWS's "not found".
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::DescribeCacheSecurityGroupsResult> DescribeCacheSecurityGroups(
    ActionContext& context, const elasticache::DescribeCacheSecurityGroupsRequest& request);
ApiResult<elasticache::DescribeGlobalReplicationGroupsResult> DescribeGlobalReplicationGroups(
    ActionContext& context, const elasticache::DescribeGlobalReplicationGroupsRequest& request);
ApiResult<elasticache::DescribeReservedCacheNodesResult> DescribeReservedCacheNodes(
    ActionContext& context, const elasticache::DescribeReservedCacheNodesRequest& request);
ApiResult<elasticache::DescribeReservedCacheNodesOfferingsResult>
DescribeReservedCacheNodesOfferings(
    ActionContext& context, const elasticache::DescribeReservedCacheNodesOfferingsRequest& request);
ApiResult<elasticache::DescribeServerlessCacheSnapshotsResult> DescribeServerlessCacheSnapshots(
    ActionContext& context, const elasticache::DescribeServerlessCacheSnapshotsRequest& request);
ApiResult<elasticache::DescribeServerlessCachesResult> DescribeServerlessCaches(
    ActionContext& context, const elasticache::DescribeServerlessCachesRequest& request);
ApiResult<elasticache::DescribeServiceUpdatesResult> DescribeServiceUpdates(
    ActionContext& context, const elasticache::DescribeServiceUpdatesRequest& request);
ApiResult<elasticache::DescribeUpdateActionsResult> DescribeUpdateActions(
    ActionContext& context, const elasticache::DescribeUpdateActionsRequest& request);

}  // namespace mikura::control
