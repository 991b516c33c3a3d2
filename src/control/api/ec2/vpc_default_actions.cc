// SPDX-License-Identifier: Apache-2.0
#include "control/api/ec2/vpc_default_actions.h"

#include "control/api/ec2/ec2_common.h"
#include "control/api/network_store.h"

namespace mikura::control {
namespace {

// A network ACL or a route table with the VPC it comes from.
struct VpcDefault {
  std::string id;
  Vpc vpc;
  std::vector<Subnet> subnets;
  Tags tags;
};

constexpr IdKind kAclIds = {"acl-", "networkAcl ID", ApiErrorCode::kInvalidNetworkAclIDNotFound,
                            ApiErrorCode::kInvalidNetworkAclIDNotFound};
constexpr IdKind kTableIds = {"rtb-", "routeTable ID", ApiErrorCode::kInvalidRouteTableIDNotFound,
                              ApiErrorCode::kInvalidRouteTableIDNotFound};
constexpr IdKind kInterfaceIds = {"eni-", "networkInterface ID",
                                  ApiErrorCode::kInvalidNetworkInterfaceIDNotFound,
                                  ApiErrorCode::kInvalidNetworkInterfaceIDNotFound};

std::vector<std::string> IdOf(const VpcDefault& each, const ActionContext&) { return {each.id}; }
std::vector<std::string> VpcIdOf(const VpcDefault& each, const ActionContext&) {
  return {each.vpc.id};
}
std::vector<std::string> SubnetIdsOf(const VpcDefault& each, const ActionContext&) {
  std::vector<std::string> ids;
  for (const Subnet& subnet : each.subnets) ids.push_back(subnet.id);
  return ids;
}
std::vector<std::string> NoSubnets(const VpcDefault&, const ActionContext&) { return {}; }
std::vector<std::string> True(const VpcDefault&, const ActionContext&) { return {"true"}; }
std::vector<std::string> OwnerOf(const VpcDefault&, const ActionContext& context) {
  return {context.account_id};
}

constexpr FilterRow<VpcDefault> kAclFilters[] = {
    {"association.network-acl-id", IdOf},
    {"association.subnet-id", SubnetIdsOf},
    {"default", True},
    {"network-acl-id", IdOf},
    {"owner-id", OwnerOf},
    {"vpc-id", VpcIdOf},
};

constexpr FilterRow<VpcDefault> kTableFilters[] = {
    {"association.main", True},
    {"association.route-table-id", IdOf},
    {"association.subnet-id", NoSubnets},
    {"owner-id", OwnerOf},
    {"route-table-id", IdOf},
    {"vpc-id", VpcIdOf},
};

ApiResult<std::vector<VpcDefault>> DefaultsOf(const ActionContext& context, std::string Vpc::*id) {
  const NetworkStore network(context);
  ASSIGN_OR_RETURN(const auto vpcs, network.Vpcs());
  ASSIGN_OR_RETURN(const auto subnets, network.Subnets());
  std::vector<VpcDefault> defaults;
  for (const auto& vpc : vpcs) {
    VpcDefault each{.id = vpc.record.*id, .vpc = vpc.record};
    for (const auto& subnet : subnets) {
      if (subnet.record.vpc_id == vpc.record.id) each.subnets.push_back(subnet.record);
    }
    defaults.push_back(std::move(each));
  }
  std::sort(defaults.begin(), defaults.end(),
            [](const VpcDefault& a, const VpcDefault& b) { return a.id < b.id; });
  return defaults;
}

ec2::NetworkAclEntry Entry(bool egress, bool allow) {
  return {.cidr_block = "0.0.0.0/0",
          .egress = egress,
          .protocol = "-1",
          .rule_action = allow ? "allow" : "deny",
          .rule_number = allow ? 100 : 32767};
}

ec2::NetworkAcl AclToWire(const VpcDefault& each, const ActionContext& context) {
  ec2::NetworkAcl acl{
      .entries = {Entry(true, true), Entry(true, false), Entry(false, true), Entry(false, false)},
      .is_default = true,
      .network_acl_id = each.id,
      .vpc_id = each.vpc.id,
      .owner_id = context.account_id};
  for (const Subnet& subnet : each.subnets) {
    acl.associations.push_back({.network_acl_association_id = subnet.acl_association_id,
                                .network_acl_id = each.id,
                                .subnet_id = subnet.id});
  }
  return acl;
}

ec2::RouteTable TableToWire(const VpcDefault& each, const ActionContext& context) {
  // The id of the main association has the digits of its table: there is one for each.
  const ec2::RouteTableAssociation main{
      .main = true,
      .route_table_association_id = "rtbassoc-" + each.id.substr(kTableIds.prefix.size()),
      .route_table_id = each.id,
      .association_state = ec2::RouteTableAssociationState{.state = "associated"}};
  const ec2::Route local{.destination_cidr_block = each.vpc.cidr,
                         .gateway_id = "local",
                         .origin = "CreateRouteTable",
                         .state = "active"};
  return {.associations = {main},
          .route_table_id = each.id,
          .routes = {local},
          .vpc_id = each.vpc.id,
          .owner_id = context.account_id};
}

}  // namespace

ApiResult<ec2::DescribeNetworkAclsResult> DescribeNetworkAcls(
    ActionContext& context, const ec2::DescribeNetworkAclsRequest& request) {
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  ASSIGN_OR_RETURN(auto acls, DefaultsOf(context, &Vpc::network_acl_id));
  ASSIGN_OR_RETURN(const auto page, Describe<VpcDefault>(std::move(acls),
                                                         {request.network_acl_ids, request.filters,
                                                          request.max_results, request.next_token},
                                                         kAclIds, kAclFilters, context));
  ec2::DescribeNetworkAclsResult result{.next_token = page.next_token};
  for (const VpcDefault& each : page.items) {
    result.network_acls.push_back(AclToWire(each, context));
  }
  return result;
}

ApiResult<ec2::DescribeRouteTablesResult> DescribeRouteTables(
    ActionContext& context, const ec2::DescribeRouteTablesRequest& request) {
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  ASSIGN_OR_RETURN(auto tables, DefaultsOf(context, &Vpc::route_table_id));
  ASSIGN_OR_RETURN(const auto page, Describe<VpcDefault>(std::move(tables),
                                                         {request.route_table_ids, request.filters,
                                                          request.max_results, request.next_token},
                                                         kTableIds, kTableFilters, context));
  ec2::DescribeRouteTablesResult result{.next_token = page.next_token};
  for (const VpcDefault& each : page.items) {
    result.route_tables.push_back(TableToWire(each, context));
  }
  return result;
}

ApiResult<ec2::DescribeNetworkInterfacesResult> DescribeNetworkInterfaces(
    ActionContext&, const ec2::DescribeNetworkInterfacesRequest& request) {
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  if (!request.network_interface_ids.empty()) {
    return NotFound(request.network_interface_ids, kInterfaceIds);
  }
  return ec2::DescribeNetworkInterfacesResult{};
}

}  // namespace mikura::control
