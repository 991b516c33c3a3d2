// SPDX-License-Identifier: Apache-2.0
#include "control/api/ec2/region_actions.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/api/ec2/ec2_common.h"

namespace mikura::control {
namespace {

// Those that AWS shows to a new account. Every other region name works here too; the caller's own
// is shown with them.
constexpr std::string_view kRegions[] = {
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1",
    "ap-southeast-2", "ca-central-1",   "eu-central-1",   "eu-north-1", "eu-west-1",
    "eu-west-2",      "eu-west-3",      "sa-east-1",      "us-east-1",  "us-east-2",
    "us-west-1",      "us-west-2",
};

struct NamedRegion {
  std::string name;
  Tags tags;  // always none; ApplyFilters() wants them
};

std::string EndpointOf(const NamedRegion& region) {
  return fmt::format("ec2.{}.amazonaws.com", region.name);
}

constexpr FilterRow<NamedRegion> kFilters[] = {
    {"endpoint",
     [](const NamedRegion& each, const ActionContext&) { return std::vector{EndpointOf(each)}; }},
    {"opt-in-status",
     [](const NamedRegion&, const ActionContext&) {
       return std::vector<std::string>{"opt-in-not-required"};
     }},
    {"region-name",
     [](const NamedRegion& each, const ActionContext&) { return std::vector{each.name}; }},
};

}  // namespace

ApiResult<ec2::DescribeRegionsResult> DescribeRegions(ActionContext& context,
                                                      const ec2::DescribeRegionsRequest& request) {
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  std::vector<NamedRegion> regions;
  for (const std::string_view name : kRegions) regions.push_back({.name = std::string(name)});
  const auto has = [&](const std::string& name) {
    return std::any_of(regions.begin(), regions.end(),
                       [&](const NamedRegion& region) { return region.name == name; });
  };
  if (!has(context.region)) regions.push_back({.name = context.region});
  for (const std::string& name : request.region_names) {
    if (!has(name)) {
      return ApiError{ApiErrorCode::kInvalidParameterValue,
                      fmt::format("Invalid region name: {}", name)};
    }
  }
  if (!request.region_names.empty()) {
    std::erase_if(regions, [&](const NamedRegion& region) {
      return std::find(request.region_names.begin(), request.region_names.end(), region.name) ==
             request.region_names.end();
    });
  }
  ASSIGN_OR_RETURN(
      const auto matching,
      ApplyFilters<NamedRegion>(std::move(regions), request.filters, kFilters, context));
  ec2::DescribeRegionsResult result;
  for (const NamedRegion& region : matching) {
    result.regions.push_back({.endpoint = EndpointOf(region),
                              .region_name = region.name,
                              .opt_in_status = "opt-in-not-required"});
  }
  return result;
}

}  // namespace mikura::control
