// SPDX-License-Identifier: Apache-2.0
// A security group: the rules for traffic to and from what is in it. One rule names one peer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/model/api_error.h"
#include "control/model/tags.h"

namespace mikura::control {

struct SecurityRule {
  std::string id;  // "sgr-..."
  bool egress = false;
  std::string protocol;   // "tcp", "udp", "icmp", "icmpv6", a number, or "-1" for all
  int64_t from_port = 0;  // icmp: type; without meaning for "-1" and numbers
  int64_t to_port = 0;    // icmp: code
  // The peer: exactly one of these is not empty.
  std::string cidr_ipv4;
  std::string cidr_ipv6;
  std::string group_id;
  std::string description;

  // Whether both let the same traffic through.
  bool SameTraffic(const SecurityRule& other) const;
  bool HasPorts() const { return protocol == "tcp" || protocol == "udp" || IsIcmp(); }
  bool IsIcmp() const { return protocol == "icmp" || protocol == "icmpv6"; }
  // "peer: 10.0.0.0/16, TCP, from port: 6379, to port: 6379, ALLOW".
  std::string Text() const;
};

struct SecurityGroup {
  std::string id;  // "sg-..."
  std::string vpc_id;
  std::string name;
  std::string description;
  std::vector<SecurityRule> rules;
  Tags tags;
};

inline constexpr size_t kSecurityRulesMax = 60;  // of one direction in one group

// "TCP" and "6" are "tcp", "all" is "-1". Errors: kInvalidParameterValue.
ApiResult<std::string> CanonicalProtocol(std::string_view text);

// Checks the ports for the protocol and sets those of a rule without ports to -1.
// Errors: kInvalidParameterValue; kMissingParameter when tcp or udp has none.
ApiResult<> SetPorts(SecurityRule& rule, std::optional<int32_t> from, std::optional<int32_t> to);

// Adds `rules` to the group. Errors: kInvalidPermissionDuplicate,
// kRulesPerSecurityGroupLimitExceeded; then nothing is added.
ApiResult<> AddRules(SecurityGroup& group, const std::vector<SecurityRule>& rules);

// Removes rules of the same traffic. Errors: kInvalidPermissionNotFound; then nothing is removed.
ApiResult<> RemoveRules(SecurityGroup& group, const std::vector<SecurityRule>& rules);

// Errors: kInvalidParameterValue for a name or description that is empty, over 255 characters or of
// other characters than AWS allows, and for the names "default" and "sg-...".
ApiResult<> ValidateGroupTexts(std::string_view name, std::string_view description);

std::string ToJson(const SecurityGroup& group);
Result<SecurityGroup> SecurityGroupFromJson(std::string_view text);

}  // namespace mikura::control
