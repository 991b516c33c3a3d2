// SPDX-License-Identifier: Apache-2.0
#include "control/api/ec2/vpc_actions.h"

#include <fmt/format.h>

#include "control/api/ec2/ec2_common.h"
#include "control/api/ec2/security_group_actions.h"
#include "control/api/network_store.h"
#include "control/api/random_id.h"

namespace mikura::control {
namespace {

constexpr FilterRow<Vpc> kFilters[] = {
    {"cidr", [](const Vpc& vpc, const ActionContext&) { return std::vector{vpc.cidr}; }},
    {"cidr-block", [](const Vpc& vpc, const ActionContext&) { return std::vector{vpc.cidr}; }},
    {"cidrBlock", [](const Vpc& vpc, const ActionContext&) { return std::vector{vpc.cidr}; }},
    {"cidr-block-association.cidr-block",
     [](const Vpc& vpc, const ActionContext&) { return std::vector{vpc.cidr}; }},
    {"cidr-block-association.association-id",
     [](const Vpc& vpc, const ActionContext&) { return std::vector{vpc.association_id}; }},
    {"cidr-block-association.state",
     [](const Vpc&, const ActionContext&) { return std::vector<std::string>{"associated"}; }},
    {"dhcp-options-id",
     [](const Vpc& vpc, const ActionContext&) { return std::vector{vpc.dhcp_options_id}; }},
    {"is-default",
     [](const Vpc&, const ActionContext&) { return std::vector<std::string>{"false"}; }},
    {"isDefault",
     [](const Vpc&, const ActionContext&) { return std::vector<std::string>{"false"}; }},
    {"owner-id",
     [](const Vpc&, const ActionContext& context) { return std::vector{context.account_id}; }},
    {"state",
     [](const Vpc&, const ActionContext&) { return std::vector<std::string>{"available"}; }},
    {"vpc-id", [](const Vpc& vpc, const ActionContext&) { return std::vector{vpc.id}; }},
};

ec2::Vpc ToWire(const Vpc& vpc, const ActionContext& context) {
  const ec2::VpcCidrBlockAssociation association{
      .association_id = vpc.association_id,
      .cidr_block = vpc.cidr,
      .cidr_block_state = ec2::VpcCidrBlockState{.state = "associated"}};
  return {.cidr_block = vpc.cidr,
          .dhcp_options_id = vpc.dhcp_options_id,
          .state = "available",
          .vpc_id = vpc.id,
          .owner_id = context.account_id,
          .instance_tenancy = vpc.tenancy,
          .cidr_block_association_set = {association},
          .is_default = false,
          .tags = TagsToWire(vpc.tags)};
}

ApiResult<Vpc> NewVpc(const ec2::CreateVpcRequest& request) {
  RETURN_IF_ERROR(RefuseUnsupported(request.amazon_provided_ipv6_cidr_block.value_or(false) ||
                                        request.ipv6_cidr_block || request.ipv6_pool ||
                                        request.ipv6_ipam_pool_id || request.ipv6_netmask_length ||
                                        request.ipv6_cidr_block_network_border_group,
                                    "IPv6"));
  RETURN_IF_ERROR(
      RefuseUnsupported(request.ipv4_ipam_pool_id || request.ipv4_netmask_length, "IPAM"));
  if (!request.cidr_block) {
    return ApiError{ApiErrorCode::kMissingParameter,
                    "The request must contain the parameter cidrBlock"};
  }
  ASSIGN_OR_RETURN(const Cidr cidr, ValidateVpcCidr(*request.cidr_block));
  ASSIGN_OR_RETURN(Tags tags, TagsFrom(request.tag_specifications, "vpc"));
  return Vpc{.id = NewResourceId("vpc-"),
             .cidr = cidr.Text(),
             .tenancy = request.instance_tenancy.value_or("default"),
             .association_id = NewResourceId("vpc-cidr-assoc-"),
             .dhcp_options_id = "default",
             .network_acl_id = NewResourceId("acl-"),
             .route_table_id = NewResourceId("rtb-"),
             .default_group_id = NewResourceId("sg-"),
             .tags = std::move(tags)};
}

ApiError HasDependencies(std::string_view vpc_id) {
  return {ApiErrorCode::kDependencyViolation,
          fmt::format("The vpc '{}' has dependencies and cannot be deleted.", vpc_id)};
}

// nullopt: somebody else changed the VPC meanwhile.
ApiResult<std::optional<Unit>> TryDeleteVpc(const NetworkStore& network, const std::string& id) {
  ASSIGN_OR_RETURN(const auto vpc, network.FindVpc(id));
  if (!vpc) return NotFound({id}, kVpcIds);
  ASSIGN_OR_RETURN(const auto subnets, network.SubnetsOf(id));
  ASSIGN_OR_RETURN(const auto groups, network.SecurityGroupsOf(id));
  if (!subnets.empty()) return HasDependencies(id);
  Change change;
  change.Delete(vpc->kv);
  for (const auto& group : groups) {
    if (group.record.id != vpc->record.default_group_id) return HasDependencies(id);
    ASSIGN_OR_RETURN(const bool used, network.IsUsed(group.record.id));
    if (used) return HasDependencies(id);
    change.Delete(group.kv);
  }
  ASSIGN_OR_RETURN(const bool applied, network.Apply(change));
  return applied ? std::optional<Unit>(Unit{}) : std::nullopt;
}

}  // namespace

ApiResult<ec2::CreateVpcResult> CreateVpc(ActionContext& context,
                                          const ec2::CreateVpcRequest& request) {
  ASSIGN_OR_RETURN(const Vpc checked, NewVpc(request));
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  const NetworkStore network(context);
  // A second attempt is needed only when a random id is taken.
  const auto attempt = [&]() -> ApiResult<std::optional<Vpc>> {
    ASSIGN_OR_RETURN(const Vpc vpc, NewVpc(request));
    const SecurityGroup group = DefaultSecurityGroup(vpc);
    Change change;
    change.Create(network.KeyOf(vpc), ToJson(vpc));
    change.Create(network.KeyOf(group), ToJson(group));
    ASSIGN_OR_RETURN(const bool applied, network.Apply(change));
    return applied ? std::optional<Vpc>(vpc) : std::nullopt;
  };
  ASSIGN_OR_RETURN(const Vpc vpc, UntilApplied(attempt));
  return ec2::CreateVpcResult{.vpc = ToWire(vpc, context)};
}

ApiResult<ec2::DescribeVpcsResult> DescribeVpcs(ActionContext& context,
                                                const ec2::DescribeVpcsRequest& request) {
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  ASSIGN_OR_RETURN(auto vpcs, NetworkStore(context).Vpcs());
  ASSIGN_OR_RETURN(const auto page, Describe<Vpc>(RecordsOf(std::move(vpcs)),
                                                  {request.vpc_ids, request.filters,
                                                   request.max_results, request.next_token},
                                                  kVpcIds, kFilters, context));
  ec2::DescribeVpcsResult result{.next_token = page.next_token};
  for (const Vpc& vpc : page.items) result.vpcs.push_back(ToWire(vpc, context));
  return result;
}

ApiResult<ec2::DeleteVpcResult> DeleteVpc(ActionContext& context,
                                          const ec2::DeleteVpcRequest& request) {
  RETURN_IF_ERROR(CheckId(request.vpc_id, kVpcIds));
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  const NetworkStore network(context);
  ASSIGN_OR_RETURN([[maybe_unused]] const Unit done,
                   UntilApplied([&] { return TryDeleteVpc(network, request.vpc_id); }));
  return ec2::DeleteVpcResult{};
}

ApiResult<ec2::DescribeVpcAttributeResult> DescribeVpcAttribute(
    ActionContext& context, const ec2::DescribeVpcAttributeRequest& request) {
  RETURN_IF_ERROR(CheckId(request.vpc_id, kVpcIds));
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  ASSIGN_OR_RETURN(const auto stored, NetworkStore(context).FindVpc(request.vpc_id));
  if (!stored) return NotFound({request.vpc_id}, kVpcIds);
  const Vpc& vpc = stored->record;
  ec2::DescribeVpcAttributeResult result{.vpc_id = vpc.id};
  if (request.attribute == "enableDnsSupport") {
    result.enable_dns_support = ec2::AttributeBooleanValue{.value = vpc.dns_support};
  } else if (request.attribute == "enableDnsHostnames") {
    result.enable_dns_hostnames = ec2::AttributeBooleanValue{.value = vpc.dns_hostnames};
  } else {
    result.enable_network_address_usage_metrics =
        ec2::AttributeBooleanValue{.value = vpc.address_usage_metrics};
  }
  return result;
}

ApiResult<ec2::ModifyVpcAttributeResult> ModifyVpcAttribute(
    ActionContext& context, const ec2::ModifyVpcAttributeRequest& request) {
  RETURN_IF_ERROR(CheckId(request.vpc_id, kVpcIds));
  const int given = request.enable_dns_support.has_value() +
                    request.enable_dns_hostnames.has_value() +
                    request.enable_network_address_usage_metrics.has_value();
  if (given != 1) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "Exactly one attribute must be given."};
  }
  const NetworkStore network(context);
  const auto attempt = [&]() -> ApiResult<std::optional<Unit>> {
    ASSIGN_OR_RETURN(auto stored, network.FindVpc(request.vpc_id));
    if (!stored) return NotFound({request.vpc_id}, kVpcIds);
    Vpc& vpc = stored->record;
    if (const auto& value = request.enable_dns_support) {
      vpc.dns_support = value->value.value_or(false);
    } else if (const auto& hostnames = request.enable_dns_hostnames) {
      vpc.dns_hostnames = hostnames->value.value_or(false);
    } else {
      vpc.address_usage_metrics =
          request.enable_network_address_usage_metrics->value.value_or(false);
    }
    Change change;
    change.Replace(stored->kv, ToJson(vpc));
    ASSIGN_OR_RETURN(const bool applied, network.Apply(change));
    return applied ? std::optional<Unit>(Unit{}) : std::nullopt;
  };
  ASSIGN_OR_RETURN([[maybe_unused]] const Unit done, UntilApplied(attempt));
  return ec2::ModifyVpcAttributeResult{};
}

}  // namespace mikura::control
