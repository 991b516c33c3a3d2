// SPDX-License-Identifier: Apache-2.0
// Rules of security groups between EC2's form, where one permission has many peers, and ours, where
// each rule has one.
#pragma once

#include <vector>

#include "control/api/action.h"
#include "control/api/ec2/ec2_api.h"
#include "control/model/security_group.h"

namespace mikura::control {

// Every peer of every permission as a rule, with a new id.
// Errors: kInvalidParameterValue, kMissingParameter; kOperationNotAvailable for prefix lists.
ApiResult<std::vector<SecurityRule>> RulesFrom(const std::vector<ec2::IpPermission>& permissions,
                                               bool egress);

// The rules of one direction, those with the same protocol and ports together.
std::vector<ec2::IpPermission> PermissionsFrom(const SecurityGroup& group, bool egress,
                                               const ActionContext& context);

ec2::SecurityGroupRule RuleToWire(const SecurityGroup& group, const SecurityRule& rule,
                                  const ActionContext& context);

}  // namespace mikura::control
