// SPDX-License-Identifier: Apache-2.0
// What happened to a resource, as DescribeEvents tells it.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace mikura::control {

struct Event {
  std::string account;
  std::string region;
  std::string source_type;  // "replication-group" or "cache-cluster"
  std::string source_id;
  std::string message;
  UnixMillis at = 0;
  std::string topic;  // where it is published (an ARN); empty: nowhere
};

std::string ToJson(const Event& event);
Result<Event> EventFromJson(std::string_view text);

}  // namespace mikura::control
