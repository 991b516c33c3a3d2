// SPDX-License-Identifier: Apache-2.0
// Rules of security groups.
#pragma once

#include "control/api/action.h"
#include "control/api/ec2/ec2_api.h"

namespace mikura::control {

ApiResult<ec2::AuthorizeSecurityGroupIngressResult> AuthorizeSecurityGroupIngress(
    ActionContext& context, const ec2::AuthorizeSecurityGroupIngressRequest& request);
ApiResult<ec2::AuthorizeSecurityGroupEgressResult> AuthorizeSecurityGroupEgress(
    ActionContext& context, const ec2::AuthorizeSecurityGroupEgressRequest& request);
ApiResult<ec2::RevokeSecurityGroupIngressResult> RevokeSecurityGroupIngress(
    ActionContext& context, const ec2::RevokeSecurityGroupIngressRequest& request);
ApiResult<ec2::RevokeSecurityGroupEgressResult> RevokeSecurityGroupEgress(
    ActionContext& context, const ec2::RevokeSecurityGroupEgressRequest& request);
ApiResult<ec2::DescribeSecurityGroupRulesResult> DescribeSecurityGroupRules(
    ActionContext& context, const ec2::DescribeSecurityGroupRulesRequest& request);

}  // namespace mikura::control
