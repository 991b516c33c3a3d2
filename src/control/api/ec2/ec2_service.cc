// SPDX-License-Identifier: Apache-2.0
#include "control/api/ec2/ec2_service.h"

#include "control/api/action.h"
#include "control/api/ec2/ec2_codec.h"
#include "control/api/ec2/region_actions.h"
#include "control/api/ec2/security_group_actions.h"
#include "control/api/ec2/security_group_rule_actions.h"
#include "control/api/ec2/subnet_actions.h"
#include "control/api/ec2/tag_actions.h"
#include "control/api/ec2/vpc_actions.h"
#include "control/api/ec2/vpc_default_actions.h"
#include "control/api/ec2/zone_actions.h"

namespace mikura::control {
namespace {

constexpr ActionRow kActions[] = {
    ActionFor<AuthorizeSecurityGroupEgress>("AuthorizeSecurityGroupEgress"),
    ActionFor<AuthorizeSecurityGroupIngress>("AuthorizeSecurityGroupIngress"),
    ActionFor<CreateSecurityGroup>("CreateSecurityGroup"),
    ActionFor<CreateSubnet>("CreateSubnet"),
    ActionFor<CreateTags>("CreateTags"),
    ActionFor<CreateVpc>("CreateVpc"),
    ActionFor<DeleteSecurityGroup>("DeleteSecurityGroup"),
    ActionFor<DeleteSubnet>("DeleteSubnet"),
    ActionFor<DeleteTags>("DeleteTags"),
    ActionFor<DeleteVpc>("DeleteVpc"),
    ActionFor<DescribeAvailabilityZones>("DescribeAvailabilityZones"),
    ActionFor<DescribeNetworkAcls>("DescribeNetworkAcls"),
    ActionFor<DescribeNetworkInterfaces>("DescribeNetworkInterfaces"),
    ActionFor<DescribeRegions>("DescribeRegions"),
    ActionFor<DescribeRouteTables>("DescribeRouteTables"),
    ActionFor<DescribeSecurityGroupRules>("DescribeSecurityGroupRules"),
    ActionFor<DescribeSecurityGroups>("DescribeSecurityGroups"),
    ActionFor<DescribeSubnets>("DescribeSubnets"),
    ActionFor<DescribeTags>("DescribeTags"),
    ActionFor<DescribeVpcAttribute>("DescribeVpcAttribute"),
    ActionFor<DescribeVpcs>("DescribeVpcs"),
    ActionFor<ModifySubnetAttribute>("ModifySubnetAttribute"),
    ActionFor<ModifyVpcAttribute>("ModifyVpcAttribute"),
    ActionFor<RevokeSecurityGroupEgress>("RevokeSecurityGroupEgress"),
    ActionFor<RevokeSecurityGroupIngress>("RevokeSecurityGroupIngress"),
};

}  // namespace

ApiService Ec2Service() { return {&ec2::kDescription, kActions}; }

}  // namespace mikura::control
