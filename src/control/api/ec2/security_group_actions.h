// SPDX-License-Identifier: Apache-2.0
// Security groups; their rules are in security_group_rule_actions.h.
#pragma once

#include "control/api/action.h"
#include "control/api/ec2/ec2_api.h"
#include "control/model/security_group.h"
#include "control/model/vpc.h"

namespace mikura::control {

// The group named "default" that comes with a VPC: everything out, everything in from itself.
SecurityGroup DefaultSecurityGroup(const Vpc& vpc);

ApiResult<ec2::CreateSecurityGroupResult> CreateSecurityGroup(
    ActionContext& context, const ec2::CreateSecurityGroupRequest& request);
ApiResult<ec2::DescribeSecurityGroupsResult> DescribeSecurityGroups(
    ActionContext& context, const ec2::DescribeSecurityGroupsRequest& request);
ApiResult<ec2::DeleteSecurityGroupResult> DeleteSecurityGroup(
    ActionContext& context, const ec2::DeleteSecurityGroupRequest& request);

}  // namespace mikura::control
