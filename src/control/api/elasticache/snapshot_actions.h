// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_api.h"

namespace mikura::control {

ApiResult<elasticache::CreateSnapshotResult> CreateSnapshot(
    ActionContext& context, const elasticache::CreateSnapshotRequest& request);
ApiResult<elasticache::CopySnapshotResult> CopySnapshot(
    ActionContext& context, const elasticache::CopySnapshotRequest& request);
ApiResult<elasticache::DescribeSnapshotsResult> DescribeSnapshots(
    ActionContext& context, const elasticache::DescribeSnapshotsRequest& request);
ApiResult<elasticache::DeleteSnapshotResult> DeleteSnapshot(
    ActionContext& context, const elasticache::DeleteSnapshotRequest& request);

}  // namespace mikura::control
