// SPDX-License-Identifier: Apache-2.0
// Which logs of its nodes a cache delivers, and where to. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/api_error.h"
#include "control/model/engine_version.h"

namespace mikura::control {

struct NodeSpec;

inline constexpr std::string_view kSlowLog = "slow-log";
inline constexpr std::string_view kEngineLog = "engine-log";

inline constexpr std::string_view kLogEnabling = "enabling";
inline constexpr std::string_view kLogActive = "active";
inline constexpr std::string_view kLogModifying = "modifying";
inline constexpr std::string_view kLogDisabling = "disabling";
inline constexpr std::string_view kLogError = "error";

// One log of all nodes of a cache. A cache has at most one of each type.
struct LogDelivery {
  std::string log_type;   // kSlowLog, kEngineLog
  std::string log_group;  // of CloudWatch Logs, by its name
  std::string format;     // "text", "json"
  std::string status;
  std::string message;  // why the status is kLogError

  // Whether the nodes are still to be told of it.
  bool IsPending() const { return status == kLogEnabling || status == kLogModifying; }
  bool operator==(const LogDelivery&) const = default;
};

template <typename Visitor>
void VisitFields(Visitor& visit, LogDelivery& delivery) {
  visit("log_type", delivery.log_type);
  visit("log_group", delivery.log_group);
  visit("format", delivery.format);
  visit("status", delivery.status);
  visit("message", delivery.message);
}

// What a request says of one log; nullopt means "not given".
struct AskedLogDelivery {
  std::optional<std::string> log_type;
  std::optional<std::string> destination_type;
  std::optional<std::string> log_group;
  std::optional<std::string> delivery_stream;
  std::optional<std::string> format;
  bool enabled = true;
};

// Changes the deliveries of a cache of that engine, which are none when it is new.
// Errors: kInvalidParameterValue, kInvalidParameterCombination; `deliveries` is to be thrown away
// then.
ApiResult<> SetLogDeliveries(const std::vector<AskedLogDelivery>& asked,
                             const EngineVersion& version, std::vector<LogDelivery>& deliveries);
// The same for a cache that exists: AWS knows of no other moment than now.
ApiResult<> ChangeLogDeliveries(const std::vector<AskedLogDelivery>& asked, bool immediately,
                                const EngineVersion& version, std::vector<LogDelivery>& deliveries);

// Whether the nodes have been told of all changes.
bool AreSettled(const std::vector<LogDelivery>& deliveries);

// Where a log of one node goes.
struct LogTarget {
  std::string log_type;
  std::string stream;  // a path below the folder of all logs: log group, then AWS's stream name
  std::string cluster_id;
  std::string cache_node_id;
  bool as_json = false;

  bool operator==(const LogTarget&) const = default;
};

// "<account>/<region>/<log group>/elasticache/<engine>/<cluster>/<cache node>/<log type>".
LogTarget LogTargetOf(const LogDelivery& delivery, const NodeSpec& node);

// The folder of a log group: its name, with what a folder's name cannot have spelled as "%2F".
std::string LogGroupFolder(std::string_view log_group);

}  // namespace mikura::control
