// SPDX-License-Identifier: Apache-2.0
// Where the events of a cache are told: an SNS topic, and what is said there.
#pragma once

#include <string>
#include <string_view>

#include "control/model/api_error.h"
#include "control/model/event.h"

namespace mikura::control {

inline constexpr std::string_view kTopicActive = "active";
inline constexpr std::string_view kTopicInactive = "inactive";

struct NotificationTopic {
  std::string arn;     // empty: none was named
  std::string status;  // kTopicActive or kTopicInactive; empty with the ARN

  // Where an event of now goes; empty: nowhere.
  std::string ActiveArn() const { return status == kTopicActive ? arn : std::string(); }
};

template <typename Visitor>
void VisitFields(Visitor& visit, NotificationTopic& topic) {
  visit("arn", topic.arn);
  visit("status", topic.status);
}

// Empty: not given. Tools send an empty ARN with status inactive to end notifications.
struct AskedTopic {
  std::string arn;
  std::string status;

  bool Empty() const { return arn.empty() && status.empty(); }
};

struct TopicArn {
  std::string region;
  std::string account;
  std::string name;
};

// "arn:aws:sns:<region>:<account>:<name>". Errors: kInvalidParameterValue.
ApiResult<TopicArn> ParseTopicArn(std::string_view text);

// Errors: kInvalidParameterValue, also for a topic of another account or region;
// kInvalidParameterCombination for status active without a topic.
ApiResult<> SetTopic(const AskedTopic& asked, std::string_view account, std::string_view region,
                     NotificationTopic& topic);

// What is published of an event: {"ElastiCache:SnapshotComplete":"demo-001"}. An event that
// ElastiCache has no name for is "ElastiCache:Event".
std::string NotificationMessage(const Event& event);

}  // namespace mikura::control
