// SPDX-License-Identifier: Apache-2.0
// What comes with each VPC and is only read: its network ACL and its route table. They are made of
// the VPC's record; no others can exist. Network interfaces are not shown.
#pragma once

#include "control/api/action.h"
#include "control/api/ec2/ec2_api.h"

namespace mikura::control {

ApiResult<ec2::DescribeNetworkAclsResult> DescribeNetworkAcls(
    ActionContext& context, const ec2::DescribeNetworkAclsRequest& request);
ApiResult<ec2::DescribeRouteTablesResult> DescribeRouteTables(
    ActionContext& context, const ec2::DescribeRouteTablesRequest& request);
ApiResult<ec2::DescribeNetworkInterfacesResult> DescribeNetworkInterfaces(
    ActionContext& context, const ec2::DescribeNetworkInterfacesRequest& request);

}  // namespace mikura::control
