// SPDX-License-Identifier: Apache-2.0
#include "control/model/cache_subnet_group.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/model/arn.h"
#include "control/model/record_json.h"

namespace mikura::control {
namespace {

constexpr size_t kSubnetsMax = 20;

}  // namespace

template <typename Visitor>
void VisitFields(Visitor& visit, GroupSubnet& subnet) {
  visit("id", subnet.id);
  visit("zone", subnet.zone);
}

template <typename Visitor>
void VisitFields(Visitor& visit, CacheSubnetGroup& group) {
  visit("name", group.name);
  visit("account", group.account);
  visit("region", group.region);
  visit("description", group.description);
  visit("vpc_id", group.vpc_id);
  visit("subnets", group.subnets);
  visit("tags", group.tags);
}

std::vector<std::string> CacheSubnetGroup::Zones() const {
  std::vector<std::string> zones;
  for (const GroupSubnet& subnet : subnets) {
    if (std::find(zones.begin(), zones.end(), subnet.zone) == zones.end()) {
      zones.push_back(subnet.zone);
    }
  }
  return zones;
}

std::string CacheSubnetGroup::ArnOf() const {
  return ArnText({account, region, "subnetgroup", name});
}

ApiResult<> SetSubnets(CacheSubnetGroup& group, const std::vector<KnownSubnet>& subnets) {
  if (subnets.empty()) {
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    "The parameter SubnetIds must name at least one subnet."};
  }
  if (subnets.size() > kSubnetsMax) {
    return ApiError{ApiErrorCode::kCacheSubnetQuotaExceededFault,
                    fmt::format("A cache subnet group has at most {} subnets.", kSubnetsMax)};
  }
  std::vector<GroupSubnet> taken;
  for (const KnownSubnet& subnet : subnets) {
    if (subnet.vpc_id != subnets.front().vpc_id) {
      return ApiError{ApiErrorCode::kInvalidSubnet,
                      fmt::format("The subnets {} and {} are in different VPCs.",
                                  subnets.front().id, subnet.id)};
    }
    const bool twice = std::any_of(taken.begin(), taken.end(),
                                   [&](const GroupSubnet& other) { return other.id == subnet.id; });
    if (!twice) taken.push_back({subnet.id, subnet.zone});
  }
  group.vpc_id = subnets.front().vpc_id;
  group.subnets = std::move(taken);
  return Ok();
}

std::string ToJson(const CacheSubnetGroup& group) { return RecordToJson(group); }

Result<CacheSubnetGroup> CacheSubnetGroupFromJson(std::string_view text) {
  return RecordFromJson<CacheSubnetGroup>("cache subnet group", text);
}

}  // namespace mikura::control
