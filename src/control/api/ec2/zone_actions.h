// SPDX-License-Identifier: Apache-2.0
// Availability zones.
#pragma once

#include "control/api/action.h"
#include "control/api/ec2/ec2_api.h"

namespace mikura::control {

ApiResult<ec2::DescribeAvailabilityZonesResult> DescribeAvailabilityZones(
    ActionContext& context, const ec2::DescribeAvailabilityZonesRequest& request);

}  // namespace mikura::control
