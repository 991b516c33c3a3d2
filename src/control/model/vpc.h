// SPDX-License-Identifier: Apache-2.0
// A VPC: the address space in which subnets lie.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "control/model/api_error.h"
#include "control/model/cidr.h"
#include "control/model/tags.h"

namespace mikura::control {

struct Vpc {
  std::string id;    // "vpc-..."
  std::string cidr;  // canonical, /16 to /28
  std::string tenancy = "default";
  bool dns_support = true;
  bool dns_hostnames = false;
  bool address_usage_metrics = false;
  // What AWS makes together with a VPC.
  std::string association_id;  // of the CIDR
  std::string dhcp_options_id;
  std::string network_acl_id;
  std::string route_table_id;
  std::string default_group_id;
  Tags tags;
};

// The canonical network. Errors: kInvalidParameterValue when `text` is none, kInvalidVpcRange when
// it is larger than /16 or smaller than /28.
ApiResult<Cidr> ValidateVpcCidr(std::string_view text);

std::string ToJson(const Vpc& vpc);
Result<Vpc> VpcFromJson(std::string_view text);

}  // namespace mikura::control
