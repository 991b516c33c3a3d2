// SPDX-License-Identifier: Apache-2.0
#include "control/api/ec2/zone_actions.h"

#include <fmt/format.h>

#include "control/api/ec2/ec2_common.h"
#include "control/model/zones.h"

namespace mikura::control {
namespace {

struct NamedZone {
  Zone zone;
  Tags tags;  // always none; ApplyFilters() wants them
};

std::vector<std::string> RegionOf(const NamedZone&, const ActionContext& context) {
  return {context.region};
}

constexpr FilterRow<NamedZone> kFilters[] = {
    {"group-name", RegionOf},
    {"opt-in-status",
     [](const NamedZone&, const ActionContext&) {
       return std::vector<std::string>{"opt-in-not-required"};
     }},
    {"region-name", RegionOf},
    {"state",
     [](const NamedZone&, const ActionContext&) { return std::vector<std::string>{"available"}; }},
    {"zone-id",
     [](const NamedZone& each, const ActionContext&) { return std::vector{each.zone.id}; }},
    {"zone-name",
     [](const NamedZone& each, const ActionContext&) { return std::vector{each.zone.name}; }},
    {"zone-type",
     [](const NamedZone&, const ActionContext&) {
       return std::vector<std::string>{"availability-zone"};
     }},
};

// Keeps the zones whose `field` is wanted. Errors: kInvalidParameterValue for one that is not
// there.
ApiResult<> Keep(std::vector<NamedZone>& zones, const std::vector<std::string>& wanted,
                 std::string Zone::*field) {
  if (wanted.empty()) return Ok();
  for (const std::string& each : wanted) {
    if (std::none_of(zones.begin(), zones.end(),
                     [&](const NamedZone& named) { return named.zone.*field == each; })) {
      return ApiError{ApiErrorCode::kInvalidParameterValue,
                      fmt::format("Invalid availability zone: [{}]", each)};
    }
  }
  std::erase_if(zones, [&](const NamedZone& named) {
    return std::find(wanted.begin(), wanted.end(), named.zone.*field) == wanted.end();
  });
  return Ok();
}

}  // namespace

ApiResult<ec2::DescribeAvailabilityZonesResult> DescribeAvailabilityZones(
    ActionContext& context, const ec2::DescribeAvailabilityZonesRequest& request) {
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  std::vector<NamedZone> zones;
  for (Zone& zone : ZonesOfRegion(context.region)) zones.push_back({.zone = std::move(zone)});
  RETURN_IF_ERROR(Keep(zones, request.zone_names, &Zone::name));
  RETURN_IF_ERROR(Keep(zones, request.zone_ids, &Zone::id));
  ASSIGN_OR_RETURN(const auto matching,
                   ApplyFilters<NamedZone>(std::move(zones), request.filters, kFilters, context));
  ec2::DescribeAvailabilityZonesResult result;
  for (const NamedZone& each : matching) {
    result.availability_zones.push_back({.state = "available",
                                         .opt_in_status = "opt-in-not-required",
                                         .region_name = context.region,
                                         .zone_name = each.zone.name,
                                         .zone_id = each.zone.id,
                                         .group_name = context.region,
                                         .network_border_group = context.region,
                                         .zone_type = "availability-zone"});
  }
  return result;
}

}  // namespace mikura::control
