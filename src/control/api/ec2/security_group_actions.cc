// SPDX-License-Identifier: Apache-2.0
#include "control/api/ec2/security_group_actions.h"

#include <fmt/format.h>

#include "control/api/ec2/ec2_common.h"
#include "control/api/ec2/security_group_rules.h"
#include "control/api/network_store.h"
#include "control/api/random_id.h"

namespace mikura::control {
namespace {

// One value per rule of the direction, empty ones left out.
template <typename ValueOf>
std::vector<std::string> OfRules(const SecurityGroup& group, bool egress, ValueOf value_of) {
  std::vector<std::string> values;
  for (const SecurityRule& rule : group.rules) {
    if (rule.egress != egress) continue;
    std::string value = value_of(rule);
    if (!value.empty()) values.push_back(std::move(value));
  }
  return values;
}

template <bool kEgress>
std::vector<std::string> Cidrs(const SecurityGroup& group, const ActionContext&) {
  return OfRules(group, kEgress, [](const SecurityRule& rule) { return rule.cidr_ipv4; });
}

template <bool kEgress>
std::vector<std::string> Ipv6Cidrs(const SecurityGroup& group, const ActionContext&) {
  return OfRules(group, kEgress, [](const SecurityRule& rule) { return rule.cidr_ipv6; });
}

template <bool kEgress>
std::vector<std::string> FromPorts(const SecurityGroup& group, const ActionContext&) {
  return OfRules(group, kEgress,
                 [](const SecurityRule& rule) { return fmt::to_string(rule.from_port); });
}

template <bool kEgress>
std::vector<std::string> ToPorts(const SecurityGroup& group, const ActionContext&) {
  return OfRules(group, kEgress,
                 [](const SecurityRule& rule) { return fmt::to_string(rule.to_port); });
}

template <bool kEgress>
std::vector<std::string> Protocols(const SecurityGroup& group, const ActionContext&) {
  return OfRules(group, kEgress, [](const SecurityRule& rule) { return rule.protocol; });
}

template <bool kEgress>
std::vector<std::string> PeerGroups(const SecurityGroup& group, const ActionContext&) {
  return OfRules(group, kEgress, [](const SecurityRule& rule) { return rule.group_id; });
}

constexpr FilterRow<SecurityGroup> kFilters[] = {
    {"description", [](const SecurityGroup& group,
                       const ActionContext&) { return std::vector{group.description}; }},
    {"egress.ip-permission.cidr", Cidrs<true>},
    {"egress.ip-permission.from-port", FromPorts<true>},
    {"egress.ip-permission.group-id", PeerGroups<true>},
    {"egress.ip-permission.ipv6-cidr", Ipv6Cidrs<true>},
    {"egress.ip-permission.protocol", Protocols<true>},
    {"egress.ip-permission.to-port", ToPorts<true>},
    {"group-id",
     [](const SecurityGroup& group, const ActionContext&) { return std::vector{group.id}; }},
    {"group-name",
     [](const SecurityGroup& group, const ActionContext&) { return std::vector{group.name}; }},
    {"ip-permission.cidr", Cidrs<false>},
    {"ip-permission.from-port", FromPorts<false>},
    {"ip-permission.group-id", PeerGroups<false>},
    {"ip-permission.ipv6-cidr", Ipv6Cidrs<false>},
    {"ip-permission.protocol", Protocols<false>},
    {"ip-permission.to-port", ToPorts<false>},
    {"owner-id", [](const SecurityGroup&,
                    const ActionContext& context) { return std::vector{context.account_id}; }},
    {"vpc-id",
     [](const SecurityGroup& group, const ActionContext&) { return std::vector{group.vpc_id}; }},
};

ec2::SecurityGroup ToWire(const SecurityGroup& group, const ActionContext& context) {
  return {.description = group.description,
          .group_name = group.name,
          .ip_permissions = PermissionsFrom(group, false, context),
          .owner_id = context.account_id,
          .group_id = group.id,
          .ip_permissions_egress = PermissionsFrom(group, true, context),
          .tags = TagsToWire(group.tags),
          .vpc_id = group.vpc_id};
}

SecurityRule AllTraffic(bool egress) {
  return {.id = NewResourceId("sgr-"),
          .egress = egress,
          .protocol = "-1",
          .from_port = -1,
          .to_port = -1};
}

SecurityRule EverythingOut() {
  SecurityRule rule = AllTraffic(true);
  rule.cidr_ipv4 = "0.0.0.0/0";
  return rule;
}

// nullopt: somebody else changed the VPC meanwhile.
ApiResult<std::optional<SecurityGroup>> TryCreate(const NetworkStore& network,
                                                  const ec2::CreateSecurityGroupRequest& request) {
  ASSIGN_OR_RETURN(const auto vpc, network.FindVpc(*request.vpc_id));
  if (!vpc) return NotFound({*request.vpc_id}, kVpcIds);
  ASSIGN_OR_RETURN(const auto others, network.SecurityGroupsOf(*request.vpc_id));
  for (const auto& other : others) {
    if (other.record.name == request.group_name) {
      return ApiError{ApiErrorCode::kInvalidGroupDuplicate,
                      fmt::format("The security group '{}' already exists for VPC '{}'",
                                  request.group_name, *request.vpc_id)};
    }
  }
  ASSIGN_OR_RETURN(Tags tags, TagsFrom(request.tag_specifications, "security-group"));
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  const SecurityGroup group{.id = NewResourceId("sg-"),
                            .vpc_id = *request.vpc_id,
                            .name = request.group_name,
                            .description = request.description,
                            .rules = {EverythingOut()},
                            .tags = std::move(tags)};
  Change change;
  change.Touch(vpc->kv);
  change.Create(network.KeyOf(group), ToJson(group));
  ASSIGN_OR_RETURN(const bool applied, network.Apply(change));
  return applied ? std::optional<SecurityGroup>(group) : std::nullopt;
}

ApiError HasDependents(std::string_view id) {
  return {ApiErrorCode::kDependencyViolation,
          fmt::format("resource {} has a dependent object", id)};
}

// nullopt: somebody else changed the VPC or the group meanwhile.
ApiResult<std::optional<Unit>> TryDelete(const NetworkStore& network, const std::string& id) {
  ASSIGN_OR_RETURN(const auto group, network.FindSecurityGroup(id));
  if (!group) return NotFound({id}, kGroupIds);
  ASSIGN_OR_RETURN(const auto vpc, network.FindVpc(group->record.vpc_id));
  if (!vpc) return std::optional<Unit>();
  if (vpc->record.default_group_id == id) {
    return ApiError{ApiErrorCode::kCannotDelete,
                    fmt::format("the specified group: \"{}\" name: \"default\" cannot be deleted "
                                "by a user",
                                id)};
  }
  ASSIGN_OR_RETURN(const bool used, network.IsUsed(id));
  if (used) return HasDependents(id);
  ASSIGN_OR_RETURN(const auto groups, network.SecurityGroupsOf(vpc->record.id));
  for (const auto& other : groups) {
    if (other.record.id == id) continue;
    for (const SecurityRule& rule : other.record.rules) {
      if (rule.group_id == id) return HasDependents(id);
    }
  }
  Change change;
  change.Touch(vpc->kv);
  change.Delete(group->kv);
  ASSIGN_OR_RETURN(const bool applied, network.Apply(change));
  return applied ? std::optional<Unit>(Unit{}) : std::nullopt;
}

}  // namespace

SecurityGroup DefaultSecurityGroup(const Vpc& vpc) {
  SecurityRule from_itself = AllTraffic(false);
  from_itself.group_id = vpc.default_group_id;
  return {.id = vpc.default_group_id,
          .vpc_id = vpc.id,
          .name = "default",
          .description = "default VPC security group",
          .rules = {from_itself, EverythingOut()}};
}

ApiResult<ec2::CreateSecurityGroupResult> CreateSecurityGroup(
    ActionContext& context, const ec2::CreateSecurityGroupRequest& request) {
  RETURN_IF_ERROR(ValidateGroupTexts(request.group_name, request.description));
  if (!request.vpc_id) return ApiError{ApiErrorCode::kVPCIdNotSpecified, {}};
  RETURN_IF_ERROR(CheckId(*request.vpc_id, kVpcIds));
  const NetworkStore network(context);
  ASSIGN_OR_RETURN(const SecurityGroup group,
                   UntilApplied([&] { return TryCreate(network, request); }));
  return ec2::CreateSecurityGroupResult{.group_id = group.id, .tags = TagsToWire(group.tags)};
}

ApiResult<ec2::DescribeSecurityGroupsResult> DescribeSecurityGroups(
    ActionContext& context, const ec2::DescribeSecurityGroupsRequest& request) {
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  if (!request.group_names.empty()) {
    // Names stand for groups of the default VPC, and there is none.
    return ApiError{ApiErrorCode::kInvalidGroupNotFound,
                    fmt::format("The security group '{}' does not exist in default VPC",
                                fmt::join(request.group_names, ", "))};
  }
  ASSIGN_OR_RETURN(auto groups, NetworkStore(context).SecurityGroups());
  ASSIGN_OR_RETURN(const auto page,
                   Describe<SecurityGroup>(RecordsOf(std::move(groups)),
                                           {request.group_ids, request.filters, request.max_results,
                                            request.next_token},
                                           kGroupIds, kFilters, context));
  ec2::DescribeSecurityGroupsResult result{.next_token = page.next_token};
  for (const SecurityGroup& group : page.items) {
    result.security_groups.push_back(ToWire(group, context));
  }
  return result;
}

ApiResult<ec2::DeleteSecurityGroupResult> DeleteSecurityGroup(
    ActionContext& context, const ec2::DeleteSecurityGroupRequest& request) {
  if (!request.group_id) {
    return ApiError{ApiErrorCode::kMissingParameter,
                    "The request must contain the parameter groupName or groupId"};
  }
  RETURN_IF_ERROR(CheckId(*request.group_id, kGroupIds));
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  const NetworkStore network(context);
  ASSIGN_OR_RETURN([[maybe_unused]] const Unit done,
                   UntilApplied([&] { return TryDelete(network, *request.group_id); }));
  return ec2::DeleteSecurityGroupResult{};
}

}  // namespace mikura::control
