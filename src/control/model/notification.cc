// SPDX-License-Identifier: Apache-2.0
#include "control/model/notification.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace mikura::control {
namespace {

constexpr size_t kNameSizeMax = 256;
constexpr size_t kAccountSize = 12;

ApiError Value(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsNameCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

struct EventName {
  std::string_view source_type;
  std::string_view message_start;
  std::string_view name;
};

// Source: ElastiCache user guide, "Event notifications and Amazon SNS".
constexpr EventName kEventNames[] = {
    {"cache-cluster", "Added cache node", "AddCacheNodeComplete"},
    {"cache-cluster", "Cache cluster created", "CacheClusterProvisioningComplete"},
    {"cache-cluster", "Cache cluster deleted", "DeleteCacheClusterComplete"},
    {"cache-cluster", "Cache node ", "CacheNodesRebooted"},
    {"cache-cluster", "Failover from primary node", "FailoverComplete"},
    {"cache-cluster", "Finished recovery", "CacheNodeReplaceComplete"},
    {"cache-cluster", "Recovering cache nodes", "CacheNodeReplaceStarted"},
    {"cache-cluster", "Removed cache node", "RemoveCacheNodeComplete"},
    {"cache-cluster", "The cache node type was not", "CacheClusterScalingFailed"},
    {"replication-group", "Failover from primary node", "FailoverComplete"},
    {"replication-group", "Replication group created", "CreateReplicationGroupComplete"},
    {"replication-group", "The cache node type was not", "ReplicationGroupScalingFailed"},
    {"", "Snapshot failed", "SnapshotFailed"},
    {"", "Snapshot succeeded", "SnapshotComplete"},
};

std::string_view NameOf(const Event& event) {
  for (const EventName& known : kEventNames) {
    const bool of_source = known.source_type.empty() || known.source_type == event.source_type;
    if (of_source && event.message.rfind(known.message_start, 0) == 0) return known.name;
  }
  return "Event";
}

}  // namespace

ApiResult<TopicArn> ParseTopicArn(std::string_view text) {
  std::vector<std::string_view> parts;
  std::string_view rest = text;
  for (size_t colon = rest.find(':'); colon != rest.npos; colon = rest.find(':')) {
    parts.push_back(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
  }
  parts.push_back(rest);
  const bool is_topic = parts.size() == 6 && parts[0] == "arn" &&
                        (parts[1] == "aws" || parts[1].substr(0, 4) == "aws-") &&
                        parts[2] == "sns" && !parts[3].empty() && parts[4].size() == kAccountSize &&
                        std::all_of(parts[4].begin(), parts[4].end(), IsDigit) &&
                        !parts[5].empty() && parts[5].size() <= kNameSizeMax &&
                        std::all_of(parts[3].begin(), parts[3].end(), IsNameCharacter) &&
                        std::all_of(parts[5].begin(), parts[5].end(), IsNameCharacter);
  if (!is_topic) {
    return Value(fmt::format(
        "Invalid notification topic ARN: {}. It must be arn:aws:sns:region:account:name.", text));
  }
  return TopicArn{std::string(parts[3]), std::string(parts[4]), std::string(parts[5])};
}

ApiResult<> SetTopic(const AskedTopic& asked, std::string_view account, std::string_view region,
                     NotificationTopic& topic) {
  if (!asked.status.empty() && asked.status != kTopicActive && asked.status != kTopicInactive) {
    return Value(
        fmt::format("NotificationTopicStatus must be active or inactive, not {}.", asked.status));
  }
  if (!asked.arn.empty()) {
    ASSIGN_OR_RETURN(const TopicArn arn, ParseTopicArn(asked.arn));
    if (arn.account != account || arn.region != region) {
      return Value(
          fmt::format("The topic {} must be of the account and region of the cache: {}, {}.",
                      asked.arn, account, region));
    }
    topic = {asked.arn, std::string(kTopicActive)};
  }
  if (asked.status.empty()) return Ok();
  if (topic.arn.empty()) {
    if (asked.status == kTopicInactive) return Ok();
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "NotificationTopicStatus active needs a NotificationTopicArn."};
  }
  topic.status = asked.status;
  return Ok();
}

std::string NotificationMessage(const Event& event) {
  boost::json::object message;
  message[fmt::format("ElastiCache:{}", NameOf(event))] = event.source_id;
  return boost::json::serialize(message);
}

}  // namespace mikura::control
