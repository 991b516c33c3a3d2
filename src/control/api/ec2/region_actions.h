// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/api/action.h"
#include "control/api/ec2/ec2_api.h"

namespace mikura::control {

ApiResult<ec2::DescribeRegionsResult> DescribeRegions(ActionContext& context,
                                                      const ec2::DescribeRegionsRequest& request);

}  // namespace mikura::control
