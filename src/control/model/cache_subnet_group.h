// SPDX-License-Identifier: Apache-2.0
// A cache subnet group: the subnets, hence the zones, in which nodes may be placed.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/model/api_error.h"

namespace mikura::control {

struct GroupSubnet {
  std::string id;
  std::string zone;
};

struct CacheSubnetGroup {
  std::string name;
  std::string account;
  std::string region;
  std::string description;
  std::string vpc_id;
  std::vector<GroupSubnet> subnets;
  std::map<std::string, std::string> tags;

  // The zones of the subnets, each once, in the order of the subnets.
  std::vector<std::string> Zones() const;
  std::string ArnOf() const;
};

// A subnet as the network part knows it.
struct KnownSubnet {
  std::string id;
  std::string vpc_id;
  std::string zone;
};

// Puts `subnets` into the group in place of those it has.
// Errors: kInvalidParameterValue for none or more than 20, kInvalidSubnet for subnets of several
// VPCs.
ApiResult<> SetSubnets(CacheSubnetGroup& group, const std::vector<KnownSubnet>& subnets);

std::string ToJson(const CacheSubnetGroup& group);
Result<CacheSubnetGroup> CacheSubnetGroupFromJson(std::string_view text);

}  // namespace mikura::control
