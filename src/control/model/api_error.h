// SPDX-License-Identifier: Apache-2.0
// The one error type of the control plane: what an AWS client can see.
//
// Code on the wire, HTTP status and default words of each enumerator are one row in
// common_errors.tsv or in the errors.tsv of a service (control/api/); the generator refuses an
// enumerator with no row or with two.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace mikura::control {

enum class ApiErrorCode {
  // Every service.
  kAccessDenied,
  kIncompleteSignature,
  kInternalFailure,
  kInvalidAction,
  kInvalidClientTokenId,
  kInvalidParameterCombination,
  kInvalidParameterValue,
  kInvalidQueryParameter,
  kMalformedQueryString,
  kMissingAction,
  kMissingAuthenticationToken,
  kMissingParameter,
  kOperationNotAvailable,
  kRequestEntityTooLarge,
  kRequestExpired,
  kServiceUnavailable,
  kSignatureDoesNotMatch,
  kUnrecognizedClientException,
  // ec2
  kAuthFailure,
  kCannotDelete,
  kDependencyViolation,
  kDryRunOperation,
  kInvalidGroupDuplicate,
  kInvalidGroupNotFound,
  kInvalidGroupIdMalformed,
  kInvalidID,
  kInvalidNetworkAclIDNotFound,
  kInvalidNetworkInterfaceIDNotFound,
  kInvalidPaginationToken,
  kInvalidPermissionDuplicate,
  kInvalidPermissionMalformed,
  kInvalidPermissionNotFound,
  kInvalidRouteTableIDNotFound,
  kInvalidSecurityGroupRuleIdNotFound,
  kInvalidSubnetConflict,
  kInvalidSubnetRange,
  kInvalidSubnetIDMalformed,
  kInvalidSubnetIDNotFound,
  kInvalidVpcRange,
  kInvalidVpcIDMalformed,
  kInvalidVpcIDNotFound,
  kRulesPerSecurityGroupLimitExceeded,
  kTagLimitExceeded,
  kUnknownParameter,
  kVPCIdNotSpecified,
  // elasticache
  kAPICallRateForCustomerExceeded,
  kAuthorizationAlreadyExists,
  kAuthorizationNotFound,
  kCacheClusterAlreadyExists,
  kCacheClusterNotFound,
  kCacheParameterGroupAlreadyExists,
  kCacheParameterGroupNotFound,
  kCacheParameterGroupQuotaExceeded,
  kCacheSecurityGroupAlreadyExists,
  kCacheSecurityGroupNotFound,
  kCacheSubnetGroupAlreadyExists,
  kCacheSubnetGroupInUse,
  kCacheSubnetGroupNotFoundFault,
  kCacheSubnetGroupQuotaExceeded,
  kCacheSubnetQuotaExceededFault,
  kClusterQuotaForCustomerExceeded,
  kDefaultUserAssociatedToUserGroup,
  kDefaultUserRequired,
  kDuplicateUserName,
  kGlobalReplicationGroupAlreadyExistsFault,
  kGlobalReplicationGroupNotFoundFault,
  kInsufficientCacheClusterCapacity,
  kInvalidARN,
  kInvalidCacheClusterState,
  kInvalidCacheParameterGroupState,
  kInvalidCacheSecurityGroupState,
  kInvalidCredentialsException,
  kInvalidGlobalReplicationGroupState,
  kInvalidKMSKeyFault,
  kInvalidReplicationGroupState,
  kInvalidServerlessCacheSnapshotStateFault,
  kInvalidServerlessCacheStateFault,
  kInvalidSnapshotState,
  kInvalidSubnet,
  kInvalidUserGroupState,
  kInvalidUserState,
  kInvalidVPCNetworkStateFault,
  kNoOperationFault,
  kNodeGroupNotFoundFault,
  kNodeGroupsPerReplicationGroupQuotaExceeded,
  kNodeQuotaForClusterExceeded,
  kNodeQuotaForCustomerExceeded,
  kQuotaExceededCacheSecurityGroup,
  kReplicationGroupAlreadyExists,
  kReplicationGroupAlreadyUnderMigrationFault,
  kReplicationGroupNotFoundFault,
  kReplicationGroupNotUnderMigrationFault,
  kReservedCacheNodeAlreadyExists,
  kReservedCacheNodeNotFound,
  kReservedCacheNodeQuotaExceeded,
  kReservedCacheNodesOfferingNotFound,
  kServerlessCacheAlreadyExistsFault,
  kServerlessCacheNotFoundFault,
  kServerlessCacheQuotaForCustomerExceededFault,
  kServerlessCacheSnapshotAlreadyExistsFault,
  kServerlessCacheSnapshotNotFoundFault,
  kServerlessCacheSnapshotQuotaExceededFault,
  kServiceLinkedRoleNotFoundFault,
  kServiceUpdateNotFoundFault,
  kSnapshotAlreadyExistsFault,
  kSnapshotFeatureNotSupportedFault,
  kSnapshotNotFoundFault,
  kSnapshotQuotaExceededFault,
  kSubnetInUse,
  kSubnetNotAllowedFault,
  kTagNotFound,
  kTagQuotaPerResourceExceeded,
  kTestFailoverNotAvailableFault,
  kUserAlreadyExists,
  kUserGroupAlreadyExists,
  kUserGroupNotFound,
  kUserGroupQuotaExceeded,
  kUserNotFound,
  kUserQuotaExceeded,
};

struct ApiError {
  ApiErrorCode code = ApiErrorCode::kInternalFailure;
  std::string message;  // empty: the default words of the code's row
};

template <typename T = Unit>
using ApiResult = Result<T, ApiError>;

}  // namespace mikura::control
