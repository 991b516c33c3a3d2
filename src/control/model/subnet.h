// SPDX-License-Identifier: Apache-2.0
// A subnet: a part of a VPC's addresses, in one availability zone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/model/api_error.h"
#include "control/model/cidr.h"
#include "control/model/tags.h"
#include "control/model/vpc.h"

namespace mikura::control {

struct Subnet {
  std::string id;  // "subnet-..."
  std::string vpc_id;
  std::string cidr;  // canonical, /16 to /28
  std::string zone;
  bool map_public_ip_on_launch = false;
  std::string acl_association_id;
  Tags tags;
};

// The canonical network of a new subnet of `vpc`, which has the subnets `others`.
// Errors: kInvalidParameterValue, kInvalidSubnetRange (outside the VPC, or of another size than
// /16 to /28), kInvalidSubnetConflict (overlaps another subnet).
ApiResult<Cidr> ValidateSubnetCidr(std::string_view text, const Vpc& vpc,
                                   const std::vector<Subnet>& others);

// Addresses for nodes: AWS keeps five of each subnet.
int32_t UsableAddressCount(const Subnet& subnet);

std::string ToJson(const Subnet& subnet);
Result<Subnet> SubnetFromJson(std::string_view text);

}  // namespace mikura::control
