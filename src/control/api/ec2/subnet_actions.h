// SPDX-License-Identifier: Apache-2.0
// Subnets.
#pragma once

#include "control/api/action.h"
#include "control/api/ec2/ec2_api.h"

namespace mikura::control {

ApiResult<ec2::CreateSubnetResult> CreateSubnet(ActionContext& context,
                                                const ec2::CreateSubnetRequest& request);
ApiResult<ec2::DescribeSubnetsResult> DescribeSubnets(ActionContext& context,
                                                      const ec2::DescribeSubnetsRequest& request);
ApiResult<ec2::DeleteSubnetResult> DeleteSubnet(ActionContext& context,
                                                const ec2::DeleteSubnetRequest& request);
ApiResult<ec2::ModifySubnetAttributeResult> ModifySubnetAttribute(
    ActionContext& context, const ec2::ModifySubnetAttributeRequest& request);

}  // namespace mikura::control
