// SPDX-License-Identifier: Apache-2.0
#include "control/api/ec2/security_group_rule_actions.h"

#include <fmt/format.h>

#include "control/api/ec2/ec2_common.h"
#include "control/api/ec2/security_group_rules.h"
#include "control/api/network_store.h"

namespace mikura::control {
namespace {

// A rule with the group it belongs to, as Describe handles them.
struct GroupRule {
  std::string id;
  SecurityGroup group;
  SecurityRule rule;
  Tags tags;
};

constexpr IdKind kRuleIds = {"sgr-", "security group rule ID",
                             ApiErrorCode::kInvalidSecurityGroupRuleIdNotFound,
                             ApiErrorCode::kInvalidSecurityGroupRuleIdNotFound};

constexpr FilterRow<GroupRule> kRuleFilters[] = {
    {"group-id",
     [](const GroupRule& each, const ActionContext&) { return std::vector{each.group.id}; }},
    {"security-group-rule-id",
     [](const GroupRule& each, const ActionContext&) { return std::vector{each.id}; }},
};

// The permissions of a request: its list, or the one that the plain parameters spell.
template <typename Request>
ApiResult<std::vector<ec2::IpPermission>> PermissionsOf(const Request& request) {
  const bool plain = request.cidr_ip || request.ip_protocol || request.from_port || request.to_port;
  if (request.source_security_group_name || request.source_security_group_owner_id) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "A group of a VPC is named by its id, in ipPermissions."};
  }
  if (plain && !request.ip_permissions.empty()) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "The parameter ipPermissions may not be used together with others."};
  }
  if (!plain) return request.ip_permissions;
  ec2::IpPermission permission{.from_port = request.from_port,
                               .ip_protocol = request.ip_protocol,
                               .to_port = request.to_port};
  if (request.cidr_ip) permission.ip_ranges.push_back({.cidr_ip = request.cidr_ip});
  return std::vector{permission};
}

template <typename Request>
ApiResult<std::string> GroupIdOf(const Request& request) {
  const std::optional<std::string> id = request.group_id;
  if (!id) {
    return ApiError{ApiErrorCode::kMissingParameter,
                    "The request must contain the parameter groupName or groupId"};
  }
  RETURN_IF_ERROR(CheckId(*id, kGroupIds));
  return *id;
}

// Every group that a rule names must be there, in the same VPC.
ApiResult<> CheckPeers(const NetworkStore& network, const SecurityGroup& group,
                       const std::vector<SecurityRule>& rules) {
  for (const SecurityRule& rule : rules) {
    if (rule.group_id.empty()) continue;
    ASSIGN_OR_RETURN(const auto peer, network.FindSecurityGroup(rule.group_id));
    if (!peer || peer->record.vpc_id != group.vpc_id) return NotFound({rule.group_id}, kGroupIds);
  }
  return Ok();
}

// Replaces a group whose rules changed. The VPC is rewritten too, so that no group can be deleted
// while a rule begins to name it (NetworkStore I1). nullopt: somebody else was faster.
ApiResult<std::optional<SecurityGroup>> Store(const NetworkStore& network,
                                              const Stored<SecurityGroup>& group) {
  ASSIGN_OR_RETURN(const auto vpc, network.FindVpc(group.record.vpc_id));
  if (!vpc) return std::optional<SecurityGroup>();
  Change change;
  change.Touch(vpc->kv);
  change.Replace(group.kv, ToJson(group.record));
  ASSIGN_OR_RETURN(const bool applied, network.Apply(change));
  return applied ? std::optional(group.record) : std::nullopt;
}

template <typename Request>
ApiResult<typename Request::Result> Authorize(const ActionContext& context, const Request& request,
                                              bool egress) {
  ASSIGN_OR_RETURN(const std::string id, GroupIdOf(request));
  ASSIGN_OR_RETURN(const auto permissions, PermissionsOf(request));
  RETURN_IF_ERROR(RefuseUnsupported(!request.tag_specifications.empty(), "A tag of a rule"));
  if (permissions.empty()) {
    return ApiError{ApiErrorCode::kMissingParameter,
                    "The request must contain the parameter ipPermissions"};
  }
  ASSIGN_OR_RETURN(const auto rules, RulesFrom(permissions, egress));
  const NetworkStore network(context);
  const auto attempt = [&]() -> ApiResult<std::optional<SecurityGroup>> {
    ASSIGN_OR_RETURN(auto group, network.FindSecurityGroup(id));
    if (!group) return NotFound({id}, kGroupIds);
    RETURN_IF_ERROR(CheckPeers(network, group->record, rules));
    RETURN_IF_ERROR(AddRules(group->record, rules));
    RETURN_IF_ERROR(CheckDryRun(request.dry_run));
    return Store(network, *group);
  };
  ASSIGN_OR_RETURN(const SecurityGroup group, UntilApplied(attempt));
  typename Request::Result result;
  result.return_ = true;
  for (const SecurityRule& rule : rules) {
    result.security_group_rules.push_back(RuleToWire(group, rule, context));
  }
  return result;
}

// The group's own rules with these ids.
ApiResult<std::vector<SecurityRule>> RulesOfIds(const SecurityGroup& group,
                                                const std::vector<std::string>& ids, bool egress) {
  std::vector<SecurityRule> rules;
  for (const std::string& id : ids) {
    const auto found = std::find_if(
        group.rules.begin(), group.rules.end(),
        [&](const SecurityRule& rule) { return rule.id == id && rule.egress == egress; });
    if (found == group.rules.end()) return NotFound({id}, kRuleIds);
    rules.push_back(*found);
  }
  return rules;
}

template <typename Request>
ApiResult<typename Request::Result> Revoke(const ActionContext& context, const Request& request,
                                           bool egress) {
  ASSIGN_OR_RETURN(const std::string id, GroupIdOf(request));
  ASSIGN_OR_RETURN(const auto permissions, PermissionsOf(request));
  if (permissions.empty() == request.security_group_rule_ids.empty()) {
    return ApiError{ApiErrorCode::kMissingParameter,
                    "The request must contain either ipPermissions or securityGroupRuleIds"};
  }
  ASSIGN_OR_RETURN(const auto named, RulesFrom(permissions, egress));
  const NetworkStore network(context);
  const auto attempt = [&]() -> ApiResult<std::optional<SecurityGroup>> {
    ASSIGN_OR_RETURN(auto group, network.FindSecurityGroup(id));
    if (!group) return NotFound({id}, kGroupIds);
    ASSIGN_OR_RETURN(auto rules,
                     RulesOfIds(group->record, request.security_group_rule_ids, egress));
    rules.insert(rules.end(), named.begin(), named.end());
    RETURN_IF_ERROR(RemoveRules(group->record, rules));
    RETURN_IF_ERROR(CheckDryRun(request.dry_run));
    return Store(network, *group);
  };
  ASSIGN_OR_RETURN([[maybe_unused]] const SecurityGroup group, UntilApplied(attempt));
  typename Request::Result result;
  result.return_ = true;
  return result;
}

}  // namespace

ApiResult<ec2::AuthorizeSecurityGroupIngressResult> AuthorizeSecurityGroupIngress(
    ActionContext& context, const ec2::AuthorizeSecurityGroupIngressRequest& request) {
  return Authorize(context, request, false);
}

ApiResult<ec2::AuthorizeSecurityGroupEgressResult> AuthorizeSecurityGroupEgress(
    ActionContext& context, const ec2::AuthorizeSecurityGroupEgressRequest& request) {
  return Authorize(context, request, true);
}

ApiResult<ec2::RevokeSecurityGroupIngressResult> RevokeSecurityGroupIngress(
    ActionContext& context, const ec2::RevokeSecurityGroupIngressRequest& request) {
  return Revoke(context, request, false);
}

ApiResult<ec2::RevokeSecurityGroupEgressResult> RevokeSecurityGroupEgress(
    ActionContext& context, const ec2::RevokeSecurityGroupEgressRequest& request) {
  return Revoke(context, request, true);
}

ApiResult<ec2::DescribeSecurityGroupRulesResult> DescribeSecurityGroupRules(
    ActionContext& context, const ec2::DescribeSecurityGroupRulesRequest& request) {
  RETURN_IF_ERROR(CheckDryRun(request.dry_run));
  ASSIGN_OR_RETURN(auto groups, NetworkStore(context).SecurityGroups());
  std::vector<GroupRule> rules;
  for (const auto& group : groups) {
    for (const SecurityRule& rule : group.record.rules) {
      rules.push_back({.id = rule.id, .group = group.record, .rule = rule});
    }
  }
  std::sort(rules.begin(), rules.end(),
            [](const GroupRule& a, const GroupRule& b) { return a.id < b.id; });
  ASSIGN_OR_RETURN(const auto page,
                   Describe<GroupRule>(std::move(rules),
                                       {request.security_group_rule_ids, request.filters,
                                        request.max_results, request.next_token},
                                       kRuleIds, kRuleFilters, context));
  ec2::DescribeSecurityGroupRulesResult result{.next_token = page.next_token};
  for (const GroupRule& each : page.items) {
    result.security_group_rules.push_back(RuleToWire(each.group, each.rule, context));
  }
  return result;
}

}  // namespace mikura::control
