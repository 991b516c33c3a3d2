// SPDX-License-Identifier: Apache-2.0
// Tags of VPCs, subnets and security groups.
#pragma once

#include "control/api/action.h"
#include "control/api/ec2/ec2_api.h"

namespace mikura::control {

ApiResult<ec2::CreateTagsResult> CreateTags(ActionContext& context,
                                            const ec2::CreateTagsRequest& request);
ApiResult<ec2::DeleteTagsResult> DeleteTags(ActionContext& context,
                                            const ec2::DeleteTagsRequest& request);
ApiResult<ec2::DescribeTagsResult> DescribeTags(ActionContext& context,
                                                const ec2::DescribeTagsRequest& request);

}  // namespace mikura::control
