// SPDX-License-Identifier: Apache-2.0
#include "control/api/ec2/security_group_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/api/ec2/ec2_common.h"
#include "control/api/random_id.h"
#include "control/model/cidr.h"

namespace mikura::control {
namespace {

std::optional<std::string> NonEmpty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<int32_t> PortOf(const SecurityRule& rule, int64_t port) {
  return rule.HasPorts() ? std::optional(static_cast<int32_t>(port)) : std::nullopt;
}

ApiError MalformedCidr(const std::optional<std::string>& text) {
  return {ApiErrorCode::kInvalidParameterValue,
          fmt::format("CIDR block {} is malformed", text.value_or("null"))};
}

ApiError MissingPeer() {
  return {ApiErrorCode::kMissingParameter,
          "The request must contain a CIDR block or a security group in each permission"};
}

// `base` has protocol and ports; the peers are added to copies of it.
ApiResult<> AddPeers(const SecurityRule& base, const ec2::IpPermission& permission,
                     std::vector<SecurityRule>& rules) {
  const size_t before = rules.size();
  const auto add = [&](const std::optional<std::string>& description) -> SecurityRule& {
    rules.push_back(base);
    rules.back().id = NewResourceId("sgr-");
    rules.back().description = description.value_or("");
    return rules.back();
  };
  for (const ec2::IpRange& range : permission.ip_ranges) {
    const auto cidr = ParseCidr(range.cidr_ip.value_or(""));
    if (!cidr) return MalformedCidr(range.cidr_ip);
    add(range.description).cidr_ipv4 = cidr->Text();
  }
  for (const ec2::Ipv6Range& range : permission.ipv6_ranges) {
    const auto cidr = CanonicalIpv6Cidr(range.cidr_ipv6.value_or(""));
    if (!cidr) return MalformedCidr(range.cidr_ipv6);
    add(range.description).cidr_ipv6 = *cidr;
  }
  for (const ec2::UserIdGroupPair& pair : permission.user_id_group_pairs) {
    if (!pair.group_id) {
      return ApiError{ApiErrorCode::kMissingParameter,
                      "The request must contain the parameter groupId for a group of a VPC"};
    }
    RETURN_IF_ERROR(CheckId(*pair.group_id, kGroupIds));
    add(pair.description).group_id = *pair.group_id;
  }
  if (rules.size() == before) return MissingPeer();
  return Ok();
}

}  // namespace

ApiResult<std::vector<SecurityRule>> RulesFrom(const std::vector<ec2::IpPermission>& permissions,
                                               bool egress) {
  std::vector<SecurityRule> rules;
  for (const ec2::IpPermission& permission : permissions) {
    RETURN_IF_ERROR(RefuseUnsupported(!permission.prefix_list_ids.empty(), "A prefix list"));
    SecurityRule base{.egress = egress};
    ASSIGN_OR_RETURN(base.protocol, CanonicalProtocol(permission.ip_protocol.value_or("")));
    RETURN_IF_ERROR(SetPorts(base, permission.from_port, permission.to_port));
    RETURN_IF_ERROR(AddPeers(base, permission, rules));
  }
  return rules;
}

std::vector<ec2::IpPermission> PermissionsFrom(const SecurityGroup& group, bool egress,
                                               const ActionContext& context) {
  std::vector<ec2::IpPermission> permissions;
  for (const SecurityRule& rule : group.rules) {
    if (rule.egress != egress) continue;
    const auto from = PortOf(rule, rule.from_port);
    const auto to = PortOf(rule, rule.to_port);
    auto same = std::find_if(permissions.begin(), permissions.end(), [&](const auto& each) {
      return each.ip_protocol == rule.protocol && each.from_port == from && each.to_port == to;
    });
    if (same == permissions.end()) {
      permissions.push_back({.from_port = from, .ip_protocol = rule.protocol, .to_port = to});
      same = permissions.end() - 1;
    }
    const auto description = NonEmpty(rule.description);
    if (!rule.cidr_ipv4.empty()) {
      same->ip_ranges.push_back({.cidr_ip = rule.cidr_ipv4, .description = description});
    } else if (!rule.cidr_ipv6.empty()) {
      same->ipv6_ranges.push_back({.cidr_ipv6 = rule.cidr_ipv6, .description = description});
    } else {
      same->user_id_group_pairs.push_back(
          {.description = description, .group_id = rule.group_id, .user_id = context.account_id});
    }
  }
  return permissions;
}

ec2::SecurityGroupRule RuleToWire(const SecurityGroup& group, const SecurityRule& rule,
                                  const ActionContext& context) {
  // Here AWS writes -1 where a permission has no ports at all.
  ec2::SecurityGroupRule wire{.security_group_rule_id = rule.id,
                              .group_id = group.id,
                              .group_owner_id = context.account_id,
                              .is_egress = rule.egress,
                              .ip_protocol = rule.protocol,
                              .from_port = static_cast<int32_t>(rule.from_port),
                              .to_port = static_cast<int32_t>(rule.to_port),
                              .cidr_ipv4 = NonEmpty(rule.cidr_ipv4),
                              .cidr_ipv6 = NonEmpty(rule.cidr_ipv6),
                              .description = NonEmpty(rule.description)};
  if (!rule.group_id.empty()) {
    wire.referenced_group_info =
        ec2::ReferencedSecurityGroup{.group_id = rule.group_id, .user_id = context.account_id};
  }
  return wire;
}

}  // namespace mikura::control
