// SPDX-License-Identifier: Apache-2.0
// VPCs.
#pragma once

#include "control/api/action.h"
#include "control/api/ec2/ec2_api.h"

namespace mikura::control {

ApiResult<ec2::CreateVpcResult> CreateVpc(ActionContext& context,
                                          const ec2::CreateVpcRequest& request);
ApiResult<ec2::DescribeVpcsResult> DescribeVpcs(ActionContext& context,
                                                const ec2::DescribeVpcsRequest& request);
ApiResult<ec2::DeleteVpcResult> DeleteVpc(ActionContext& context,
                                          const ec2::DeleteVpcRequest& request);
ApiResult<ec2::DescribeVpcAttributeResult> DescribeVpcAttribute(
    ActionContext& context, const ec2::DescribeVpcAttributeRequest& request);
ApiResult<ec2::ModifyVpcAttributeResult> ModifyVpcAttribute(
    ActionContext& context, const ec2::ModifyVpcAttributeRequest& request);

}  // namespace mikura::control
