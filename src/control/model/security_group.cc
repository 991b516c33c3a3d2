// SPDX-License-Identifier: Apache-2.0
#include "control/model/security_group.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.h"
#include "control/model/record_json.h"

namespace mikura::control {

template <typename Visitor>
void VisitFields(Visitor& visit, SecurityRule& rule) {
  visit("id", rule.id);
  visit("egress", rule.egress);
  visit("protocol", rule.protocol);
  visit("from_port", rule.from_port);
  visit("to_port", rule.to_port);
  visit("cidr_ipv4", rule.cidr_ipv4);
  visit("cidr_ipv6", rule.cidr_ipv6);
  visit("group_id", rule.group_id);
  visit("description", rule.description);
}

template <typename Visitor>
void VisitFields(Visitor& visit, SecurityGroup& group) {
  visit("id", group.id);
  visit("vpc_id", group.vpc_id);
  visit("name", group.name);
  visit("description", group.description);
  visit("rules", group.rules);
  visit("tags", group.tags);
}

namespace {

constexpr size_t kTextMax = 255;
constexpr std::string_view kTextMarks = " ._-:/()#,@[]+=&;{}!$*";

ApiError Invalid(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

bool IsAllowedText(std::string_view text) {
  return !text.empty() && text.size() <= kTextMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kTextMarks.find(c) != std::string_view::npos;
         });
}

}  // namespace

bool SecurityRule::SameTraffic(const SecurityRule& other) const {
  return egress == other.egress && protocol == other.protocol && from_port == other.from_port &&
         to_port == other.to_port && cidr_ipv4 == other.cidr_ipv4 && cidr_ipv6 == other.cidr_ipv6 &&
         group_id == other.group_id;
}

std::string SecurityRule::Text() const {
  const std::string& peer = !cidr_ipv4.empty()   ? cidr_ipv4
                            : !cidr_ipv6.empty() ? cidr_ipv6
                                                 : group_id;
  std::string text = fmt::format("peer: {}, ", peer);
  text += protocol == "-1" ? "ALL" : ToUpper(protocol);
  if (protocol == "tcp" || protocol == "udp") {
    text += fmt::format(", from port: {}, to port: {}", from_port, to_port);
  } else if (IsIcmp()) {
    text += fmt::format(", type: {}, code: {}", from_port, to_port);
  }
  return text + ", ALLOW";
}

ApiResult<std::string> CanonicalProtocol(std::string_view text) {
  struct Name {
    std::string_view number;
    std::string_view name;
  };
  constexpr Name kNames[] = {{"6", "tcp"}, {"17", "udp"}, {"1", "icmp"}, {"58", "icmpv6"}};
  const std::string lower = ToLower(text);
  if (lower == "-1" || lower == "all") return std::string("-1");
  for (const Name& each : kNames) {
    if (lower == each.name || lower == each.number) return std::string(each.name);
  }
  const auto number = ParseInt64(lower);
  if (number && *number >= 0 && *number <= 255) return lower;
  return Invalid(fmt::format("Invalid value '{}' for IP protocol. Unknown protocol.", text));
}

ApiResult<> SetPorts(SecurityRule& rule, std::optional<int32_t> from, std::optional<int32_t> to) {
  if (!rule.HasPorts()) {
    rule.from_port = rule.to_port = -1;
    return Ok();
  }
  const int32_t max = rule.IsIcmp() ? 255 : 65535;
  const int32_t min = rule.IsIcmp() ? -1 : 0;
  if (rule.IsIcmp()) {
    from = from.value_or(-1);
    to = to.value_or(-1);
  }
  if (!from || !to) {
    return ApiError{
        ApiErrorCode::kMissingParameter,
        fmt::format("The request must contain the parameter {}", from ? "toPort" : "fromPort")};
  }
  const bool ordered = rule.IsIcmp() || *from <= *to;
  if (*from < min || *from > max || *to < min || *to > max || !ordered) {
    return Invalid(
        fmt::format("Invalid {} port range: {} to {}", ToUpper(rule.protocol), *from, *to));
  }
  rule.from_port = *from;
  rule.to_port = *to;
  return Ok();
}

ApiResult<> AddRules(SecurityGroup& group, const std::vector<SecurityRule>& rules) {
  std::vector<SecurityRule> merged = group.rules;
  for (const SecurityRule& rule : rules) {
    const auto same = [&rule](const SecurityRule& other) { return rule.SameTraffic(other); };
    if (std::any_of(merged.begin(), merged.end(), same)) {
      return ApiError{ApiErrorCode::kInvalidPermissionDuplicate,
                      fmt::format("the specified rule \"{}\" already exists", rule.Text())};
    }
    const auto count =
        std::count_if(merged.begin(), merged.end(),
                      [&rule](const SecurityRule& other) { return other.egress == rule.egress; });
    if (static_cast<size_t>(count) >= kSecurityRulesMax) {
      return ApiError{ApiErrorCode::kRulesPerSecurityGroupLimitExceeded, {}};
    }
    merged.push_back(rule);
  }
  group.rules = std::move(merged);
  return Ok();
}

ApiResult<> RemoveRules(SecurityGroup& group, const std::vector<SecurityRule>& rules) {
  std::vector<SecurityRule> kept = group.rules;
  for (const SecurityRule& rule : rules) {
    const auto found = std::find_if(kept.begin(), kept.end(), [&rule](const SecurityRule& other) {
      return rule.SameTraffic(other);
    });
    if (found == kept.end()) {
      return ApiError{ApiErrorCode::kInvalidPermissionNotFound,
                      "The specified rule does not exist in this security group."};
    }
    kept.erase(found);
  }
  group.rules = std::move(kept);
  return Ok();
}

ApiResult<> ValidateGroupTexts(std::string_view name, std::string_view description) {
  if (!IsAllowedText(name)) {
    return Invalid(fmt::format(
        "Invalid value '{}' for groupName. It may have up to 255 of the characters a-z, A-Z, 0-9, "
        "spaces and ._-:/()#,@[]+=&;{{}}!$*",
        name));
  }
  if (!IsAllowedText(description)) {
    return Invalid(fmt::format(
        "Invalid value '{}' for groupDescription. It may have up to 255 of the characters a-z, "
        "A-Z, 0-9, spaces and ._-:/()#,@[]+=&;{{}}!$*",
        description));
  }
  if (EqualsIgnoreCase(name, "default")) {
    return Invalid("Cannot use reserved security group name: default");
  }
  if (name.substr(0, 3) == "sg-") {
    return Invalid(
        "Invalid value for parameter groupName: group names may not be in the format "
        "sg-*");
  }
  return Ok();
}

std::string ToJson(const SecurityGroup& group) { return RecordToJson(group); }

Result<SecurityGroup> SecurityGroupFromJson(std::string_view text) {
  return RecordFromJson<SecurityGroup>("security group", text);
}

}  // namespace mikura::control
