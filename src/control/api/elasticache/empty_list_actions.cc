// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/empty_list_actions.h"

#include "control/api/elasticache/cache_store.h"

namespace mikura::control {
namespace {

// A page of nothing: only its size and its marker can be wrong.
ApiResult<> CheckPage(const std::optional<int32_t>& size,
                      const std::optional<std::string>& marker) {
  RETURN_IF_ERROR(PageOf(
      std::vector<std::string>(), [](const std::string& name) { return name; }, size, marker));
  return Ok();
}

ApiResult<> CheckAbsent(const std::optional<std::string>& name, ApiErrorCode code) {
  if (!name) return Ok();
  return ApiError{code, {}};
}

}  // namespace

ApiResult<elasticache::DescribeCacheSecurityGroupsResult> DescribeCacheSecurityGroups(
    ActionContext&, const elasticache::DescribeCacheSecurityGroupsRequest& request) {
  RETURN_IF_ERROR(CheckPage(request.max_records, request.marker));
  RETURN_IF_ERROR(
      CheckAbsent(request.cache_security_group_name, ApiErrorCode::kCacheSecurityGroupNotFound));
  return elasticache::DescribeCacheSecurityGroupsResult{};
}

ApiResult<elasticache::DescribeGlobalReplicationGroupsResult> DescribeGlobalReplicationGroups(
    ActionContext&, const elasticache::DescribeGlobalReplicationGroupsRequest& request) {
  RETURN_IF_ERROR(CheckPage(request.max_records, request.marker));
  RETURN_IF_ERROR(CheckAbsent(request.global_replication_group_id,
                              ApiErrorCode::kGlobalReplicationGroupNotFoundFault));
  return elasticache::DescribeGlobalReplicationGroupsResult{};
}

ApiResult<elasticache::DescribeReservedCacheNodesResult> DescribeReservedCacheNodes(
    ActionContext&, const elasticache::DescribeReservedCacheNodesRequest& request) {
  RETURN_IF_ERROR(CheckPage(request.max_records, request.marker));
  RETURN_IF_ERROR(
      CheckAbsent(request.reserved_cache_node_id, ApiErrorCode::kReservedCacheNodeNotFound));
  return elasticache::DescribeReservedCacheNodesResult{};
}

ApiResult<elasticache::DescribeReservedCacheNodesOfferingsResult>
DescribeReservedCacheNodesOfferings(
    ActionContext&, const elasticache::DescribeReservedCacheNodesOfferingsRequest& request) {
  RETURN_IF_ERROR(CheckPage(request.max_records, request.marker));
  RETURN_IF_ERROR(CheckAbsent(request.reserved_cache_nodes_offering_id,
                              ApiErrorCode::kReservedCacheNodesOfferingNotFound));
  return elasticache::DescribeReservedCacheNodesOfferingsResult{};
}

ApiResult<elasticache::DescribeServerlessCacheSnapshotsResult> DescribeServerlessCacheSnapshots(
    ActionContext&, const elasticache::DescribeServerlessCacheSnapshotsRequest& request) {
  RETURN_IF_ERROR(PageSize(request.max_results, 1, 50, "MaxResults"));
  if (request.next_token) {
    return ApiError{ApiErrorCode::kInvalidParameterValue, "The NextToken is not valid."};
  }
  RETURN_IF_ERROR(CheckAbsent(request.serverless_cache_snapshot_name,
                              ApiErrorCode::kServerlessCacheSnapshotNotFoundFault));
  RETURN_IF_ERROR(
      CheckAbsent(request.serverless_cache_name, ApiErrorCode::kServerlessCacheNotFoundFault));
  return elasticache::DescribeServerlessCacheSnapshotsResult{};
}

ApiResult<elasticache::DescribeServerlessCachesResult> DescribeServerlessCaches(
    ActionContext&, const elasticache::DescribeServerlessCachesRequest& request) {
  RETURN_IF_ERROR(PageSize(request.max_results, 1, 50, "MaxResults"));
  if (request.next_token) {
    return ApiError{ApiErrorCode::kInvalidParameterValue, "The NextToken is not valid."};
  }
  RETURN_IF_ERROR(
      CheckAbsent(request.serverless_cache_name, ApiErrorCode::kServerlessCacheNotFoundFault));
  return elasticache::DescribeServerlessCachesResult{};
}

ApiResult<elasticache::DescribeServiceUpdatesResult> DescribeServiceUpdates(
    ActionContext&, const elasticache::DescribeServiceUpdatesRequest& request) {
  RETURN_IF_ERROR(CheckPage(request.max_records, request.marker));
  RETURN_IF_ERROR(
      CheckAbsent(request.service_update_name, ApiErrorCode::kServiceUpdateNotFoundFault));
  return elasticache::DescribeServiceUpdatesResult{};
}

ApiResult<elasticache::DescribeUpdateActionsResult> DescribeUpdateActions(
    ActionContext&, const elasticache::DescribeUpdateActionsRequest& request) {
  RETURN_IF_ERROR(CheckPage(request.max_records, request.marker));
  return elasticache::DescribeUpdateActionsResult{};
}

}  // namespace mikura::control
