// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/refused_actions.h"

namespace mikura::control {
namespace {

// Why, for the operator; the empty text leaves the words to the code.
constexpr char kNothing[] = "";
constexpr char kNoClassic[] =
    "Use of cache security groups is not permitted in this API version for your account.";
constexpr char kNoGlobal[] = "Global datastores are not available yet.";
constexpr char kNoServerless[] = "Serverless caches are not available yet.";
constexpr char kNoMigration[] = "Migration from other servers is not available yet.";

template <ApiErrorCode kCode, const char* kWhy>
Result<std::string, ActionFailure> Refuse(ActionContext&, ParameterReader&) {
  return ActionFailure(ApiError{kCode, kWhy});
}

constexpr ActionRow kRows[] = {
    {"AuthorizeCacheSecurityGroupIngress",
     Refuse<ApiErrorCode::kInvalidParameterValue, kNoClassic>},
    {"BatchApplyUpdateAction", Refuse<ApiErrorCode::kServiceUpdateNotFoundFault, kNothing>},
    {"BatchStopUpdateAction", Refuse<ApiErrorCode::kServiceUpdateNotFoundFault, kNothing>},
    {"CompleteMigration",
     Refuse<ApiErrorCode::kReplicationGroupNotUnderMigrationFault, kNoMigration>},
    {"CopyServerlessCacheSnapshot",
     Refuse<ApiErrorCode::kServerlessCacheSnapshotNotFoundFault, kNoServerless>},
    {"CreateCacheSecurityGroup", Refuse<ApiErrorCode::kInvalidParameterValue, kNoClassic>},
    {"CreateGlobalReplicationGroup", Refuse<ApiErrorCode::kInvalidParameterValue, kNoGlobal>},
    {"CreateServerlessCache", Refuse<ApiErrorCode::kInvalidParameterValue, kNoServerless>},
    {"CreateServerlessCacheSnapshot",
     Refuse<ApiErrorCode::kServerlessCacheNotFoundFault, kNoServerless>},
    {"DecreaseNodeGroupsInGlobalReplicationGroup",
     Refuse<ApiErrorCode::kGlobalReplicationGroupNotFoundFault, kNoGlobal>},
    {"DeleteCacheSecurityGroup", Refuse<ApiErrorCode::kInvalidParameterValue, kNoClassic>},
    {"DeleteGlobalReplicationGroup",
     Refuse<ApiErrorCode::kGlobalReplicationGroupNotFoundFault, kNoGlobal>},
    {"DeleteServerlessCache", Refuse<ApiErrorCode::kServerlessCacheNotFoundFault, kNoServerless>},
    {"DeleteServerlessCacheSnapshot",
     Refuse<ApiErrorCode::kServerlessCacheSnapshotNotFoundFault, kNoServerless>},
    {"DisassociateGlobalReplicationGroup",
     Refuse<ApiErrorCode::kGlobalReplicationGroupNotFoundFault, kNoGlobal>},
    {"ExportServerlessCacheSnapshot",
     Refuse<ApiErrorCode::kServerlessCacheSnapshotNotFoundFault, kNoServerless>},
    {"FailoverGlobalReplicationGroup",
     Refuse<ApiErrorCode::kGlobalReplicationGroupNotFoundFault, kNoGlobal>},
    {"IncreaseNodeGroupsInGlobalReplicationGroup",
     Refuse<ApiErrorCode::kGlobalReplicationGroupNotFoundFault, kNoGlobal>},
    {"ModifyGlobalReplicationGroup",
     Refuse<ApiErrorCode::kGlobalReplicationGroupNotFoundFault, kNoGlobal>},
    {"ModifyServerlessCache", Refuse<ApiErrorCode::kServerlessCacheNotFoundFault, kNoServerless>},
    {"PurchaseReservedCacheNodesOffering",
     Refuse<ApiErrorCode::kReservedCacheNodesOfferingNotFound, kNothing>},
    {"RebalanceSlotsInGlobalReplicationGroup",
     Refuse<ApiErrorCode::kGlobalReplicationGroupNotFoundFault, kNoGlobal>},
    {"RevokeCacheSecurityGroupIngress", Refuse<ApiErrorCode::kInvalidParameterValue, kNoClassic>},
    {"StartMigration", Refuse<ApiErrorCode::kInvalidParameterValue, kNoMigration>},
    {"TestMigration", Refuse<ApiErrorCode::kInvalidParameterValue, kNoMigration>},
};

}  // namespace

std::span<const ActionRow> RefusedActions() { return kRows; }

}  // namespace mikura::control
