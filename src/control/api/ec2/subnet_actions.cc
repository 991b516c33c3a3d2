// SPDX-License-Identifier: Apache-2.0
#include "control/api/ec2/subnet_actions.h"

#include <fmt/format.h>

#include "control/api/ec2/ec2_common.h"
#include "control/api/network_store.h"
#include "control/api/random_id.h"
#include "control/model/zones.h"

namespace mikura::control {
namespace {

std::string ArnOf(const Subnet& subnet, const ActionContext& context) {
  return fmt::format("arn:aws:ec2:{}:{}:subnet/{}", context.region, context.account_id, subnet.id);
}

std::string ZoneIdOf(const Subnet& subnet, const ActionContext& context) {
  for (const Zone& zone : ZonesOfRegion(context.region)) {
    if (zone.name == subnet.zone) return zone.id;
  }
  return {};
}

std::vector<std::string> CidrOf(const Subnet& subnet, const ActionContext&) {
  return {subnet.cidr};
}

std::vector<std::string> ZoneOf(const Subnet& subnet, const ActionContext&) {
  return {subnet.zone};
}

std::vector<std::string> False(const Subnet&, const ActionContext&) { return {"false"}; }

constexpr FilterRow<Subnet> kFilters[] = {
    {"availability-zone", ZoneOf},
    {"availabilityZone", ZoneOf},
    {"availability-zone-id",
     [](const Subnet& subnet, const ActionContext& context) {
       return std::vector{ZoneIdOf(subnet, context)};
     }},
    {"available-ip-address-count",
     [](const Subnet& subnet, const ActionContext&) {
       return std::vector{fmt::to_string(UsableAddressCount(subnet))};
     }},
    {"cidr", CidrOf},
    {"cidr-block", CidrOf},
    {"cidrBlock", CidrOf},
    {"default-for-az", False},
    {"defaultForAz", False},
    {"map-public-ip-on-launch",
     [](const Subnet& subnet, const ActionContext&) {
       return std::vector<std::string>{subnet.map_public_ip_on_launch ? "true" : "false"};
     }},
    {"owner-id",
     [](const Subnet&, const ActionContext& context) { return std::vector{context.account_id}; }},
    {"state",
     [](const Subnet&, const ActionContext&) { return std::vector<std::string>{"available"}; }},
    {"subnet-arn",
     [](const Subnet& subnet, const ActionContext& context) {
       return std::vector{ArnOf(subnet, context)};
     }},
    {"subnet-id",
     [](const Subnet& subnet, const ActionContext&) { return std::vector{subnet.id}; }},
    {"vpc-id",
     [](const Subnet& subnet, const ActionContext&) { return std::vector{subnet.vpc_id}; }},
};

ec2::Subnet ToWire(const Subnet& subnet, const ActionContext& context) {
  return {.availability_zone = subnet.zone,
          .availability_zone_id = ZoneIdOf(subnet, context),
          .available_ip_address_count = UsableAddressCount(subnet),
          .cidr_block = subnet.cidr,
          .default_for_az = false,
          .map_public_ip_on_launch = subnet.map_public_ip_on_launch,
          .state = "available",
          .subnet_id = subnet.id,
          .vpc_id = subnet.vpc_id,
          .owner_id = context.account_id,
          .assign_ipv6_address_on_creation = false,
          .tags = TagsToWire(subnet.tags),
          .subnet_arn = ArnOf(subnet, context),
          .enable_dns64 = false,
          .ipv6_native = false,
          .private_dns_name_options_on_launch =
              ec2::PrivateDnsNameOptionsOnLaunch{.hostname_type = "ip-name",
                                                 .enable_resource_name_dns_a_record = false,
                                                 .enable_resource_name_dns_aaaa_record = false}};
}

// The zone that the request names by its name or its id, or the region's first.
ApiResult<std::string> ChooseZone(const ec2::CreateSubnetRequest& request,
                                  const std::string& region) {
  const auto zones = ZonesOfRegion(region);
  if (request.availability_zone && request.availability_zone_id) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "Only one of availabilityZone and availabilityZoneId may be given."};
  }
  if (!request.availability_zone && !request.availability_zone_id) return zones.front().name;
  std::vector<std::string> names;
  for (const Zone& zone : zones) {
    if (zone.name == request.availability_zone || zone.id == request.availability_zone_id) {
      return zone.name;
    }
    names.push_back(zone.name);
  }
  const bool by_name = request.availability_zone.has_value();
  return ApiError{
      ApiErrorCode::kInvalidParameterValue,
      fmt::format("Value ({}) for parameter {} is invalid. Subnets can currently only be created "
                  "in the following availability zones: {}.",
                  by_name ? *request.availability_zone : *request.availability_zone_id,
                  by_name ? "availabilityZone" : "availabilityZoneId", fmt::join(names, ", "))};
}

// nullopt: somebody else changed the VPC meanwhile.
ApiResult<std::optional<Subnet>> TryCreateSubnet(const NetworkStore& network,
                                                 const ec2::CreateSubnetRequest& request,
                                                 const ActionContext& context) {
  ASSIGN_OR_RETURN(const auto vpc, network.FindVpc(request.vpc_id));
  if (!vpc) return NotFound({request.vpc_id}, kVpcIds);
  ASSIGN_OR_RETURN(auto others, network.SubnetsOf(request.vpc_id));
  ASSIGN_OR_RETURN(const Cidr cidr, ValidateSubnetCidr(*request.cidr_block, vpc->record,
                                                       RecordsOf(std::move(others))));
  ASSIGN_OR_RETURN(std::string zone, ChooseZone(request, context.region));
  ASSIGN_OR_RETURN(Tags tags, TagsFrom(request.tag_specifications, "subnet"));
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  const Subnet subnet{.id = NewResourceId("subnet-"),
                      .vpc_id = request.vpc_id,
                      .cidr = cidr.Text(),
                      .zone = std::move(zone),
                      .acl_association_id = NewResourceId("aclassoc-"),
                      .tags = std::move(tags)};
  Change change;
  change.Touch(vpc->kv);
  change.Create(network.KeyOf(subnet), ToJson(subnet));
  ASSIGN_OR_RETURN(const bool applied, network.Apply(change));
  return applied ? std::optional<Subnet>(subnet) : std::nullopt;
}

}  // namespace

ApiResult<ec2::CreateSubnetResult> CreateSubnet(ActionContext& context,
                                                const ec2::CreateSubnetRequest& request) {
  RETURN_IF_ERROR(CheckId(request.vpc_id, kVpcIds));
  RETURN_IF_ERROR(RefuseUnsupported(
      request.ipv6_cidr_block.has_value() || request.ipv6_native.value_or(false), "IPv6"));
  RETURN_IF_ERROR(RefuseUnsupported(request.outpost_arn.has_value(), "Outposts"));
  if (!request.cidr_block) {
    return ApiError{ApiErrorCode::kMissingParameter,
                    "The request must contain the parameter cidrBlock"};
  }
  const NetworkStore network(context);
  ASSIGN_OR_RETURN(const Subnet subnet,
                   UntilApplied([&] { return TryCreateSubnet(network, request, context); }));
  return ec2::CreateSubnetResult{.subnet = ToWire(subnet, context)};
}

ApiResult<ec2::DescribeSubnetsResult> DescribeSubnets(ActionContext& context,
                                                      const ec2::DescribeSubnetsRequest& request) {
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  ASSIGN_OR_RETURN(auto subnets, NetworkStore(context).Subnets());
  ASSIGN_OR_RETURN(const auto page, Describe<Subnet>(RecordsOf(std::move(subnets)),
                                                     {request.subnet_ids, request.filters,
                                                      request.max_results, request.next_token},
                                                     kSubnetIds, kFilters, context));
  ec2::DescribeSubnetsResult result{.next_token = page.next_token};
  for (const Subnet& subnet : page.items) result.subnets.push_back(ToWire(subnet, context));
  return result;
}

ApiResult<ec2::DeleteSubnetResult> DeleteSubnet(ActionContext& context,
                                                const ec2::DeleteSubnetRequest& request) {
  RETURN_IF_ERROR(CheckId(request.subnet_id, kSubnetIds));
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  const NetworkStore network(context);
  const auto attempt = [&]() -> ApiResult<std::optional<Unit>> {
    ASSIGN_OR_RETURN(const auto subnet, network.FindSubnet(request.subnet_id));
    if (!subnet) return NotFound({request.subnet_id}, kSubnetIds);
    ASSIGN_OR_RETURN(const bool used, network.IsUsed(request.subnet_id));
    if (used) {
      return ApiError{ApiErrorCode::kDependencyViolation,
                      fmt::format("The subnet '{}' has dependencies and cannot be deleted.",
                                  request.subnet_id)};
    }
    Change change;
    change.Delete(subnet->kv);
    ASSIGN_OR_RETURN(const bool applied, network.Apply(change));
    return applied ? std::optional<Unit>(Unit{}) : std::nullopt;
  };
  ASSIGN_OR_RETURN([[maybe_unused]] const Unit done, UntilApplied(attempt));
  return ec2::DeleteSubnetResult{};
}

ApiResult<ec2::ModifySubnetAttributeResult> ModifySubnetAttribute(
    ActionContext& context, const ec2::ModifySubnetAttributeRequest& request) {
  RETURN_IF_ERROR(CheckId(request.subnet_id, kSubnetIds));
  if (!request.map_public_ip_on_launch) {
    return ApiError{ApiErrorCode::kOperationNotAvailable,
                    "Only the attribute mapPublicIpOnLaunch is available yet."};
  }
  const NetworkStore network(context);
  const auto attempt = [&]() -> ApiResult<std::optional<Unit>> {
    ASSIGN_OR_RETURN(auto subnet, network.FindSubnet(request.subnet_id));
    if (!subnet) return NotFound({request.subnet_id}, kSubnetIds);
    subnet->record.map_public_ip_on_launch = request.map_public_ip_on_launch->value.value_or(false);
    Change change;
    change.Replace(subnet->kv, ToJson(subnet->record));
    ASSIGN_OR_RETURN(const bool applied, network.Apply(change));
    return applied ? std::optional<Unit>(Unit{}) : std::nullopt;
  };
  ASSIGN_OR_RETURN([[maybe_unused]] const Unit done, UntilApplied(attempt));
  return ec2::ModifySubnetAttributeResult{};
}

}  // namespace mikura::control
